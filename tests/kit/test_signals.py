from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from harness import PATIENCE_SECONDS

from criachat.kit import postgres
from criachat.kit.signals import CHANNEL, MessageTooLong, PostgresSignals, Signals

Connect: TypeAlias = "Callable[[], Awaitable[asyncpg.Connection[Any]]]"


class Heard:
    """Remembers what one topic was told, and can be waited for."""

    def __init__(self, signals: Signals, topic: str) -> None:
        self.messages: list[bytes] = []
        self._news = asyncio.Event()
        signals.subscribe(topic, self.hear)

    def hear(self, message: bytes) -> None:
        self.messages.append(message)
        self._news.set()

    async def until(self, is_enough: Callable[[list[bytes]], bool]) -> list[bytes]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_enough(self.messages):
                self._news.clear()
                await self._news.wait()
        return self.messages

    async def count(self, count: int) -> list[bytes]:
        return await self.until(lambda messages: len(messages) >= count)


@asynccontextmanager
async def a_process(connect: Connect) -> AsyncIterator[PostgresSignals]:
    signals = PostgresSignals(connect)
    await signals.open()
    try:
        yield signals
    finally:
        await signals.close()


@pytest.fixture
def connect(fresh_database: str) -> Connect:
    return lambda: asyncpg.connect(fresh_database)


async def pass_a_marker(sender: Signals, hearer: Heard) -> None:
    """What was sent before the marker has arrived when the marker has."""
    await sender.publish("marker", b"marker")
    await hearer.until(lambda messages: b"marker" in messages)


async def test_a_message_reaches_the_subscribers_of_its_topic_before_publish_returns() -> None:
    signals = Signals()
    typing, presence = Heard(signals, "typing:1"), Heard(signals, "presence")

    await signals.publish("typing:1", b"Ana")

    assert typing.messages == [b"Ana"]
    assert presence.messages == []


async def test_a_burst_of_wake_ups_is_one_message_naming_its_parts() -> None:
    signals = Signals()
    events, jobs = Heard(signals, "events"), Heard(signals, "jobs")

    for account_id in ("2", "1", "2"):
        signals.wake("events", account_id)
    signals.wake("jobs")

    assert await jobs.count(1) == [b""]
    assert events.messages == [b"1 2"]


async def test_a_wake_up_without_a_part_or_with_too_many_stands_for_all() -> None:
    signals = Signals()
    events, deliveries = Heard(signals, "events"), Heard(signals, "deliveries")

    signals.wake("events", "1")
    signals.wake("events")
    for account_id in range(1000):
        signals.wake("deliveries", str(account_id))

    assert await deliveries.count(1) == [b""]
    assert events.messages == [b""]


async def test_whoever_unsubscribed_hears_nothing() -> None:
    signals = Signals()
    heard = Heard(signals, "presence")
    signals.unsubscribe("presence", heard.hear)

    await signals.publish("presence", b"Ana")

    assert heard.messages == []


