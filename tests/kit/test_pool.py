"""Connections are lent to one borrower at a time, and what went wrong for one does not go wrong for the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from harness import PATIENCE_SECONDS, World

from criachat.kit.db import Database
from criachat.kit.errors import Unavailable
from criachat.kit.pool import Pool

PID = "SELECT pg_backend_pid()"
SLEEPS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT 13 %' AND wait_event = 'PgSleep'"
END = "SELECT pg_terminate_backend($1)"

MakePool = Callable[..., Pool]


@pytest.fixture
async def make_pool(world: World) -> AsyncIterator[MakePool]:
    made: list[Pool] = []

    def make(**chosen: Any) -> Pool:
        made.append(Pool(world.parts.database.connect, **chosen))
        return made[-1]

    yield make
    for pool in made:
        await pool.close()


async def test_what_came_back_last_goes_out_first(make_pool: MakePool) -> None:
    pool = make_pool(size=3)
    first, second = await pool.borrow(), await pool.borrow()

    pool.give_back(second)
    pool.give_back(first)

    assert await pool.borrow() is first
    assert await pool.borrow() is second
    pool.give_back(first)
    pool.give_back(second)


async def test_whoever_comes_when_all_are_lent_waits_for_the_first_that_comes_back(make_pool: MakePool) -> None:
    pool = make_pool(size=1)
    connection = await pool.borrow()

    waiting = [asyncio.create_task(pool.borrow()) for _ in range(2)]
    await asyncio.sleep(0)
    pool.give_back(connection)

    assert await waiting[0] is connection
    assert not waiting[1].done()
    pool.give_back(connection)
    assert await waiting[1] is connection
    pool.give_back(connection)


async def test_whoever_waits_too_long_is_told_so_and_takes_no_place_with_them(make_pool: MakePool) -> None:
    pool = make_pool(size=1, patience_seconds=0.05)
    connection = await pool.borrow()

    with pytest.raises(TimeoutError):
        await pool.borrow()
    pool.give_back(connection)

    assert await pool.borrow() is connection
    pool.give_back(connection)


async def test_a_cancelled_wait_takes_no_place_with_it(make_pool: MakePool) -> None:
    pool = make_pool(size=1)
    connection = await pool.borrow()

    waiting = [asyncio.create_task(pool.borrow()) for _ in range(3)]
    await asyncio.sleep(0)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    pool.give_back(connection)

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await pool.borrow() is connection
    pool.give_back(connection)


async def test_a_place_that_comes_to_somebody_who_just_left_goes_to_the_next(make_pool: MakePool) -> None:
    pool = make_pool(size=1)
    connection = await pool.borrow()

    leaving, waiting = [asyncio.create_task(pool.borrow()) for _ in range(2)]
    await asyncio.sleep(0)
    pool.give_back(connection)
    leaving.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
        given = await waiting

    assert given is connection
    assert leaving.cancelled()
    pool.give_back(connection)
    assert await pool.borrow() is connection
    pool.give_back(connection)


async def test_whoever_comes_as_one_comes_back_stands_behind_those_who_wait(make_pool: MakePool) -> None:
    pool = make_pool(size=1, patience_seconds=0.05)
    connection = await pool.borrow()

    waiting = asyncio.create_task(pool.borrow())
    await asyncio.sleep(0)
    pool.give_back(connection)
    with pytest.raises(TimeoutError):
        await pool.borrow()

    assert await waiting is connection
    pool.give_back(connection)


async def test_no_more_are_lent_than_there_are_places_after_some_left_and_some_were_late(make_pool: MakePool) -> None:
    pool = make_pool(size=2, patience_seconds=0.05)
    first, second = await pool.borrow(), await pool.borrow()
    late = [asyncio.create_task(pool.borrow()) for _ in range(3)]
    await asyncio.gather(*late, return_exceptions=True)

    pool.give_back(first)
    pool.give_back(second)
    again = [await pool.borrow(), await pool.borrow()]

    assert all(isinstance(each.exception(), TimeoutError) for each in late)
    assert set(again) == {first, second}
    with pytest.raises(TimeoutError):
        await pool.borrow()
    for each in again:
        pool.give_back(each)


async def test_a_connection_that_cannot_be_made_takes_no_place(world: World) -> None:
    answers: list[BaseException | None] = [ConnectionRefusedError(), asyncio.CancelledError(), None]

    async def connect() -> Any:
        failure = answers.pop(0)
        if failure is not None:
            raise failure
        return await world.parts.database.connect()

    pool = Pool(connect, size=1)
    with pytest.raises(ConnectionRefusedError):
        await pool.borrow()
    with pytest.raises(asyncio.CancelledError):
        await pool.borrow()

    connection = await pool.borrow()

    assert await connection.fetchval("SELECT 7") == 7
    pool.give_back(connection)
    await pool.close()


async def test_one_whose_server_went_while_it_was_idle_is_not_lent_again(world: World, make_pool: MakePool) -> None:
    pool = make_pool(size=1)
    connection = await pool.borrow()
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _: gone.set())
    pid = await connection.fetchval(PID)
    pool.give_back(connection)

    async with world.parts.database.reading() as db:
        await db.fetch_value(END, pid)
    await asyncio.wait_for(gone.wait(), PATIENCE_SECONDS)
    another = await pool.borrow()

    assert await another.fetchval(PID) != pid
    pool.give_back(another)


async def test_one_that_is_still_in_a_transaction_is_not_lent_again(make_pool: MakePool) -> None:
    pool = make_pool(size=1)
    connection = await pool.borrow()
    await connection.execute("BEGIN")

    pool.give_back(connection)
    another = await pool.borrow()

    assert another is not connection
    assert connection.is_closed()
    pool.give_back(another)


@pytest.mark.parametrize("chosen", [{"oldest_seconds": -1}, {"idle_seconds": -1}])
async def test_one_that_is_old_or_was_idle_for_long_goes(make_pool: MakePool, chosen: dict[str, float]) -> None:
    pool = make_pool(size=2, **chosen)
    connection = await pool.borrow()

    pool.give_back(connection)

    assert connection.is_closed()
    pool.give_back(await pool.borrow())


async def test_a_pool_that_closes_waits_for_those_who_still_have_one(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    lent, idle = await pool.borrow(), await pool.borrow()
    pool.give_back(idle)

    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    answer = await lent.fetchval("SELECT 7")
    pool.give_back(lent)
    await closing

    assert answer == 7
    assert lent.is_closed()
    assert idle.is_closed()


async def test_the_answer_to_somebody_who_left_is_not_given_to_the_next(world: World) -> None:
    database = Database(world.parts.database.url, size=1)
    await database.open()

    async def ask_and_leave() -> None:
        async with database.reading() as db:
            await db.fetch_value("SELECT 13 FROM pg_sleep(600)")

    leaving = asyncio.create_task(ask_and_leave())
    async with asyncio.timeout(PATIENCE_SECONDS), world.parts.database.reading() as db:
        while not await db.fetch_value(SLEEPS):
            pass
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    async with asyncio.timeout(PATIENCE_SECONDS), database.reading() as db:
        answer = await db.fetch_value("SELECT 7")
    await database.close()

    assert answer == 7


async def test_a_database_that_was_closed_is_unavailable(world: World) -> None:
    database = Database(world.parts.database.url, size=1)
    await database.open()
    await database.close()

    with pytest.raises(Unavailable):
        async with database.reading():
            pass
