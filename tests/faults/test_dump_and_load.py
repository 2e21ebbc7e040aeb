from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from harness import open_folder
from relay_process import CREATE_DIARY, Said, listeners

from criachat.kit import clock, postgres
from criachat.kit.db import Database, Tx
from criachat.kit.epochs import check_epoch
from criachat.kit.events import Cursor, Listeners, catalogue, emit, list_after, present
from criachat.kit.failures import list_failures
from criachat.kit.migrate import migrate
from criachat.kit.partitions import make_partitions
from criachat.kit.postgres import Embedded, binaries
from criachat.kit.relay import Relay

ANA, BRUNO = 1, 2
READ_DIARY = "SELECT words FROM diary WHERE account_id = $1 ORDER BY number"
READ_SEQUENCES = "SELECT sequence FROM diary WHERE account_id = $1 ORDER BY number"
USE_TRANSACTION_IDS = """
DO $$ BEGIN FOR number IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$
"""


@pytest.fixture
def fragile() -> Listeners:
    """A listener that cannot take anything today."""
    listeners = Listeners("fragile")

    @listeners.on(Said)
    async def break_down(_tx: Tx, _events: object) -> None:  # pyright: ignore[reportUnusedFunction]
        raise ValueError("not today")

    return listeners


@asynccontextmanager
async def fresh_server() -> AsyncGenerator[Embedded]:
    with open_folder() as folder:
        server = await postgres.start(folder, tuning={"fsync": "off"})
        yield server
        await server.stop()


@asynccontextmanager
async def opened(server: Embedded) -> AsyncGenerator[Database]:
    database = Database(server.url)
    database.on_connect(check_epoch)
    await database.open()
    yield database
    await database.close()


async def prepare(server: Embedded) -> None:
    database = Database(server.url)
    connection = await database.connect()
    await migrate(connection, also=(check_epoch, make_partitions))
    await connection.close()


async def dump(server: Embedded, file: Path) -> None:
    await run("pg_dump", "--format=custom", "--no-owner", f"--file={file}", server.url)


async def load(server: Embedded, file: Path) -> None:
    await run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={server.url}", str(file))


async def run(program: str, *arguments: str) -> None:
    command = [str(binaries() / program), *arguments]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=120)


async def say(database: Database, *words: str, account_id: int = ANA) -> None:
    async with database.transaction() as tx:
        await emit(tx, *(Said(account_id=account_id, words=word) for word in words))


async def read(database: Database, sql: Any, account_id: int = ANA) -> list[Any]:
    async with database.reading() as db:
        return await db.fetch_values(sql, account_id)


async def said_after(database: Database, cursor: Cursor) -> list[str]:
    async with database.reading() as db:
        records = await list_after(db, ANA, cursor, limit=100)
    events = [catalogue.event_of(record) for record in records]
    return [event.words for event in events if isinstance(event, Said)]


@pytest.mark.promise("EV-6")
async def test_after_a_dump_and_a_load_every_event_is_handled_once_and_cursors_go_on(
    fragile: Listeners, tmp_path: Path
) -> None:
    file = tmp_path / "criachat.dump"
    async with fresh_server() as old_server, fresh_server() as new_server:
        await prepare(old_server)
        async with opened(old_server) as old:
            async with old.transaction() as tx:
                await tx.execute(CREATE_DIARY)
            connection = await old.connect()
            await connection.execute(USE_TRANSACTION_IDS)
            await connection.close()
            relay = Relay(old, [listeners, fragile])
            await say(old, "walked 1", "walked 2")
            await relay.drain()
            async with old.reading() as db:
                cursor = await present(db)
            await say(old, "pending 1")
            await say(old, "pending 2")
            await say(old, "of an account never walked", account_id=BRUNO)
            await dump(old_server, file)
            await say(old, "after the dump: gone for ever")
            async with old.reading() as db:
                cursor_from_the_lost_future = await present(db)

        await load(new_server, file)
        async with opened(new_server) as new:
            await say(new, "new 1")
            await say(new, "new 2", account_id=BRUNO)
            relay = Relay(new, [listeners, fragile])
            await relay.drain()
            await say(new, "new 3")
            await relay.drain()

            assert await read(new, READ_DIARY) == ["walked 1", "walked 2", "pending 1", "pending 2", "new 1", "new 3"]
            assert await read(new, READ_SEQUENCES) == [1, 2, 3, 4, 5, 6]
            assert await read(new, READ_DIARY, BRUNO) == ["of an account never walked", "new 2"]
            assert await said_after(new, cursor) == ["pending 1", "pending 2", "new 1", "new 3"]
            assert await said_after(new, cursor_from_the_lost_future) == ["new 1", "new 3"]
            async with new.reading() as db:
                epochs = await db.fetch_values("SELECT DISTINCT epoch FROM events ORDER BY epoch")
                transactions = await db.fetch_values(
                    "SELECT (max(xid) FILTER (WHERE epoch = 2) < min(xid) FILTER (WHERE epoch = 1)) FROM events"
                )
                failures = await list_failures(db)
            # Otherwise this test would not have tried what it is for.
            assert epochs == [1, 2]
            assert transactions == [True]
            assert len(failures) == 8
            assert {failure.tries for failure in failures} == {1}


@pytest.mark.promise("EV-6")
async def test_what_was_set_aside_before_the_dump_is_tried_again_after_the_load(
    fragile: Listeners, tmp_path: Path
) -> None:
    file = tmp_path / "criachat.dump"
    async with fresh_server() as old_server, fresh_server() as new_server:
        await prepare(old_server)
        async with opened(old_server) as old:
            await say(old, "hard to take")
            await Relay(old, [fragile]).drain()
            await dump(old_server, file)

        await load(new_server, file)
        heard: list[str] = []
        recovered = Listeners("fragile")

        @recovered.on(Said)
        async def break_down(_tx: Tx, events: list[Said]) -> None:  # pyright: ignore[reportUnusedFunction]
            heard.extend(event.words for event in events)

        async with opened(new_server) as new:
            clock.travel(timedelta(seconds=10))
            await Relay(new, [recovered]).retry_failures()
            async with new.reading() as db:
                assert await list_failures(db) == []
        clock.stand_by()

    assert heard == ["hard to take"]
