"""LD-8: what a request costs when there is a hundred times as much of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from bench.load import Outcome, closed_loop, together
from bench.measuring.measurement import Measurement
from bench.results import Figure, Load, Result, load_of
from bench.running import Bench, Ground
from bench.server import Cpu
from bench.site import Site, messages, pages, threads

MOST_GROWTH = 1.3


class Job(msgspec.Struct, frozen=True):
    """One kind of request, by the promise it is measured for elsewhere."""

    id: str
    requests: Callable[[Site], Iterator[bytes]]


JOBS = (Job("LD-1", messages), Job("LD-2", threads), Job("LD-3", pages))


async def measure_growth(bench: Bench) -> Result:
    """LD-8: CPU time, which tells more than a rate: both servers share the machine with everything else on it."""
    small = await bench.small_ground()
    large = await bench.ground()
    loads: list[Load] = []
    figures: list[Figure] = []
    for job in JOBS:
        before, after = await _in_turns(bench, job, (small, large))
        loads += (before, after)
        figures.append(
            Figure(
                name=f"{job.id}: CPU time of a request, large against small",
                value=_microseconds(after) / _microseconds(before),
                unit="times",
                at_most=MOST_GROWTH,
            )
        )
    figures.append(Figure(name="Requests not answered well", value=sum(load.errors for load in loads), at_most=0))
    return Result(id="LD-8", work=WORK, figures=figures, loads=loads, data_set=f"{small.site.data}; {large.site.data}")


async def _in_turns(bench: Bench, job: Job, grounds: Sequence[Ground]) -> list[Load]:
    """The same requests to each server in turns, so that what else happens on the machine meets both."""
    pace = bench.pace
    requests = [job.requests(ground.site) for ground in grounds]
    outcomes: list[list[Outcome]] = [[] for _ in grounds]
    spent = [Cpu(0, 0) for _ in grounds]
    for number in range(1, pace.rounds + 1):
        bench.progress.step(f"{job.id}, round {number} of {pace.rounds}")
        for place, ground in enumerate(grounds):
            before = ground.server.cpu_seconds()
            outcome = await closed_loop(
                ground.server.address, requests[place], seconds=pace.round_seconds, warm_up=pace.warm_up_seconds
            )
            outcomes[place].append(outcome)
            spent[place] = spent[place].plus(ground.server.cpu_seconds().since(before))
    return [
        load_of(f"{job.id}, {ground.site.data.messages:,} messages", together(outcomes[place]), spent=spent[place])
        for place, ground in enumerate(grounds)
    ]


def _microseconds(load: Load) -> float:
    return (load.application_microseconds or 0) + (load.database_microseconds or 0)


WORK = "The same requests with 5 million messages and with 50 thousand"

MEASUREMENTS = (Measurement("LD-8", WORK, measure_growth),)
