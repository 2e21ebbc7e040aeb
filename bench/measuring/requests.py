"""LD-1, LD-1b, LD-2, LD-3: requests, each beside what PostgreSQL alone needs for the same."""

from __future__ import annotations

from collections.abc import Iterator

from bench import pgbench
from bench.bare import bare, read_script
from bench.inside import statements_of
from bench.load import Outcome, closed_loop, open_loop, together
from bench.measuring.measurement import Measurement
from bench.pgbench import Yardstick
from bench.results import Figure, Load, Result, load_of
from bench.running import Bench, Ground
from bench.server import Cpu
from bench.site import connection_to, incoming, messages, pages, threads

MEGABYTE = 2**20
WRITES_PER_SECOND = 300
PAGES_PER_SECOND = 50

COUNT_KEPT = """
SELECT count(*) FROM messages
WHERE account_id = $1 AND id > $2 AND message_type IN (0, 1) AND EXISTS (
    SELECT FROM events
    WHERE events.account_id = $1 AND events.name = 'message_created' AND events.message_id = messages.id
      AND events.created_at >= now() - interval '1 hour'
)
"""
FIND_NEWEST = "SELECT coalesce(max(id), 0) FROM messages WHERE account_id = $1"


async def measure_writes(bench: Bench) -> Result:
    """LD-1."""
    ground = await bench.ground()
    site = ground.site
    path = f"{site.path}/conversations/{site.data.first_display_id}/messages"
    statements = await statements_of(ground.server, "POST", path, token=site.token, json={"content": "Olá!"})
    return await _measure_writes(bench, ground, messages(site), statements, id_="LD-1")


async def measure_incoming(bench: Bench) -> Result:
    """LD-1b."""
    ground = await bench.ground()
    site = ground.site
    session = next(session for session in site.data.sessions if session.is_open)
    contact = f"/public/api/v1/inboxes/{site.inboxes[session.inbox_id]}/contacts/{session.source_id}"
    path = f"{contact}/conversations/{session.display_id}/messages"
    statements = await statements_of(ground.server, "POST", path, json={"content": "Olá!"})
    return await _measure_writes(bench, ground, incoming(site), statements, id_="LD-1b")


async def measure_threads(bench: Bench) -> Result:
    """LD-2."""
    ground = await bench.ground()
    site = ground.site
    path = f"{site.path}/conversations/{site.data.first_display_id}/messages"
    statements = await statements_of(ground.server, "GET", path, token=site.token)
    load = await in_turns(bench, ground, threads(site), "thread.sql", statements=statements)
    return Result(
        id="LD-2",
        work=WORK["LD-2"],
        figures=[
            _share(load, at_least=10),
            Figure(name="Round trips to the database", value=statements, at_most=2),
            _errors(load),
            await _bare_share(bench, ground, load, threads(site), "thread.sql"),
        ],
        loads=[load],
        data_set=str(site.data),
    )


async def measure_pages(bench: Bench) -> Result:
    """LD-3."""
    ground = await bench.ground()
    site = ground.site
    path = f"{site.path}/conversations?status=open&assignee_type=all&page=1"
    statements = await statements_of(ground.server, "GET", path, token=site.token)
    load = await in_turns(bench, ground, pages(site), "page.sql", statements=statements)
    steady = await at_rate(bench, ground, pages(site), PAGES_PER_SECOND)
    return Result(
        id="LD-3",
        work=WORK["LD-3"],
        figures=[
            _share(load, at_least=15),
            Figure(name="Statements", value=statements, at_most=2),
            Figure(name=f"p95 at {PAGES_PER_SECOND}/s", value=steady.p95, unit="ms", at_most=60),
            _errors(load, steady),
            await _bare_share(bench, ground, load, pages(site), "page.sql"),
        ],
        loads=[load, steady],
        data_set=str(site.data),
    )


