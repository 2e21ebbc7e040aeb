"""What a measurement found, and where it is kept."""

from __future__ import annotations

import math
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from bench.load import Outcome, percentile
from bench.pgbench import Yardstick
from bench.server import Cpu

FOLDER = Path(__file__).parent / "results"
NUMBERED = re.compile(r"([A-Z]+)-(\d+)(\D*)")


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number, and between which bounds it was promised to be."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether it keeps its promise; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        if math.isnan(self.value):
            return False
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def missed_by(self) -> float:
        """By which share of the bound it is missed; zero when it is met."""
        if self.is_met is not False or math.isnan(self.value):
            return 0.0
        bound = self.at_least if self.at_least is not None and self.value < self.at_least else self.at_most
        return abs(self.value - bound) / bound if bound else math.inf


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One load: how fast, how long an answer took, and what it cost."""

    name: str
    rate: float
    answered: int
    p50: float
    p95: float
    p99: float
    longest: float
    errors: int
    application_microseconds: float | None = None
    database_microseconds: float | None = None
    client_microseconds: float | None = None
    statements: float | None = None
    memory_mb: float | None = None
    yardstick: Yardstick | None = None

    @property
    def ratio(self) -> float | None:
        """The share of the yardstick's rate that was reached."""
        return self.rate / self.yardstick.rate if self.yardstick else None

    def with_cost(self, *, statements: float | None, memory_mb: float | None = None) -> Load:
        """The same, with the statements a request sends and the memory of all processes after the load."""
        return msgspec.structs.replace(self, statements=statements, memory_mb=memory_mb)


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took to arrive, in milliseconds, and how often it did not."""

    name: str
    count: int
    missing: int
    p50: float
    p95: float
    p99: float
    longest: float


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """How something went on over time: pairs of seconds and value."""

    name: str
    unit: str
    points: list[tuple[float, float]]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All that one promise's measurement found."""

    id: str
    work: str
    figures: list[Figure]
    loads: list[Load] = []
    spreads: list[Spread] = []
    series: list[Series] = []
    settings: dict[str, str] = {}
    data_set: str = ""
    commit: str = ""
    machine: str = ""
    at: str = ""

    @property
    def is_met(self) -> bool:
        """Whether every promise in it is kept."""
        return all(figure.is_met is not False for figure in self.figures)


class NothingCame(Exception):
    """There is nothing to measure: no answer was good, or nothing arrived."""


def spread_of(name: str, milliseconds: Sequence[float], *, missing: int) -> Spread:
    """The plain numbers of these arrivals."""
    if not milliseconds:
        raise NothingCame(f"{name}: nothing arrived")
    return Spread(
        name=name,
        count=len(milliseconds),
        missing=missing,
        p50=percentile(milliseconds, 0.5),
        p95=percentile(milliseconds, 0.95),
        p99=percentile(milliseconds, 0.99),
        longest=max(milliseconds),
    )


def load_of(name: str, outcome: Outcome, *, spent: Cpu, yardstick: Yardstick | None = None) -> Load:
    """The plain numbers of a run, with the CPU time each answer took of the application and of PostgreSQL."""
    if not outcome.latencies:
        raise NothingCame(f"{name}: no request was answered well: {outcome.failures}")
    answered = outcome.answered
    return Load(
        name=name,
        rate=outcome.rate,
        answered=outcome.answered,
        application_microseconds=1e6 * spent.application / answered,
        database_microseconds=1e6 * spent.database / answered,
        yardstick=yardstick,
        p50=outcome.milliseconds(0.5),
        p95=outcome.milliseconds(0.95),
        p99=outcome.milliseconds(0.99),
        longest=outcome.milliseconds(1.0),
        errors=outcome.errors,
        client_microseconds=outcome.client_microseconds,
    )


def place(id_: str) -> tuple[str, int, str]:
    """LD-2 comes before LD-10."""
    found = NUMBERED.fullmatch(id_)
    return (found[1], int(found[2]), found[3]) if found else (id_, 0, "")


def save(result: Result) -> None:
    """Keep it beside the others, with what it was measured on; the one before it is replaced."""
    FOLDER.mkdir(exist_ok=True)
    whole = msgspec.structs.replace(
        result, commit=_commit(), machine=_machine(), at=datetime.now(UTC).isoformat(timespec="seconds")
    )
    text = msgspec.json.format(msgspec.json.encode(whole), indent=2)
    draft = FOLDER / f"{result.id}.tmp"
    draft.write_bytes(text + b"\n")
    draft.replace(FOLDER / f"{result.id}.json")


def kept() -> list[Result]:
    """The newest result of every promise that was ever measured here, in the order of their ids."""
    found = [msgspec.json.decode(path.read_bytes(), type=Result) for path in FOLDER.glob("*.json")]
    return sorted(found, key=lambda result: place(result.id))


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=FOLDER)
        return done.stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (" + changes" if git("status", "--porcelain", "-uno") else "")


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gigabytes = psutil.virtual_memory().total / 2**30
    return f"{cores} cores, {gigabytes:.0f} GB, {platform.system()}, Python {platform.python_version()}"
