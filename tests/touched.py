"""Names the tests of what was touched, for `make quick`: of all that differs from main, committed or not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What no slice's own tests see: the rules of the house, and who may call what.
ALWAYS = ("tests/test_architecture.py", "tests/test_permissions.py")
MAIN = ("origin/main", "main")


def standing_for(paths: Iterable[str]) -> list[str]:
    """The tests that stand for these files, named once: of their slice, and of what the contract says of it."""
    named = {name for path in paths for name in _named(Path(path).parts)}
    there = {name for name in (*ALWAYS, *named) if (ROOT / name).exists()}
    return sorted(name for name in there if not any(str(folder) in there for folder in Path(name).parents))


def _named(parts: tuple[str, ...]) -> list[str]:
    match parts:
        case ("criachat", "kit", part, *_):
            own = [f"tests/kit/{part}", f"tests/kit/test_{Path(part).stem}.py"]
            return own if any((ROOT / name).exists() for name in own) else ["tests/kit"]
        case ("criachat", slice_, _, *_):
            return [f"tests/{slice_}", f"tests/contract/test_{slice_}.py"]
        case ("tests", *_, name) if name.startswith("test_"):
            return ["/".join(parts)]
        case ("tests", *folders, _) if folders:
            return ["/".join(("tests", *folders))]
        case ("bench" | "examples" as folder, *_):
            return [f"tests/{folder}"]
        case ("pyproject.toml" | "Makefile" | "requirements.lock" | "requirements-dev.lock",):
            return ["tests/test_packaging.py"]
        case _:
            return []


def touched() -> list[str]:
    """The files that differ from main: those of this branch, of the working tree, and new ones."""
    main = next((name for name in MAIN if _git("rev-parse", "--verify", "--quiet", name)), "HEAD")
    since = _git("merge-base", "HEAD", main)
    return _git("diff", "--name-only", *since) + _git("ls-files", "--others", "--exclude-standard")


def _git(*words: str) -> list[str]:
    asked = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return asked.stdout.splitlines()


if __name__ == "__main__":
    sys.stdout.write("\n".join(standing_for(touched())) + "\n")
