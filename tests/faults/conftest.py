"""Writes what a whole run showed into docs/faults.md: each promise, its test, how long it took, what was counted."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from site_of_faults import SCALE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
HEAD = """\
# What was tried to break

`make faults` kills processes at the worst moments, restarts the database under load and commits in the worst order, and
then looks whether anything was lost or doubled. This page is of a run of {minutes:.1f} minutes
on {day}, at commit `{commit}`.{scale}

| Promise | What was done | Seen | Seconds | |
|---|---|---|---|---|
"""


class Shown(msgspec.Struct, frozen=True):
    """One test that stands for a promise, and how it went."""

    promise: str
    test: str
    figures: str
    seconds: float
    is_kept: bool

    def row(self) -> str:
        """As a line of the table."""
        outcome = "kept" if self.is_kept else "**broken**"
        return f"| {self.promise} | {self.test} | {self.figures} | {self.seconds:.0f} | {outcome} |"


class Diary:
    """What was shown in this run."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.promises: dict[str, str] = {}

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which test stands for what."""
        for item in items:
            for mark in item.iter_markers("promise"):
                self.promises[item.nodeid] = ", ".join(mark.args)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how it went."""
        promise = self.promises.get(report.nodeid)
        if promise is None or (report.when != "call" and not report.failed):
            return
        name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        figures = ", ".join(f"{value} {key}" for key, value in report.user_properties)
        self.shown.append(Shown(promise, name, figures, report.duration, report.passed))

    @pytest.hookimpl
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the page after a run of everything at full scale."""
        if os.environ.get("FAULTS_PAGE") != "write" or exitstatus not in (0, 1):
            return
        asked = ["git", "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
        head = HEAD.format(
            minutes=sum(shown.seconds for shown in self.shown) / 60,
            day=datetime.now(UTC).date(),
            commit=commit,
            scale="" if SCALE == 1 else f" Counts are {SCALE:.0%} of the promised ones.",
        )
        rows = [shown.row() for shown in sorted(self.shown, key=lambda each: (each.promise, each.test))]
        PAGE.write_text(head + "\n".join(rows) + "\n", "utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Keep a diary of this run."""
    config.pluginmanager.register(Diary())
