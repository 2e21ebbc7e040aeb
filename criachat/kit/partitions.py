"""Daily partitions of the large tables that are only appended to: made ahead, dropped when their time is over.

There is always a default partition, so that nothing is refused when nobody made the day's own. What landed there is
moved as soon as somebody does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, timedelta
from typing import Final

import asyncpg
import msgspec
import structlog
from prometheus_client import Gauge

from criachat.kit import clock
from criachat.kit.db import Connection, Database
from criachat.kit.settings import Settings

log = structlog.get_logger()

# Each partition costs every statement over its table a look; what nobody made ahead lands in the default one.
DAYS_AHEAD: Final = 3
TRIES: Final = 5
PARTITIONS_LOCK: Final = 7_412_009_003

OVERDUE_GAUGE = Gauge(
    "criachat_partitions_overdue", "Partitions past their time that cannot be dropped yet", ["partitioned"]
)


class Partitioned(msgspec.Struct, frozen=True):
    """A table with a partition a day: what it is divided by, what keeps an old day from going, and how it is stored."""

    table: str
    column: str
    still_needed: Template
    storage: str = ""


class Template(msgspec.Struct, frozen=True):
    """A statement about one table, or one day of it. Names and days are ours: nothing of it comes from outside."""

    sql: str

    def about(self, partitioned: Partitioned, day: date = date.min) -> str:
        """The statement with its names and days filled in."""
        return self.sql.format(
            table=partitioned.table,
            column=partitioned.column,
            storage=partitioned.storage,
            partition=f"{partitioned.table}_{day:%Y%m%d}",
            start=f"{day.isoformat()} 00:00Z",
            end=f"{(day + timedelta(days=1)).isoformat()} 00:00Z",
        )


# A day of the log is needed until the slowest reader is past all of it: the sweep, or the account furthest behind.
# Rows with a payload are compressed only when they do not fit a page.
EVENTS = Partitioned(
    "events",
    "created_at",
    Template("""
    SELECT EXISTS (
        SELECT FROM {partition} AS events
        CROSS JOIN (
            SELECT epoch, xid, event_id FROM (
                (SELECT epoch, xid, event_id FROM event_cursors WHERE has_news ORDER BY epoch, xid, event_id LIMIT 1)
                UNION ALL SELECT epoch, xid, event_id FROM event_sweep
            ) AS readers
            UNION ALL SELECT 0, '0', 0 WHERE NOT EXISTS (SELECT FROM event_sweep)
            ORDER BY epoch, xid, event_id LIMIT 1
        ) AS slowest
        WHERE (events.epoch + 0, events.xid, events.id) > (slowest.epoch, slowest.xid, slowest.event_id)
    )
    """),
    "WITH (toast_tuple_target = 8160)",
)
TO_BE_SENT = Template("SELECT EXISTS (SELECT FROM delivery_queue WHERE day >= '{start}' AND day < '{end}')")
PAYLOADS = Partitioned("webhook_payloads", "day", TO_BE_SENT, "WITH (toast_tuple_target = 8160)")
# Their rows change with each try.
DELIVERIES = Partitioned("webhook_deliveries", "day", TO_BE_SENT, "WITH (fillfactor = 80)")
ATTEMPTS = Partitioned("delivery_attempts", "day", Template("SELECT false"))
ALL: Final = (EVENTS, PAYLOADS, DELIVERIES, ATTEMPTS)

LOCK = "SELECT pg_advisory_xact_lock($1)"
# Without the limit of a whole transaction, where PostgreSQL knows one: it is for requests, and a day may take longer.
SET_PATIENCE = """
SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true),
    (SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout')
"""
# A partition whose drop was interrupted is no partition any more, but still there.
LIST_PARTITIONS = """
SELECT part.relname AS name, part.relispartition AS is_attached
FROM pg_class AS part
WHERE part.relnamespace = current_schema()::regnamespace AND part.relkind = 'r' AND part.relname ~ $1
ORDER BY part.relname
"""
DAYS_IN_DEFAULT = Template("SELECT DISTINCT date_trunc('day', {column}, 'UTC') FROM {table}_default")
LOCK_DEFAULT = Template("LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE")
# Made apart and then attached: writers go on meanwhile, while CREATE … PARTITION OF would have them all wait.
CREATE = Template("CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) {storage}")
MOVE = Template("""
WITH moved AS (DELETE FROM {table}_default WHERE {column} >= '{start}' AND {column} < '{end}' RETURNING *)
INSERT INTO {partition} SELECT * FROM moved
""")
ATTACH = Template("ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ('{start}') TO ('{end}')")
DETACH = Template("ALTER TABLE {table} DETACH PARTITION {partition}")
DROP = Template("DROP TABLE IF EXISTS {partition}")


async def make_partitions(connection: Connection) -> None:
    """See to it that today and the days ahead have their partitions, and every day whose rows had to stay elsewhere.

    May run any number of times, and in several processes at once.
    """
    for partitioned in ALL:
        made = await _make(connection, partitioned)
        if made:
            log.info("partitions_made", table=partitioned.table, days=len(made))


async def drop_partitions(connection: Connection, settings: Settings) -> list[str]:
    """Drop the days whose time is over; their names.

    A day that is still needed stays, and everybody is told: events that a listener has not been handed, payloads of
    deliveries that are still to be made.
    """
    kept_days = {
        EVENTS: settings.event_retention_days,
        PAYLOADS: settings.payload_retention_days,
        DELIVERIES: settings.attempt_retention_days,
        ATTEMPTS: settings.attempt_retention_days,
    }
    dropped: list[str] = []
    for partitioned, days in kept_days.items():
        oldest = clock.now().date() - timedelta(days=days)
        overdue = 0
        for day, is_attached in await _days(connection, partitioned):
            if day >= oldest:
                continue
            if await _drop(connection, partitioned, day, is_attached=is_attached):
                dropped.append(f"{partitioned.table}_{day:%Y%m%d}")
            else:
                overdue += 1
        OVERDUE_GAUGE.labels(partitioned.table).set(overdue)
    return dropped


async def tend_partitions(database: Database, settings: Settings) -> None:
    """Make what is due and drop what is over, on a connection of its own."""
    connection = await database.connect()
    try:
        await make_partitions(connection)
        await drop_partitions(connection, settings)
    finally:
        await connection.close()


async def _make(connection: Connection, partitioned: Partitioned) -> set[date]:
    wanted = {clock.now().date() + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)}
    if not await _missing(connection, partitioned, wanted):
        return set()
    async with _patient(connection, lock="5s", statement="10min"):
        await connection.execute(LOCK, PARTITIONS_LOCK)
        # Attaching asks for this lock anyway; with it in hand from the start, no row lands here that was not counted.
        await connection.execute(LOCK_DEFAULT.about(partitioned))
        missing = await _missing(connection, partitioned, wanted)
        for day in sorted(missing):
            for statement in (CREATE, MOVE, ATTACH):
                await connection.execute(statement.about(partitioned, day))
        return missing


async def _missing(connection: Connection, partitioned: Partitioned, wanted: set[date]) -> set[date]:
    rows = await connection.fetch(DAYS_IN_DEFAULT.about(partitioned))
    stranded = {row[0].astimezone(UTC).date() for row in rows}
    return (wanted | stranded) - {day for day, _ in await _days(connection, partitioned)}


async def _drop(connection: Connection, partitioned: Partitioned, day: date, *, is_attached: bool) -> bool:
    place = {"table": partitioned.table, "day": day.isoformat()}
    if is_attached:
        if await connection.fetchval(partitioned.still_needed.about(partitioned, day)):
            log.error("partition_still_needed", **place)
            return False
        if not await _try_often(connection, DETACH.about(partitioned, day)):
            log.error("partition_busy", **place)
            return False
    # Apart from the detaching, for which everybody waits: files of some size take their time to go.
    return await _try_often(connection, DROP.about(partitioned, day))


async def _try_often(connection: Connection, statement: str) -> bool:
    """Run it without having others queue behind us for long; False when its lock was not to be had."""
    for _ in range(TRIES):
        try:
            async with _patient(connection, lock="500ms", statement="1min"):
                await connection.execute(statement)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            continue
        return True
    return False


@asynccontextmanager
async def _patient(connection: Connection, *, lock: str, statement: str) -> AsyncGenerator[None]:
    async with connection.transaction():
        await connection.fetch(SET_PATIENCE, lock, statement)
        yield


async def _days(connection: Connection, partitioned: Partitioned) -> list[tuple[date, bool]]:
    """The days that have a table, and whether it is still a partition."""
    rows = await connection.fetch(LIST_PARTITIONS, rf"^{partitioned.table}_\d{{8}}$")
    return [(date.fromisoformat(row["name"][-8:]), row["is_attached"]) for row in rows]
