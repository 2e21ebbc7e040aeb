from __future__ import annotations

import asyncio
from typing import Any

from harness import PATIENCE_SECONDS

from criachat.kit.db import Connection, Database
from criachat.kit.epochs import check_epoch
from criachat.kit.events import Event, declare, emit, list_after, present
from criachat.kit.relay import Relay

ANOTHER_SERVER = "UPDATE event_epoch SET system_identifier = system_identifier - 1"
ANOTHER_TIMELINE = "UPDATE event_epoch SET timeline = timeline + 1"


@declare("epochs_rang")
class Rang(Event, frozen=True, kw_only=True):
    """A bell of these tests rang."""


async def epoch(connection: Connection) -> Any:
    return await connection.fetchval("SELECT epoch FROM event_epoch")


async def test_a_database_without_schema_is_left_alone(fresh_database: str) -> None:
    database = Database(fresh_database)
    database.on_connect(check_epoch)

    connection = await database.connect()

    assert await connection.fetchval("SELECT to_regclass('event_epoch')") is None
    await connection.close()


async def test_a_connection_to_the_same_server_changes_nothing_and_costs_one_statement(migrated: Database) -> None:
    connection = await migrated.connect()
    asked: list[str] = []

    with connection.query_logger(lambda query: asked.append(query.query)):
        await check_epoch(connection)

    assert await epoch(connection) == 1
    assert len(asked) == 1
    await connection.close()


async def test_another_server_or_timeline_begins_the_next_epoch(migrated: Database) -> None:
    connection = await migrated.connect()

    await connection.execute(ANOTHER_SERVER)
    await check_epoch(connection)
    assert await epoch(connection) == 2

    await connection.execute(ANOTHER_TIMELINE)
    await (await migrated.connect()).close()
    assert await epoch(connection) == 3
    await connection.close()


async def test_of_many_connections_at_once_one_begins_the_epoch(migrated: Database) -> None:
    connections = await asyncio.gather(*(migrated.connect() for _ in range(8)))
    await connections[0].execute(ANOTHER_SERVER)

    await asyncio.gather(*(check_epoch(connection) for connection in connections))

    assert await epoch(connections[0]) == 2
    for connection in connections:
        await connection.close()


async def test_the_next_epoch_waits_for_transactions_that_write_in_the_old_one(migrated: Database) -> None:
    connection, onlooker = await migrated.connect(), await migrated.connect()
    await connection.execute(ANOTHER_SERVER)

    async with migrated.transaction() as tx:
        await emit(tx, Rang(account_id=1))
        beginning = asyncio.create_task(check_epoch(connection))
        await until_somebody_waits_for_a_lock(onlooker)
        has_begun = beginning.done()
    await beginning

    assert not has_begun
    assert await epoch(connection) == 2
    await connection.close()
    await onlooker.close()


async def test_events_of_an_older_epoch_come_first_whatever_their_transaction_ids(migrated: Database) -> None:
    connection = await migrated.connect()
    async with migrated.transaction() as tx:
        await emit(tx, Rang(account_id=1), Rang(account_id=1))
    await connection.execute("UPDATE events SET xid = '900000000000'")
    await connection.execute(ANOTHER_SERVER)
    await check_epoch(connection)
    async with migrated.transaction() as tx:
        await emit(tx, Rang(account_id=1))

    await Relay(migrated, []).drain(1)

    async with migrated.reading() as db:
        rows = await connection.fetch("SELECT epoch, xid, id FROM events ORDER BY id")
        cursor = await connection.fetchrow("SELECT epoch, xid, event_id, sequence FROM event_cursors")
        assert [row["epoch"] for row in rows] == [1, 1, 2]
        assert cursor is not None
        assert tuple(cursor) == (*rows[2], 3)
        assert rows[2]["xid"] < rows[0]["xid"]
        assert await list_after(db, 1, await present(db), limit=10) == []
    await connection.close()


async def until_somebody_waits_for_a_lock(onlooker: Connection) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await onlooker.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass
