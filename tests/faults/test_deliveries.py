"""What was said is delivered, whoever dies: WH-3, WH-5, CH-1."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import msgspec
import pytest
from site_of_faults import Caller, Site, scaled, standing

Record = Callable[[str, object], None]

MESSAGES = 20_000
# Those of one conversation wait for each other, so many go on beside one another.
CONVERSATIONS = 2_000
KILL_EVERY_SECONDS = 5.0
# Workers that come later live later, each when all that failed before is due again, in hours.
LATER = (0.003, 0.12, 0.75, 3.5, 10, 23, 41, 66, 96)
GOOD, PER_SECOND = 49, 200
STATUSES = """
SELECT status, count(*)::int AS count FROM webhook_deliveries WHERE account_id = $1 GROUP BY status
"""
IS_DUE = "SELECT EXISTS (SELECT FROM delivery_queue WHERE account_id = $1 AND due_at <= now() + $2::interval)"
IS_TRIED = """
SELECT NOT EXISTS (SELECT FROM delivery_queue WHERE account_id = $1 AND tries = 0)
    AND (SELECT count(*) FROM webhook_deliveries WHERE account_id = $1) >= $2
"""
LONGEST_LEASE = """
SELECT coalesce(max(extract(epoch FROM leased_until - now())), 0)::float FROM delivery_queue WHERE account_id = $1
"""


class Standing(msgspec.Struct, frozen=True):
    """How many deliveries stand like this."""

    status: str
    count: int


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with standing() as site:
        yield site


@pytest.mark.promise("WH-3")
async def test_every_event_is_delivered_or_seen_to_be_exhausted(site: Site, record_property: Record) -> None:
    site.receiver.fails = 0.3
    await site.web()
    async with site.calling() as caller:
        await caller.webhook(site.receiver.url, "message_created")
        conversations = await _conversations(caller, scaled(CONVERSATIONS, at_least=40))
        saying = asyncio.create_task(_say(caller, conversations, scaled(MESSAGES)))
        restarts = 0
        while not saying.done() or not await _is_tried(site, scaled(MESSAGES)):
            worker = await site.worker()
            await asyncio.sleep(KILL_EVERY_SECONDS)
            if restarts < 2:
                await site.restart_database()
                restarts += 1
            await site.kill(worker)
        said = await saying
    for hours in LATER:
        await _live(site, timedelta(hours=hours))

    statuses = await _statuses(site)
    exhausted = statuses.get("exhausted", 0)
    received = site.receiver.contents
    repeated = sum(len(bodies) - 1 for bodies in site.receiver.received.values())
    record_property("events", len(said))
    record_property("tries", site.receiver.tried)
    record_property("received again under the same id", repeated)
    record_property("exhausted", exhausted)
    assert restarts == 2
    assert set(statuses) <= {"delivered", "exhausted"}
    assert sum(statuses.values()) == len(said)
    assert len(received) == len(set(received)) == len(said) - exhausted
    assert set(received) <= set(said)


@pytest.mark.promise("CH-1")
async def test_deliveries_go_on_though_their_worker_is_killed_again_and_again(
    site: Site, record_property: Record
) -> None:
    await site.web()
    async with site.calling() as caller:
        await caller.webhook(site.receiver.url, "message_created")
        conversations = await _conversations(caller, scaled(CONVERSATIONS, at_least=40))
        seconds, said, killed = scaled(300, at_least=10), list[str](), 0
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            worker = await site.worker()
            said += await _say(caller, conversations, 100, first=len(said))
            await asyncio.sleep(3)
            assert await _longest_lease(site) <= 60
            await site.kill(worker)
            killed += 1
        worker = await site.worker()
        await _until_received(site, len(said), within=75)
        await site.kill(worker)

    record_property("events", len(said))
    record_property("workers killed", killed)
    assert sorted(site.receiver.contents) == sorted(said)


@pytest.mark.promise("WH-5")
async def test_one_receiver_that_hangs_keeps_nobody_else_waiting(site: Site, record_property: Record) -> None:
    await site.web()
    async with site.calling() as caller:
        paths = ["/hanging", *(f"/good/{number}" for number in range(GOOD))]
        site.receiver.hanging = {"/hanging"}
        conversations = [
            await caller.conversation(await caller.inbox(webhook_url=site.receiver.url + path)) for path in paths
        ]
        worker = await site.worker()
        # The time that a worker takes to start is not what is promised here.
        (hello,) = await _say(caller, conversations[1:2], 1)
        await _until_received(site, 1, within=120)
        said_at = await _say_steadily(caller, conversations, scaled(4_000, at_least=500))
        good = {content for content in said_at if not content.startswith(f"{conversations[0]}/")}
        await _until_received(site, len(good) + 1, within=120)
        await site.kill(worker)

    waited = sorted(
        site.receiver.came_at[delivery] - said_at[bodies[0]["content"]]
        for delivery, bodies in site.receiver.received.items()
        if bodies[0]["content"] != hello
    )
    p99 = waited[int(len(waited) * 0.99)]
    record_property("deliveries to good receivers", len(waited))
    record_property("ms from request to arrival, p99", round(p99 * 1000))
    assert set(site.receiver.contents) == {hello, *good}
    assert p99 < 2


async def _conversations(caller: Caller, count: int) -> list[int]:
    inbox = await caller.inbox()
    return [await caller.conversation(inbox) for _ in range(count)]


async def _say(caller: Caller, conversations: Sequence[int], count: int, *, first: int = 0) -> list[str]:
    """So many messages, each said until it is acknowledged; what they were."""
    numbers = iter(range(first, first + count))
    said: list[str] = []

    async def one_after_the_other() -> None:
        for number in numbers:
            content = f"message {number}"
            conversation = conversations[number % len(conversations)]
            body = {"content": content, "client_message_id": content}
            while (await caller.post(f"/conversations/{conversation}/messages", body)).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            said.append(content)

    await asyncio.gather(*(one_after_the_other() for _ in range(8)))
    return said


async def _say_steadily(caller: Caller, conversations: Sequence[int], count: int) -> dict[str, float]:
    """So many a second whether they are answered or not; when each was said."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    said_at: dict[str, float] = {}

    async def say(conversation: int, content: str) -> None:
        said_at[content] = loop.time()
        answer = await caller.post(f"/conversations/{conversation}/messages", {"content": content})
        assert answer.status == 200, answer.body

    async with asyncio.TaskGroup() as sayings:
        for number in range(count):
            await asyncio.sleep(max(started + number / PER_SECOND - loop.time(), 0))
            conversation = conversations[number % len(conversations)]
            sayings.create_task(say(conversation, f"{conversation}/{number}"))
    return said_at


async def _live(site: Site, ahead: timedelta) -> None:
    """Have a worker of a later time send what is due then."""
    worker = await site.worker(ahead_seconds=ahead.total_seconds())
    async with asyncio.timeout(300), site.database.reading() as db:
        while await db.fetch_value(IS_DUE, site.account_id, ahead):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.2)
    await site.kill(worker)


async def _is_tried(site: Site, count: int) -> bool:
    async with site.database.reading() as db:
        return await db.fetch_value(IS_TRIED, site.account_id, count)


async def _statuses(site: Site) -> dict[str, int]:
    async with site.database.reading() as db:
        return {each.status: each.count for each in await db.fetch_all(Standing, STATUSES, site.account_id)}


async def _longest_lease(site: Site) -> float:
    async with site.database.reading() as db:
        return await db.fetch_value(LONGEST_LEASE, site.account_id)


async def _until_received(site: Site, count: int, *, within: float) -> None:
    async with asyncio.timeout(within):
        while len(site.receiver.received) < count:  # noqa: ASYNC110 - other processes send
            await asyncio.sleep(0.1)