async def test_a_callback_that_fails_does_not_silence_the_others() -> None:
    signals = Signals()
    signals.subscribe("presence", lambda _: 1 // 0)  # pyright: ignore[reportArgumentType]
    heard = Heard(signals, "presence")

    await signals.publish("presence", b"Ana")

    assert heard.messages == [b"Ana"]


async def test_a_message_too_long_for_the_bus_is_refused() -> None:
    with pytest.raises(MessageTooLong):
        await Signals().publish("presence", b"x" * 5_000)


async def test_messages_reach_other_processes_in_order_and_our_own_once(connect: Connect) -> None:
    async with a_process(connect) as web, a_process(connect) as worker:
        ours, theirs = Heard(web, "typing:1"), Heard(worker, "typing:1")
        sent = [f"message {number}".encode() for number in range(300)]

        for message in sent:
            await web.publish("typing:1", message)

        assert await theirs.count(300) == sent
        back = Heard(web, "marker")
        await pass_a_marker(worker, back)
        assert ours.messages == sent


async def test_any_bytes_and_the_longest_message_arrive_as_they_were(connect: Connect) -> None:
    async with a_process(connect) as web, a_process(connect) as worker:
        heard = Heard(worker, "presence")
        sent = [bytes(range(256)), b"", b"\0", b"\xff" * 4_990, b"\xff" * 4_990]

        for message in sent:
            await web.publish("presence", message)

        assert await heard.count(len(sent)) == sent


async def test_a_process_is_not_woken_twice_by_its_own_wake_up(connect: Connect) -> None:
    async with a_process(connect) as web, a_process(connect) as worker:
        ours, theirs, marker = Heard(web, "events"), Heard(worker, "events"), Heard(web, "marker")

        web.wake("events", "17")
        await theirs.count(1)
        await pass_a_marker(worker, marker)

        assert ours.messages == theirs.messages == [b"17"]


async def test_a_burst_of_wake_ups_becomes_few_notifications(connect: Connect) -> None:
    notifications: list[object] = []
    listener = await connect()
    await listener.add_listener(CHANNEL, lambda *arguments: notifications.append(arguments[-1]))
    async with a_process(connect) as web, a_process(connect) as worker:
        heard, marker = Heard(worker, "events"), Heard(worker, "marker")

        for number in range(5_000):
            web.wake("events", str(number % 7))
            if number % 100 == 0:
                await asyncio.sleep(0)
        await pass_a_marker(web, marker)

        assert {part for message in heard.messages for part in message.split()} == {b"%d" % n for n in range(7)}
        assert len(heard.messages) <= 50
    await listener.close()
    assert len(notifications) <= 50


async def test_it_heals_when_its_connections_are_cut_and_says_that_something_may_be_missing(
    connect: Connect, fresh_database: str
) -> None:
    async with a_process(connect) as web, a_process(connect) as worker:
        heard, resynced = Heard(worker, "events"), asyncio.Event()
        worker.on_resync(resynced.set)

        await cut_all(fresh_database)
        web.wake("events", "17")

        await asyncio.wait_for(resynced.wait(), PATIENCE_SECONDS)
        web.wake("events", "18")
        await heard.until(lambda messages: any(b"18" in message.split() for message in messages))


async def test_wake_ups_of_a_cut_connection_are_sent_on_the_next_one(connect: Connect, fresh_database: str) -> None:
    made: list[asyncpg.Connection[Any]] = []

    async def connect_and_remember() -> asyncpg.Connection[Any]:
        made.append(await connect())
        return made[-1]

    async with a_process(connect) as worker, a_process(connect_and_remember) as web:
        heard = Heard(worker, "events")
        web.wake("events", "16")
        await heard.count(1)
        pids = [connection.get_server_pid() for connection in made]
        await cut(fresh_database, pids)

        web.wake("events", "17")

        await heard.until(lambda messages: b"17" in messages)


async def test_it_heals_when_the_server_restarts(server_folder: Path) -> None:
    server = await postgres.start(server_folder)
    url = server.url

    async with a_process(lambda: asyncpg.connect(url)) as web, a_process(lambda: asyncpg.connect(url)) as worker:
        heard, resynced = Heard(worker, "events"), asyncio.Event()
        worker.on_resync(resynced.set)
        await server.stop()
        web.wake("events", "17")
        server = await postgres.start(server_folder)

        await asyncio.wait_for(resynced.wait(), PATIENCE_SECONDS)
        web.wake("events", "18")
        await heard.until(lambda messages: any(b"18" in message.split() for message in messages))

    await server.stop()


async def test_whatever_goes_wrong_while_connecting_is_tried_again(connect: Connect) -> None:
    failures = [asyncpg.InternalClientError("cut while connecting"), ConnectionRefusedError(), KeyError("bug")] * 2

    async def connect_at_last() -> asyncpg.Connection[Any]:
        if failures:
            raise failures.pop()
        return await connect()

    async with a_process(connect) as worker, a_process(connect_at_last) as web:
        heard = Heard(worker, "events")
        web.wake("events", "17")

        assert await heard.count(1) == [b"17"]


async def test_closing_sends_what_was_waiting(connect: Connect) -> None:
    async with a_process(connect) as worker:
        heard = Heard(worker, "events")

        async with a_process(connect) as web:
            web.wake("events", "17")

        assert await heard.count(1) == [b"17"]


async def test_foreign_notifications_are_passed_over(connect: Connect) -> None:
    async with a_process(connect) as web, a_process(connect) as worker:
        heard = Heard(worker, "marker")
        stranger = await connect()
        await stranger.execute("SELECT pg_notify('criachat', 'not ours')")
        await stranger.close()

        await pass_a_marker(web, heard)

        assert heard.messages == [b"marker"]


async def cut_all(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def cut(url: str, pids: list[int]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid", pids)
    await connection.close()
