"""WH-6, WH-7: how soon webhooks come, and how many can be sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from bench import poster
from bench.load import open_loop
from bench.marks import Marked
from bench.measuring.measurement import Measurement
from bench.receiver import Receiver, receiver
from bench.results import Figure, NothingCame, Result, spread_of
from bench.running import Bench, Ground
from bench.site import marked_messages

EVENTS_PER_SECOND = 200
# So many webhooks hear of each message, so that what is measured is sending, not writing messages.
WEBHOOKS = 20
# As many as the application's own settings let it send at once to one receiver.
AT_ONCE = 8
WORK = {
    "WH-6": "A message is written, and a webhook tells of it",
    "WH-7": "Webhooks are sent as fast as they can be, each with its rows in the log of deliveries",
}


async def measure_delay(bench: Bench) -> Result:
    """WH-6."""
    ground = await bench.ground()
    sessions = [session for session in ground.site.data.sessions if session.is_open]
    async with receiver() as target, _webhooks(ground, target, 1):
        bench.progress.step(f"{EVENTS_PER_SECOND} events a second")
        requests = Marked(marked_messages(ground.site, sessions), first=1)
        outcome = await open_loop(
            ground.server.address, requests, rate=EVENTS_PER_SECOND, seconds=bench.pace.open_seconds
        )
        await target.quiet()
        arrivals, _ = await target.take()
    waits = {each.mark: 1000 * (each.at - requests.sent_at[each.mark]) for each in reversed(arrivals) if each.mark}
    missing = max(0, outcome.answered - len(waits)) + outcome.errors
    spread = spread_of("from request to first byte", list(waits.values()), missing=missing)
    return Result(
        id="WH-6",
        work=WORK["WH-6"],
        figures=[
            Figure(
                name=f"p50 from request to first byte at {EVENTS_PER_SECOND}/s", value=spread.p50, unit="ms", at_most=30
            ),
            Figure(
                name=f"p99 from request to first byte at {EVENTS_PER_SECOND}/s",
                value=spread.p99,
                unit="ms",
                at_most=250,
            ),
            Figure(name="Deliveries that did not come", value=missing, at_most=0),
        ],
        spreads=[spread],
        data_set=str(ground.site.data),
    )


async def measure_rate(bench: Bench) -> Result:
    """WH-7."""
    ground = await bench.ground()
    sessions = [session for session in ground.site.data.sessions if session.is_open]
    messages = bench.pace.deliveries // WEBHOOKS
    async with receiver() as target, _webhooks(ground, target, WEBHOOKS):
        bench.progress.step(f"{bench.pace.deliveries:,} deliveries")
        before = ground.server.cpu_seconds()
        requests = Marked(marked_messages(ground.site, sessions), first=1)
        outcome = await open_loop(ground.server.address, requests, rate=messages, seconds=1, connections=AT_ONCE)
        count = await target.quiet()
        spent = ground.server.cpu_seconds().since(before)
        arrivals, bodies = await target.take()
        if not count:
            raise NothingCame("no delivery came")
        seconds = max(each.at for each in arrivals) - min(requests.sent_at.values())
        bench.progress.step("yardstick: a bare client")
        yardstick = await poster.post(target.url(), bodies, seconds=bench.pace.round_seconds, at_once=AT_ONCE)
    rate = count / seconds
    return Result(
        id="WH-7",
        work=WORK["WH-7"],
        figures=[
            Figure(name="Share of the yardstick", value=100 * rate / yardstick, unit="%", at_least=25),
            Figure(name="Deliveries in a second", value=rate),
            Figure(name="Yardstick: requests of a bare client in a second", value=yardstick),
            Figure(name="CPU time of a delivery in the application", value=1e6 * spent.application / count, unit="µs"),
            Figure(name="CPU time of a delivery in PostgreSQL", value=1e6 * spent.database / count, unit="µs"),
            Figure(
                name="Deliveries that did not come",
                value=max(0, outcome.answered * WEBHOOKS - count) + outcome.errors,
                at_most=0,
            ),
        ],
        data_set=f"{count:,} deliveries of {outcome.answered:,} messages to {WEBHOOKS} webhooks",
    )


@asynccontextmanager
async def _webhooks(ground: Ground, target: Receiver, how_many: int) -> AsyncGenerator[None]:
    """So many webhooks that hear of messages, for as long as the block runs."""
    site, server = ground.site, ground.server
    path = f"{site.path}/webhooks"
    made: list[int] = []
    try:
        for number in range(how_many):
            body = {"url": target.url(f"/{number}"), "subscriptions": ["message_created"]}
            answer = await server.call("POST", path, token=site.token, json=body)
            made.append(answer["payload"]["webhook"]["id"])
        yield
    finally:
        for webhook_id in made:
            await server.call("DELETE", f"{path}/{webhook_id}", token=site.token)


MEASUREMENTS: Sequence[Measurement] = (
    Measurement("WH-6", WORK["WH-6"], measure_delay),
    Measurement("WH-7", WORK["WH-7"], measure_rate),
)
