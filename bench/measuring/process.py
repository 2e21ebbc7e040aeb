"""LD-9, LD-10: what the whole of it weighs, and how soon it is there."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence

from bench.load import open_loop
from bench.measuring.measurement import Measurement
from bench.results import Figure, Load, Result, Series, load_of
from bench.running import LARGE, Bench
from bench.server import Server, start
from bench.site import mixed

MEGABYTE = 2**20
MIXED_PER_SECOND = 100
IDLE_SECONDS = 10.0
SAMPLE_SECONDS = 5.0
EMPTY = "empty"
WORK = {
    "LD-9": "Memory of `criachat serve` with its PostgreSQL, idle and under a mixed load",
    "LD-10": "`criachat serve`: from the command to the first 200",
}


async def measure_memory(bench: Bench) -> Result:
    """LD-9."""
    ground = await bench.restarted()
    server = ground.server
    bench.progress.step("idle")
    await asyncio.sleep(IDLE_SECONDS)
    idle = server.proportional_bytes() / MEGABYTE
    points = [(0.0, idle)]
    watching = asyncio.create_task(_watch(bench, server, points))
    before = server.cpu_seconds()
    try:
        outcome = await open_loop(
            server.address, mixed(ground.site), rate=MIXED_PER_SECOND, seconds=bench.pace.mixed_seconds
        )
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    load: Load = load_of(f"mixed, {MIXED_PER_SECOND}/s", outcome, spent=server.cpu_seconds().since(before))
    after = server.proportional_bytes() / MEGABYTE
    points.append((bench.pace.mixed_seconds, after))
    return Result(
        id="LD-9",
        work=WORK["LD-9"],
        figures=[
            Figure(name="Idle, PSS of all processes", value=idle, unit="MB", at_most=200),
            Figure(
                name=f"After {_duration(bench.pace.mixed_seconds)} of mixed load", value=after, unit="MB", at_most=400
            ),
            Figure(name="Highest in between", value=max(value for _, value in points), unit="MB"),
            Figure(name="Of it the application, resident", value=server.resident_bytes() / MEGABYTE, unit="MB"),
            Figure(name="Requests not answered well", value=load.errors, at_most=0),
        ],
        loads=[load],
        series=[Series(name="Memory under a mixed load", unit="MB", points=points)],
        data_set=str(ground.site.data),
    )


async def measure_starts(bench: Bench) -> Result:
    """LD-10."""
    await bench.ground()
    await bench.stop()
    empty: list[float] = []
    existing: list[float] = []
    for number in range(1, bench.pace.starts + 1):
        bench.progress.step(f"start {number} of {bench.pace.starts}")
        folder = bench.folder / f"{EMPTY}-{number}"
        empty.append(await _started_in(bench, folder.name))
        await asyncio.to_thread(shutil.rmtree, folder)
        existing.append(await _started_in(bench, LARGE))
    return Result(
        id="LD-10",
        work=WORK["LD-10"],
        figures=[
            Figure(name="On an empty folder, the slowest start", value=max(empty), unit="s", at_most=5),
            Figure(name="On an existing one, the slowest start", value=max(existing), unit="s", at_most=2),
        ],
        data_set=f"{bench.pace.starts} starts of each kind; the existing folder has {bench.pace.size.conversations:,} "
        "conversations",
    )


async def _started_in(bench: Bench, folder: str) -> float:
    server = await start(bench.folder / folder)
    await server.stop()
    return server.started_in


async def _watch(bench: Bench, server: Server, points: list[tuple[float, float]]) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(SAMPLE_SECONDS)
        points.append((time.monotonic() - began, server.proportional_bytes() / MEGABYTE))
        bench.progress.bar("mixed load", points[-1][0], bench.pace.mixed_seconds)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"


MEASUREMENTS: Sequence[Measurement] = (
    Measurement("LD-9", WORK["LD-9"], measure_memory),
    Measurement("LD-10", WORK["LD-10"], measure_starts),
)
