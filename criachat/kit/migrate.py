"""Brings the schema to what this version needs: numbered plain SQL, forward only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources

import msgspec
import structlog

from criachat.kit.db import Connection

log = structlog.get_logger()

# Any number that nobody else uses; waiters poll, because waiting inside a lock blocks CREATE INDEX CONCURRENTLY.
MIGRATION_LOCK = 7_412_009_001
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
UNLOCK = "SELECT pg_advisory_unlock($1)"
# Our sessions have limits for requests; to fill a column or build an index takes as long as the table is large.
LIFT_LIMITS = """
SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')
"""
CREATE_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
LIST_APPLIED = "SELECT name FROM schema_migrations"
INSERT_APPLIED = "INSERT INTO schema_migrations (name) VALUES ($1)"


class Migration(msgspec.Struct, frozen=True):
    """One file: its name without the ending, and its SQL."""

    name: str
    sql: str


def migrations() -> list[Migration]:
    """All of this version, in order."""
    folder = resources.files("criachat.migrations")
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda item: item.name)
    return [Migration(item.name.removesuffix(".sql"), item.read_text("utf-8")) for item in files]


async def pending(connection: Connection) -> list[Migration]:
    """Those that this database has not had yet."""
    await connection.execute(CREATE_HISTORY)
    applied = {row[0] for row in await connection.fetch(LIST_APPLIED)}
    return [migration for migration in migrations() if migration.name not in applied]


async def migrate(connection: Connection, *, also: Sequence[Callable[[Connection], Awaitable[None]]] = ()) -> list[str]:
    """Apply what is pending, one process at a time; the names of what was applied.

    A file whose first line says `-- outside a transaction` is sent statement by statement, for
    `CREATE INDEX CONCURRENTLY`; every other file is one transaction. `also` runs each time, under the same lock.
    The connection is one for this alone: from here on nothing on it is cut off for taking long.
    """
    await connection.execute(LIFT_LIMITS)
    while not await connection.fetchval(TRY_LOCK, MIGRATION_LOCK):  # noqa: ASYNC110 - nobody can tell us, only PostgreSQL
        await asyncio.sleep(0.2)
    try:
        done: list[str] = []
        for migration in await pending(connection):
            await _apply(connection, migration)
            log.info("migrated", migration=migration.name)
            done.append(migration.name)
        for install in also:
            await install(connection)
        return done
    finally:
        await connection.fetchval(UNLOCK, MIGRATION_LOCK)


async def _apply(connection: Connection, migration: Migration) -> None:
    if migration.sql.startswith("-- outside a transaction"):
        for statement in migration.sql.split(";\n"):
            if statement.strip():
                await connection.execute(statement)
        await connection.execute(INSERT_APPLIED, migration.name)
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '5s'")
        await connection.execute(migration.sql)
        await connection.execute(INSERT_APPLIED, migration.name)
