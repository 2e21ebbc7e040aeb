"""The yardsticks that PostgreSQL itself runs: what the job costs without us, on the same server."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from importlib import resources

import msgspec

from bench.load import CONNECTIONS
from criachat.kit.db import Connection
from criachat.kit.postgres import binaries

RATE = re.compile(r"^tps = ([\d.]+) \(without", re.MULTILINE)
LATENCY = re.compile(r"^latency average = ([\d.]+) ms", re.MULTILINE)
FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
EXISTS = "SELECT to_regnamespace('yardstick') IS NOT NULL"


class Yardstick(msgspec.Struct, frozen=True, kw_only=True):
    """What the minimum achieved: how many in a second, and how long one took on average."""

    name: str
    rate: float
    milliseconds: float


class YardstickFailed(Exception):
    """pgbench could not run; the text is what it said."""


async def is_prepared(connection: Connection) -> bool:
    """Whether the tables of the yardsticks are there."""
    return await connection.fetchval(EXISTS)


async def prepare(url: str, variables: Mapping[str, int]) -> None:
    """Make and fill the tables of the yardsticks."""
    await _pgbench("tables.sql", url, variables, "--protocol=simple", "--client=1", "--transactions=1")


def name_of(script: str) -> str:
    """What the yardstick of this script is called."""
    return f"pgbench {script}"


def together(runs: Sequence[Yardstick]) -> Yardstick:
    """Several runs of one script, of the same length, as one."""
    return Yardstick(
        name=runs[0].name,
        rate=sum(run.rate for run in runs) / len(runs),
        milliseconds=sum(run.milliseconds for run in runs) / len(runs),
    )


async def run(script: str, url: str, *, seconds: float, variables: Mapping[str, int]) -> Yardstick:
    """Have pgbench run a script with prepared statements on as many connections as our client has."""
    time = f"--time={max(1, round(seconds))}"
    text = await _pgbench(script, url, variables, "--protocol=prepared", f"--client={CONNECTIONS}", "--jobs=1", time)
    rate, latency = RATE.search(text), LATENCY.search(text)
    if rate is None or latency is None:
        raise YardstickFailed(text)
    return Yardstick(name=name_of(script), rate=float(rate[1]), milliseconds=float(latency[1]))


async def _pgbench(script: str, url: str, variables: Mapping[str, int], *options: str) -> str:
    program = shutil.which("pgbench", path=str(binaries())) or shutil.which("pgbench") or "pgbench"
    command = [program, "--no-vacuum", f"--file={resources.files('bench') / 'yardsticks' / script}", *options]
    command += [f"--define={name}={value}" for name, value in variables.items()]
    process = await asyncio.create_subprocess_exec(
        *command, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    text = output.decode()
    failed = FAILED.search(text)
    if process.returncode or (failed and failed[1] != "0"):
        raise YardstickFailed(f"{script}: {errors.decode()}{text}")
    return text
