"""Where jobs are kept: pgqueuer's tables in a schema of their own, and its statements through our one door."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final, TypeAlias, cast

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries

from criachat.kit.db import Connection, Database

# Every name is given here, because the library would take those left out from the environment.
SETTINGS: Final = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=Channel("jobs"),
    function="pgqueuer_changed",
    trigger="pgqueuer_changed",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    queue_status_type="pgqueuer_status",
    schedules_table="pgqueuer_schedules",
    statistics_table="pgqueuer_statistics",
    durability=Durability.durable,
    widen_id=True,
)

Borrow: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]


class Door:
    """The library's way to the database: one statement at a time, no listening, no notifying."""

    def __init__(self, borrow: Borrow) -> None:
        self._borrow = borrow

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        async with self._borrow() as connection:
            return [dict(record) for record in await connection.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement; its status."""
        async with self._borrow() as connection:
            return await connection.execute(query, *args)


def statements_on(database: Database) -> Queries:
    """The library's statements, each on whichever connection of the pool is free."""

    @asynccontextmanager
    async def borrow() -> AsyncGenerator[Connection]:
        async with database.reading() as db:
            yield db.connection

    return _statements(borrow)


def _statements(borrow: Borrow) -> Queries:
    return Queries(
        cast(Driver, Door(borrow)),  # the rest of a driver is for listening, which we do not do
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


# Any number that nobody else uses; as with migrations, waiters poll.
INSTALL_LOCK: Final = 7_412_009_004
NOTIFIES: Final = re.compile(r"\s*CREATE (OR REPLACE )?(FUNCTION|TRIGGER)\b")
DROP_TRIGGER: Final = "DROP TRIGGER pgqueuer_changed ON jobs.pgqueuer"
DROP_FUNCTION: Final = "DROP FUNCTION jobs.pgqueuer_changed"


async def install(connection: Connection) -> None:
    """Make or upgrade the tables of the queue; does nothing when they are as this version wants them.

    Without the library's trigger: it notifies inside every transaction that enqueues, and all of those would commit
    one after the other.
    """
    queries = _statements(lambda: nullcontext(connection))
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", INSTALL_LOCK):  # noqa: ASYNC110 - another process holds it
        await asyncio.sleep(0.2)
    try:
        # One by one, outside a transaction: a value added to an enum cannot be used where it was added.
        for statement in (await queries.plan_upgrade()).statements:
            if not NOTIFIES.match(statement):
                await connection.execute(statement)
        if await queries.has_trigger(SETTINGS.trigger):
            await connection.execute(DROP_TRIGGER)
        if await queries.has_function(SETTINGS.function):
            await connection.execute(DROP_FUNCTION)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", INSTALL_LOCK)
