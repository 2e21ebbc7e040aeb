"""What becomes of a block at its end, and what is said while PostgreSQL cannot be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from harness import PATIENCE_SECONDS, World

from criachat.kit.db import Database
from criachat.kit.errors import Unavailable

# Nobody can be connected to there, and the system says so itself.
BROADCAST = "postgresql://nobody@255.255.255.255:5432/nowhere"
PID = "SELECT pg_backend_pid()"
END = "SELECT pg_terminate_backend($1)"
WRITE = "INSERT INTO notes (text) VALUES ($1)"
READ = "SELECT text FROM notes"


async def test_a_host_that_the_network_does_not_lead_to_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Database(BROADCAST).open()


@pytest.fixture
async def database(world: World) -> AsyncIterator[Database]:
    """One connection, and a table that lasts as long as it."""
    database = Database(world.parts.database.url, size=1)
    await database.open()
    async with database.transaction() as tx:
        await tx.execute("CREATE TEMPORARY TABLE notes (text text NOT NULL)")
    yield database
    await database.close()


async def test_a_block_that_fails_is_undone_wakes_nobody_and_gives_its_connection_back(database: Database) -> None:
    woken: list[str] = []
    database.wake = lambda topic, _part="": woken.append(topic)

    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute(WRITE, "lost")
            tx.wake("notes")
            raise LookupError("nothing here")

    with pytest.raises(LookupError, match="nothing here"):
        await fail()
    async with database.reading() as db:
        kept = await db.fetch_values(READ)

    assert (kept, woken) == ([], [])


async def test_sleepers_are_woken_when_what_they_are_woken_for_is_there_and_its_connection_free(
    database: Database,
) -> None:
    seen: list[asyncio.Task[list[str]]] = []

    async def look() -> list[str]:
        async with database.reading() as db:
            return await db.fetch_values(READ)

    database.wake = lambda _topic, _part="": seen.append(asyncio.create_task(look()))
    async with database.transaction() as tx:
        await tx.execute(WRITE, "first")
        tx.wake("notes")
        woken_inside = len(seen)

    assert woken_inside == 0
    assert [await each for each in seen] == [["first"]]


async def test_a_transaction_whose_server_goes_before_its_commit_is_unavailable_and_wakes_nobody(
    world: World, database: Database
) -> None:
    woken: list[str] = []
    database.wake = lambda topic, _part="": woken.append(topic)

    async with database.reading() as db:
        pid = await db.fetch_value(PID)

    async def write_and_lose() -> None:
        async with database.transaction() as tx:
            await tx.execute(WRITE, "lost")
            tx.wake("notes")
            async with world.parts.database.reading() as db:
                await db.fetch_value(END, pid)

    with pytest.raises(Unavailable):
        await write_and_lose()
    async with database.reading() as db:
        another = await db.fetch_value(PID)

    assert another != pid
    assert woken == []


async def test_a_connection_whose_transaction_was_cancelled_is_not_lent_again(database: Database) -> None:
    async with database.reading() as db:
        pid = await db.fetch_value(PID)
    has_written = asyncio.Event()

    async def write_and_wait() -> None:
        async with database.transaction() as tx:
            await tx.execute(WRITE, "lost")
            has_written.set()
            await asyncio.Event().wait()

    writing = asyncio.create_task(write_and_wait())
    await asyncio.wait_for(has_written.wait(), PATIENCE_SECONDS)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with database.reading() as db:
        another = await db.fetch_value(PID)

    assert another != pid


async def test_a_value_that_cannot_be_sent_stays_an_error_of_ours_and_its_connection_is_lent_again(
    database: Database,
) -> None:
    async with database.reading() as db:
        pid = await db.fetch_value(PID)

    with pytest.raises(asyncpg.DataError):
        async with database.transaction() as tx:
            await tx.execute(WRITE, 7)
    async with database.reading() as db:
        again = await db.fetch_value(PID)

    assert again == pid
