from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from criachat.kit import clock, partitions
from criachat.kit.db import Connection, Database
from criachat.kit.events import Event, declare, emit
from criachat.kit.partitions import drop_partitions, make_partitions, tend_partitions
from criachat.kit.relay import Relay
from criachat.kit.settings import Settings

SETTINGS = Settings(event_retention_days=10, payload_retention_days=5, attempt_retention_days=20)
A_DELIVERY = UUID(int=1)
INSERT_PAYLOAD = """
INSERT INTO webhook_payloads (account_id, id, day, body) VALUES (1, $1, $2, '{}')
"""
QUEUE_DELIVERY = """
INSERT INTO delivery_queue (account_id, delivery_id, day, target, sequence, due_at)
VALUES (1, $1, $2, 'webhook:1', 1, $2)
"""


@declare("partitions_rang")
class Rang(Event, frozen=True, kw_only=True):
    """A bell of these tests rang."""


@pytest.fixture
async def connection(migrated: Database) -> AsyncIterator[Connection]:
    connection = await migrated.connect()
    yield connection
    await connection.close()


def partition(table: str, *, days: int = 0) -> str:
    return f"{table}_{clock.now() + timedelta(days=days):%Y%m%d}"


async def list_partitions(connection: Connection, table: str) -> set[str]:
    rows = await connection.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass", table
    )
    return {row[0] for row in rows} - {f"{table}_default"}


async def ring(database: Database) -> None:
    async with database.transaction() as tx:
        await emit(tx, Rang(account_id=1))


async def places(connection: Connection) -> list[Any]:
    return [row[0] for row in await connection.fetch("SELECT tableoid::regclass::text FROM events ORDER BY id")]


@pytest.mark.parametrize("table", ["events", "webhook_payloads", "webhook_deliveries", "delivery_attempts"])
async def test_today_and_the_next_days_have_partitions_before_anything_is_written(
    connection: Connection, table: str
) -> None:
    assert await list_partitions(connection, table) == {partition(table, days=days) for days in range(4)}


async def test_events_land_in_the_partition_of_their_day(migrated: Database, connection: Connection) -> None:
    await ring(migrated)
    clock.travel(timedelta(days=3))
    await ring(migrated)

    assert await places(connection) == [partition("events", days=-3), partition("events")]


async def test_rows_with_payloads_are_compressed_only_when_they_do_not_fit_a_page(connection: Connection) -> None:
    rows = await connection.fetch("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND relispartition")
    options = {row["relname"]: row["reloptions"] for row in rows}

    assert options[partition("events")] == options["events_default"] == ["toast_tuple_target=8160"]
    assert options[partition("webhook_payloads")] == ["toast_tuple_target=8160"]


async def test_making_them_again_changes_nothing(connection: Connection) -> None:
    before = await list_partitions(connection, "events")

    await make_partitions(connection)

    assert await list_partitions(connection, "events") == before


async def test_two_processes_make_them_at_once(migrated: Database, connection: Connection) -> None:
    others = await asyncio.gather(*(migrated.connect() for _ in range(3)))
    clock.travel(timedelta(days=30))

    await asyncio.gather(*(make_partitions(other) for other in others))

    made = {partition("events", days=days) for days in range(4)}
    assert made <= await list_partitions(connection, "events")
    for other in others:
        await other.close()


async def test_rows_in_the_default_partition_are_moved_to_their_days(
    migrated: Database, connection: Connection
) -> None:
    clock.travel(timedelta(days=20))
    await ring(migrated)
    clock.travel(timedelta(days=1))
    await ring(migrated)
    before = await connection.fetch("SELECT * FROM events ORDER BY id")
    assert await places(connection) == ["events_default"] * 2

    await make_partitions(connection)

    assert await places(connection) == [partition("events", days=-1), partition("events")]
    assert await connection.fetch("SELECT * FROM events ORDER BY id") == before


async def test_days_past_their_time_are_dropped_and_younger_ones_stay(
    migrated: Database, connection: Connection
) -> None:
    await ring(migrated)
    await connection.execute(INSERT_PAYLOAD, A_DELIVERY, clock.now())
    await Relay(migrated, []).drain()

    clock.travel(timedelta(days=5))
    assert await drop_partitions(connection, SETTINGS) == []
    clock.travel(timedelta(days=1))
    assert await drop_partitions(connection, SETTINGS) == [partition("webhook_payloads", days=-6)]
    clock.travel(timedelta(days=5))
    dropped = await drop_partitions(connection, SETTINGS)

    assert dropped[0] == partition("events", days=-11)
    assert [name for name in dropped if "attempts" in name] == []
    assert await connection.fetchval("SELECT count(*) FROM events") == 0
    assert await connection.fetchval("SELECT to_regclass($1)", partition("events", days=-11)) is None
    assert await connection.fetchval("SELECT to_regclass($1)", partition("events", days=-10)) is not None


async def test_events_that_were_not_handed_over_stay_and_somebody_is_told(
    migrated: Database, connection: Connection
) -> None:
    relay = Relay(migrated, [])
    await ring(migrated)
    name = partition("events")
    clock.travel(timedelta(days=11))

    with capture_logs() as logs:
        dropped = await drop_partitions(connection, SETTINGS)
    await relay.drain()
    dropped_later = await drop_partitions(connection, SETTINGS)

    assert name not in dropped
    assert [entry["day"] for entry in logs if entry["event"] == "partition_still_needed"] == [
        (clock.now() - timedelta(days=11)).date().isoformat()
    ]
    assert dropped_later == [name]


async def test_payloads_of_deliveries_still_to_be_made_stay(connection: Connection) -> None:
    await connection.execute(INSERT_PAYLOAD, A_DELIVERY, clock.now())
    await connection.execute(QUEUE_DELIVERY, A_DELIVERY, clock.now())
    name = partition("webhook_payloads")
    clock.travel(timedelta(days=6))

    kept = name not in await drop_partitions(connection, SETTINGS)
    await connection.execute("DELETE FROM delivery_queue")

    assert kept
    assert name in await drop_partitions(connection, SETTINGS)


async def test_a_drop_that_was_interrupted_is_finished_the_next_time(connection: Connection) -> None:
    name = partition("webhook_payloads")
    await connection.execute(f"ALTER TABLE webhook_payloads DETACH PARTITION {name}")
    clock.travel(timedelta(days=6))

    dropped = await drop_partitions(connection, SETTINGS)

    assert name in dropped
    assert await connection.fetchval("SELECT to_regclass($1)", name) is None


async def test_a_reader_in_the_way_is_waited_for_briefly_and_the_day_goes_another_time(
    migrated: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "TRIES", 1)
    name = partition("webhook_payloads")
    clock.travel(timedelta(days=6))

    async with migrated.transaction() as tx:
        await tx.execute("LOCK TABLE webhook_payloads IN ACCESS SHARE MODE")
        with capture_logs() as logs:
            dropped = await drop_partitions(connection, SETTINGS)

    assert name not in dropped
    assert "partition_busy" in [entry["event"] for entry in logs]
    assert name in await drop_partitions(connection, SETTINGS)


async def test_the_daily_round_makes_and_drops(migrated: Database, connection: Connection) -> None:
    old = partition("webhook_payloads")
    clock.travel(timedelta(days=6))

    await tend_partitions(migrated, SETTINGS)

    assert old not in await list_partitions(connection, "webhook_payloads")
    assert partition("webhook_payloads", days=3) in await list_partitions(connection, "webhook_payloads")
