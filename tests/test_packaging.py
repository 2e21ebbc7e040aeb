"""What a newcomer meets first: the locks and the Makefile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
TARGETS = (
    "help",
    "setup",
    "run",
    "check",
    "test",
    "quick",
    "migrate",
    "bench",
    "faults",
    "docs",
    "examples",
    "demo",
    "lock",
)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def group(name: str) -> list[Requirement]:
    return [Requirement(text) for text in project()["dependency-groups"][name]]


def locked(lock: str) -> dict[str, str]:
    """Name → version of what a lock holds."""
    lines = (ROOT / lock).read_text().splitlines()
    requirements = [Requirement(line.removesuffix("\\")) for line in lines if re.match(r"\w", line)]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


def wanted(lock: str) -> list[Requirement]:
    groups = ["build", "dev"] if "dev" in lock else ["build"]
    return [*map(Requirement, project()["project"]["dependencies"]), *chain(*map(group, groups))]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_to_fetch_from(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert not re.search(r"://|file:|@|--(index|extra|find|trusted)", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_all_that_the_project_asks_for(lock: str) -> None:
    versions = locked(lock)

    missing = [str(each) for each in wanted(lock) if canonicalize_name(each.name) not in versions]
    assert missing == [], "run make lock"
    unmet = [str(each) for each in wanted(lock) if not each.specifier.contains(versions[canonicalize_name(each.name)])]
    assert unmet == [], "run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_in_a_lock_has_a_hash(lock: str) -> None:
    blocks = re.split(r"(?m)^(?=\w)", (ROOT / lock).read_text())[1:]

    assert blocks
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_development_runs_on_the_versions_that_are_shipped() -> None:
    shipped, developed = map(locked, LOCKS)

    assert {name: developed.get(name) for name in shipped} == shipped


def test_a_wheel_has_what_is_read_beside_the_code() -> None:
    shipped = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}

    assert {"criachat/examples.json", "criachat/serving/family.txt"} <= shipped


def test_make_alone_lists_every_target() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("there is no make here")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    listed = subprocess.run([make], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603

    assert set(TARGETS) <= set(re.findall(r"(?m)^  make (\w+)", listed.stdout))