async def in_turns(
    bench: Bench, ground: Ground, requests: Iterator[bytes], script: str, *, statements: float | None = None
) -> Load:
    """The load and its yardstick in turns, so that what else happens on the machine meets both."""
    outcomes: list[Outcome] = []
    yardsticks: list[Yardstick] = []
    spent = Cpu(0, 0)
    pace = bench.pace
    for number in range(1, pace.rounds + 1):
        bench.progress.step(f"{pgbench.name_of(script)}, round {number} of {pace.rounds}")
        yardsticks.append(await pgbench.run(script, ground.url, seconds=pace.round_seconds, variables=ground.variables))
        bench.progress.step(f"criachat, round {number} of {pace.rounds}")
        before = ground.server.cpu_seconds()
        outcomes.append(
            await closed_loop(ground.server.address, requests, seconds=pace.round_seconds, warm_up=pace.warm_up_seconds)
        )
        spent = spent.plus(ground.server.cpu_seconds().since(before))
    load = load_of(
        "closed loop, 16 connections", together(outcomes), spent=spent, yardstick=pgbench.together(yardsticks)
    )
    return load.with_cost(statements=statements, memory_mb=ground.server.proportional_bytes() / MEGABYTE)


async def at_rate(bench: Bench, ground: Ground, requests: Iterator[bytes], rate: float) -> Load:
    """So many in a second, whether they are answered in time or not."""
    bench.progress.step(f"criachat at {rate:.0f}/s")
    before = ground.server.cpu_seconds()
    outcome = await open_loop(
        ground.server.address,
        requests,
        rate=rate,
        seconds=bench.pace.open_seconds,
        warm_up=bench.pace.warm_up_seconds,
    )
    return load_of(f"open loop, {rate:.0f}/s", outcome, spent=ground.server.cpu_seconds().since(before))


async def _measure_writes(
    bench: Bench, ground: Ground, requests: Iterator[bytes], statements: float, *, id_: str
) -> Result:
    account_id = ground.site.account_id
    async with connection_to(ground.server) as connection:
        newest = await connection.fetchval(FIND_NEWEST, account_id)
    load = await in_turns(bench, ground, requests, "write.sql", statements=statements)
    steady = await at_rate(bench, ground, requests, WRITES_PER_SECOND)
    async with connection_to(ground.server) as connection:
        kept = await connection.fetchval(COUNT_KEPT, account_id, newest)
    return Result(
        id=id_,
        work=WORK[id_],
        figures=[
            _share(load, at_least=35),
            Figure(name="Round trips to the database", value=statements, at_most=3),
            Figure(name=f"p99 at {WRITES_PER_SECOND}/s", value=steady.p99, unit="ms", at_most=80),
            Figure(name="Messages answered but not kept, or without event", value=_lost(load, steady, kept), at_most=0),
            _errors(load, steady),
            await _bare_share(bench, ground, load, requests, "write.sql"),
        ],
        loads=[load, steady],
        data_set=str(ground.site.data),
    )


async def _bare_share(bench: Bench, ground: Ground, load: Load, requests: Iterator[bytes], script: str) -> Figure:
    """What a Python server that does nothing else reaches, asked by the same client."""
    pace = bench.pace
    bench.progress.step(f"a bare Python server for {pgbench.name_of(script)}")
    async with bare(read_script(script, ground.variables), ground.url) as address:
        outcome = await closed_loop(
            address, requests, seconds=pace.rounds * pace.round_seconds, warm_up=pace.warm_up_seconds
        )
    yardstick = load.yardstick.rate if load.yardstick else 0
    return Figure(
        name="Share of the yardstick that bare Python reaches", value=100 * outcome.rate / yardstick, unit="%"
    )


def _lost(load: Load, steady: Load, kept: int) -> int:
    return max(0, load.answered + steady.answered - kept)


def _share(load: Load, *, at_least: float) -> Figure:
    return Figure(name="Share of the yardstick", value=100 * (load.ratio or 0), unit="%", at_least=at_least)


def _errors(*loads: Load) -> Figure:
    return Figure(name="Requests not answered well", value=sum(load.errors for load in loads), at_most=0)


WORK = {
    "LD-1": "An agent's token writes a message: stored with its events and snapshot, and answered",
    "LD-1b": "A contact writes a message through the client API",
    "LD-2": "The newest 20 messages of a conversation are read",
    "LD-3": "A page of 25 open conversations is read, whole objects, with the counts behind the tabs",
}

MEASUREMENTS = (
    Measurement("LD-1", WORK["LD-1"], measure_writes),
    Measurement("LD-1b", WORK["LD-1b"], measure_incoming),
    Measurement("LD-2", WORK["LD-2"], measure_threads),
    Measurement("LD-3", WORK["LD-3"], measure_pages),
)
