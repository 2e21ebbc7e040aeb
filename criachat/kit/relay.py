"""The relay: walks the log of each account in order and hands every listener its batch.

What a listener writes and the account's cursor move in one transaction, so what it does happens once, whoever dies.
Any number of relays share the work: one at a time sweeps the whole log for accounts that have news, and an account is
walked by whoever holds its advisory lock. Locks vanish with their connection, and so does the work of a dead relay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import msgspec
import structlog
from prometheus_client import Counter, Gauge

from criachat.kit import clock, failures
from criachat.kit.db import LOST, Database, Db, Tx
from criachat.kit.errors import Unavailable
from criachat.kit.events import Cursor, Listeners, Record, list_after
from criachat.kit.failures import Kept
from criachat.kit.handover import Hearing, event_of, tell, tell_all, tell_each_alone

log = structlog.get_logger()

BATCH: Final = 50
ACCOUNTS: Final = 8
WALKERS: Final = 2
# Most of a small batch's time is the transaction's own. Counted as its events' time, it would have batches shrink to a
# single event on a machine that is busy, and the log would grow faster than it is walked.
FEWEST: Final = 16
SWEEP_BATCH: Final = 1000
# Our transactions hold back every reader of the log, on the whole server.
WORK_SECONDS: Final = 0.02
SWEEP_SECONDS: Final = 1.0
MEASURE_SECONDS: Final = 5.0
# From here on whoever asks is told that the relay does not keep up.
LATE_SECONDS: Final = 60.0
# How soon to look again when events are committed, but not to be read yet because an older transaction still runs.
FIRST_LOOK_SECONDS: Final = 0.004
LAST_LOOK_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 0.5
LAST_ID: Final = 2**63 - 1

SWEEP_LOCK: Final = 7_412_009_002
ACCOUNT_LOCK: Final = 7_412

LAG_GAUGE = Gauge("criachat_relay_lag_seconds", "Age of the oldest event that no listener has been handed yet")
FAILURES_GAUGE = Gauge("criachat_relay_failures", "Events set aside because a listener could not take them")
WALKED_COUNTER = Counter("criachat_relay_events_total", "Events walked by this process")

LIST_LISTENERS = "SELECT name, epoch, xid FROM event_listeners"
LOCK_LISTENERS = "LOCK TABLE event_listeners IN SHARE ROW EXCLUSIVE MODE"
# On an installation that has seen no listener yet nobody is new: what was said before the first start is for them all.
INSERT_LISTENERS = """
INSERT INTO event_listeners (name, epoch, xid, since)
SELECT new.name, start.epoch, start.xid, $2
FROM unnest($1::text[]) AS new (name)
CROSS JOIN (
    SELECT epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xid FROM event_epoch
    WHERE EXISTS (SELECT FROM event_listeners)
    UNION ALL
    SELECT 0, '0' WHERE NOT EXISTS (SELECT FROM event_listeners)
) AS start
ON CONFLICT (name) DO NOTHING
"""
INSERT_SWEEP = """
INSERT INTO event_sweep (epoch, xid, event_id, event_at) VALUES (0, '0', 0, to_timestamp(0)) ON CONFLICT DO NOTHING
"""

# The lock is tried before the position is read; a position that is stale by a moment makes us mark accounts again.
# Statements over partitions take longer to plan than to run, and no plan is better than the one that knows no values.
CLAIM_SWEEP = """
SELECT epoch, xid, event_id, event_at, set_config('plan_cache_mode', 'force_generic_plan', true) AS planning
FROM event_sweep
WHERE pg_try_advisory_xact_lock($1)
"""
# Across accounts: finds those with news. Rows of cursors are locked in the order of accounts, by everybody. Whether
# more is coming is asked of the newest event: looked for by a comparison, PostgreSQL would expect to meet one soon, and
# read all of them.
SWEEP = """
WITH present AS MATERIALIZED (
    SELECT epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xid FROM event_epoch
), news AS MATERIALIZED (
    SELECT account_id, epoch, xid, id, created_at FROM events
    WHERE (epoch + 0, xid, id) > ($1, $2, $3)
      AND (epoch + 0, xid) < ((SELECT epoch FROM present), (SELECT xid FROM present))
      AND created_at >= $6::timestamptz - interval '1 day'
    ORDER BY epoch + 0, xid, id
    LIMIT $4
), marked AS (
    INSERT INTO event_cursors AS kept (account_id, epoch, xid, event_id, event_at, news_epoch, news_xid, reached_at)
    SELECT DISTINCT ON (account_id) account_id, $1, $2, $3, to_timestamp(0), epoch, xid, $5::timestamptz
    FROM news
    ORDER BY account_id, epoch DESC, xid DESC
    ON CONFLICT (account_id) DO UPDATE
    SET news_epoch = excluded.news_epoch, news_xid = excluded.news_xid,
        has_news = kept.has_news OR (excluded.news_epoch, excluded.news_xid) > (kept.epoch, kept.xid)
    WHERE (excluded.news_epoch, excluded.news_xid) > (kept.news_epoch, kept.news_xid)
    RETURNING has_news
), moved AS (
    UPDATE event_sweep
    SET (epoch, xid, event_id, event_at) = (
        SELECT epoch, xid, id, created_at FROM news ORDER BY epoch DESC, xid DESC, id DESC LIMIT 1
    )
    WHERE EXISTS (SELECT FROM news)
)
SELECT (SELECT count(*) FROM news) AS events,
    EXISTS (SELECT FROM marked WHERE has_news) AS has_news,
    coalesce(
        (
            SELECT (epoch, xid) >= ((SELECT epoch FROM present), (SELECT xid FROM present))
            FROM events
            WHERE created_at >= $6::timestamptz - interval '1 day'
            ORDER BY epoch + 0 DESC, xid DESC, id DESC
            LIMIT 1
        ),
        false
    ) AS is_held_back
"""
# Across accounts: takes those that waited longest. A listener's statement that runs on after its relay was killed ends
# with this timeout, and with it the locks. Plans as of the sweep.
CLAIM_ACCOUNTS = """
SELECT account_id, set_config('statement_timeout', '3s', true) AS timeout,
    set_config('plan_cache_mode', 'force_generic_plan', true) AS planning
FROM (SELECT account_id FROM event_cursors WHERE has_news ORDER BY reached_at LIMIT 64) AS waiting
WHERE pg_try_advisory_xact_lock($1, hashint8(account_id))
LIMIT $2
"""
CLAIM_ACCOUNT = """
SELECT account_id, set_config('statement_timeout', '3s', true) AS timeout,
    set_config('plan_cache_mode', 'force_generic_plan', true) AS planning
FROM (SELECT account_id FROM event_cursors WHERE account_id = $2 AND has_news LIMIT 1) AS waiting
WHERE pg_try_advisory_xact_lock($1, hashint8(account_id))
"""
# Asked behind the lock: whoever held it a moment ago may have walked them.
LIST_CURSORS = """
SELECT account_id, epoch, xid, event_id, event_at, sequence, news_epoch, news_xid
FROM event_cursors
WHERE account_id = ANY($1) AND has_news
ORDER BY reached_at
"""
# A sweep that came in between has left its mark in the row: there is news again, and it is not forgotten.
MOVE_CURSOR = """
UPDATE event_cursors
SET epoch = $2, xid = $3, event_id = $4, event_at = $5, sequence = $6, reached_at = $8,
    has_news = $7 OR (news_epoch, news_xid) > ($2, $3)
WHERE account_id = $1
"""
# Across accounts: of all of them when none is named.
HAS_NEWS = "SELECT EXISTS (SELECT FROM event_cursors WHERE has_news AND ($1::bigint IS NULL OR account_id = $1))"
# Across accounts: as above.
IS_HELD_BACK = """
SELECT EXISTS (
    SELECT FROM events
    WHERE (epoch + 0, xid) >= ((SELECT epoch FROM event_epoch), pg_snapshot_xmin(pg_current_snapshot()))
      AND ($1::bigint IS NULL OR account_id = $1)
)
"""
# Across accounts: how far behind the relay is altogether.
FIND_LAG = """
SELECT least(
    (
        SELECT min(unread.created_at)
        FROM (
            SELECT account_id, epoch, xid, event_id, event_at FROM event_cursors
            WHERE has_news ORDER BY reached_at LIMIT 100
        ) AS behind
        CROSS JOIN LATERAL (
            SELECT created_at FROM events
            WHERE account_id = behind.account_id
              AND (epoch, xid, id) > (behind.epoch, behind.xid, behind.event_id)
              AND created_at >= behind.event_at - interval '1 day'
            ORDER BY epoch, xid, id LIMIT 1
        ) AS unread
    ),
    (
        SELECT unswept.created_at
        FROM (SELECT 1) AS always
        LEFT JOIN event_sweep AS sweep ON true
        CROSS JOIN LATERAL (
            SELECT created_at FROM events
            WHERE (epoch + 0, xid, id)
                > (coalesce(sweep.epoch, 0), coalesce(sweep.xid, '0'), coalesce(sweep.event_id, 0))
              AND created_at >= coalesce(sweep.event_at, to_timestamp(0)) - interval '1 day'
            ORDER BY epoch + 0, xid, id LIMIT 1
        ) AS unswept
    )
) AS oldest_at,
    (SELECT count(*) FROM event_cursors WHERE has_news) AS accounts,
    (SELECT count(*) FROM event_failures) AS failures
"""


class Lag(msgspec.Struct, frozen=True):
    """How far the listeners are behind: the oldest event that waits, in how many accounts, and what was set aside."""

    oldest_at: datetime | None
    accounts: int
    failures: int

    @property
    def seconds(self) -> float:
        """The age of the oldest event that waits; 0 when none does."""
        return max((clock.now() - self.oldest_at).total_seconds(), 0.0) if self.oldest_at else 0.0


class Start(msgspec.Struct, frozen=True):
    """From where in the log a listener is told."""

    name: str
    epoch: int
    xid: int


class Position(msgspec.Struct, frozen=True):
    """Up to where the log was swept."""

    epoch: int
    xid: int
    event_id: int
    event_at: datetime
    planning: str


class Swept(msgspec.Struct, frozen=True):
    """What a sweep found: how many events, whether someone has news, and whether more is committed but not readable."""

    events: int
    has_news: bool
    is_held_back: bool


class Claim(msgspec.Struct, frozen=True):
    """An account that is ours until the transaction ends."""

    account_id: int
    timeout: str
    planning: str


class Standing(msgspec.Struct, frozen=True):
    """Where the relay stands in one account's log, and up to where the sweep saw events."""

    account_id: int
    epoch: int
    xid: int
    event_id: int
    event_at: datetime
    sequence: int
    news_epoch: int
    news_xid: int

    @property
    def cursor(self) -> Cursor:
        """Where to read on."""
        return Cursor(self.epoch, self.xid, self.event_id, self.event_at)

    def kept(self, records: Sequence[Record]) -> list[Kept]:
        """The records, counted on from here."""
        return [Kept(self.sequence + index, record) for index, record in enumerate(records, 1)]


class Walked(msgspec.Struct, frozen=True):
    """What was done in one account: the values of its cursor, and how many events that were."""

    account_id: int
    cursor: Cursor
    sequence: int
    is_full: bool
    events: int

    def row(self, now: datetime) -> tuple[object, ...]:
        """The values MOVE_CURSOR binds."""
        cursor = self.cursor
        return self.account_id, cursor.epoch, cursor.xid, cursor.id, cursor.at, self.sequence, self.is_full, now


class WalkFailed(Exception):
    """A listener could not take its part of so many events of this account; nothing of the transaction stays."""

    def __init__(self, account_id: int, events: int) -> None:
        super().__init__(account_id, events)
        self.account_id = account_id
        self.events = events


class ListenerGone(Exception):
    """No listener of this name is known any more"""


class Relay:
    """One of any number that share the work."""

    def __init__(self, database: Database, listeners: Sequence[Listeners]) -> None:
        self._database = database
        self._entries = [entry for group in listeners for entry in group.entries]
        names = [entry.name for entry in self._entries]
        if len(set(names)) != len(names):
            raise RuntimeError("two listeners have the same name")
        self._hearings: list[Hearing] | None = None
        self._woken = asyncio.Event()
        self._found_news = asyncio.Event()
        self._look_again_seconds = FIRST_LOOK_SECONDS
        self._seconds_per_event = 0.0
        # Accounts in which a batch failed: how many events may go at once until the one that fails is alone.
        self._caution: dict[int, int] = {}

    def wake(self) -> None:
        """There may be news in the log."""
        self._woken.set()

    async def run(self) -> None:
        """Walk until cancelled. When the database is away, wait for it."""
        nobody = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(self._sweep_round, self._woken))
            for _ in range(WALKERS):
                tasks.create_task(self._keep(self._walk_round, self._found_news))
            tasks.create_task(self._keep(self._retry_round, nobody))
            tasks.create_task(self._keep(self._measure_round, nobody))

    async def drain(self, account_id: int | None = None, *, patience_seconds: float = 5.0) -> None:
        """Walk until nothing of this account (or of any) is left that may be read. For tests and rehearsals.

        What is committed but held back by an older transaction, anywhere on the server, is waited for this long.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_seconds
        while True:
            swept = await self._sweep()
            if await self._walk(account_id):
                continue
            if swept is not None and swept.events < SWEEP_BATCH:
                async with self._database.reading() as db:
                    is_walked = not await db.fetch_value(HAS_NEWS, account_id)
                    is_held_back = is_walked and await db.fetch_value(IS_HELD_BACK, account_id)
                if is_walked and (not is_held_back or loop.time() >= deadline):
                    return
            await asyncio.sleep(FIRST_LOOK_SECONDS)

    async def retry_failures(self) -> int:
        """Try again whatever is due; how many were tried."""
        tried = 0
        while await self._retry():
            tried += 1
        return tried

    async def start_listeners(self) -> None:
        """Have listeners that this installation never saw begin at the present: what came before is not for them."""
        self._hearings = await self._load_hearings()

    async def _ready(self) -> list[Hearing]:
        if self._hearings is None:
            self._hearings = await self._load_hearings()
        return self._hearings

    async def _load_hearings(self) -> list[Hearing]:
        names = [entry.name for entry in self._entries]
        async with self._database.transaction() as tx:
            starts = {start.name: start for start in await tx.fetch_all(Start, LIST_LISTENERS)}
            if not starts.keys() >= set(names):
                await tx.execute(LOCK_LISTENERS)
                await tx.execute(INSERT_LISTENERS, names, clock.now())
                starts = {start.name: start for start in await tx.fetch_all(Start, LIST_LISTENERS)}
            await tx.execute(INSERT_SWEEP)
        return [
            Hearing(entry.name, entry.hears, entry.answer, (starts[entry.name].epoch, starts[entry.name].xid))
            for entry in self._entries
        ]

    async def _keep(self, work: Callable[[], Awaitable[float]], bell: asyncio.Event) -> None:
        """Do the work over and over: after the pause it asks for, or when the bell rings."""
        while True:
            bell.clear()
            try:
                pause = await work()
            except (Unavailable, *LOST) as failure:
                log.warning("relay_waits_for_database", failure=type(failure.__cause__ or failure).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # whatever it is, the relay has to go on
                log.exception("relay_round_failed")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await bell.wait()

    async def _sweep_round(self) -> float:
        swept = await self._sweep()
        if swept is None:
            return SWEEP_SECONDS
        if swept.has_news:
            self._found_news.set()
        if swept.events == SWEEP_BATCH:
            return 0
        if not swept.is_held_back:
            self._look_again_seconds = FIRST_LOOK_SECONDS
            return SWEEP_SECONDS
        pause = self._look_again_seconds
        self._look_again_seconds = min(2 * pause, LAST_LOOK_SECONDS)
        return pause

    async def _walk_round(self) -> float:
        while await self._walk():
            pass
        return SWEEP_SECONDS

    async def _retry_round(self) -> float:
        await self.retry_failures()
        return SWEEP_SECONDS

    async def _measure_round(self) -> float:
        async with self._database.reading() as db:
            await measure(db)
        return MEASURE_SECONDS

    async def _sweep(self) -> Swept | None:
        """Mark the accounts that have news; None when another relay is at it."""
        await self._ready()
        async with self._database.transaction() as tx:
            position = await tx.fetch_one_or_none(Position, CLAIM_SWEEP, SWEEP_LOCK)
            if position is None:
                return None
            reached = position.epoch, position.xid, position.event_id
            return await tx.fetch_one(Swept, SWEEP, *reached, SWEEP_BATCH, clock.now(), position.event_at)

    async def _walk(self, account_id: int | None = None) -> bool:
        """Hand over the next events of the accounts that waited longest; False when there was nothing to do."""
        hearings = await self._ready()
        try:
            async with self._database.transaction() as tx:
                standings = await self._claim(tx, account_id)
                walked = await self._hand_over(tx, hearings, standings)
                if walked:
                    now = clock.now()
                    rows = [each.row(now) for each in sorted(walked, key=lambda each: each.account_id)]
                    await tx.execute_many(MOVE_CURSOR, rows)
        except WalkFailed as failure:
            if self._caution.get(failure.account_id) == 1:
                raise
            self._caution[failure.account_id] = max(failure.events // 2, 1)
            log.warning("batch_failed", account_id=failure.account_id, events=failure.events)
            return True
        WALKED_COUNTER.inc(sum(each.events for each in walked))
        return bool(walked)

    async def _claim(self, tx: Tx, account_id: int | None) -> list[Standing]:
        await tx.begin()
        if account_id is None:
            claims = await tx.fetch_all(Claim, CLAIM_ACCOUNTS, ACCOUNT_LOCK, ACCOUNTS)
        else:
            claims = await tx.fetch_all(Claim, CLAIM_ACCOUNT, ACCOUNT_LOCK, account_id)
        if not claims:
            return []
        standings = await tx.fetch_all(Standing, LIST_CURSORS, [claim.account_id for claim in claims])
        # Where a batch failed, the account goes alone, so that it does not take others back with it.
        if standings and standings[0].account_id in self._caution:
            return standings[:1]
        return [standing for standing in standings if standing.account_id not in self._caution]

    async def _hand_over(self, tx: Tx, hearings: list[Hearing], standings: list[Standing]) -> list[Walked]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        walked: list[Walked] = []
        for standing in standings:
            limit = self._limit(standing.account_id)
            records = await list_after(tx, standing.account_id, standing.cursor, limit=limit)
            before = loop.time()
            await self._hand_over_records(tx, hearings, standing, records)
            if records:
                pace = (loop.time() - before) / len(records)
                self._seconds_per_event = (self._seconds_per_event + pace) / 2
            walked.append(_walked(standing, records, is_full=len(records) == limit))
            if loop.time() - started > WORK_SECONDS:
                break
        return walked

    def _limit(self, account_id: int) -> int:
        """How many events to take: what fits in a transaction's time, fewer where a batch failed."""
        fitting = int(WORK_SECONDS / self._seconds_per_event) if self._seconds_per_event else BATCH
        return max(min(max(fitting, FEWEST), BATCH, self._caution.get(account_id, BATCH)), 1)

    async def _hand_over_records(
        self, tx: Tx, hearings: list[Hearing], standing: Standing, records: list[Record]
    ) -> None:
        caution = self._caution.get(standing.account_id)
        try:
            if caution == 1:
                set_aside = await tell_each_alone(tx, hearings, standing.kept(records))
            else:
                set_aside = 0
                await tell_all(tx, hearings, standing.kept(records))
        except Exception as failure:
            # Not the listener's fault, but a connection that broke: nothing was done, all of it is done again.
            if tx.connection.is_closed():
                raise
            raise WalkFailed(standing.account_id, len(records)) from failure
        if caution is not None and not set_aside:
            self._caution[standing.account_id] = caution * 2
            if caution * 2 >= BATCH:
                del self._caution[standing.account_id]

    async def _retry(self) -> bool:
        hearings = {hearing.name: hearing for hearing in await self._ready()}
        async with self._database.transaction() as tx:
            await tx.begin()
            due = await failures.claim_due(tx, ACCOUNT_LOCK)
            if due is None:
                return False
            try:
                if due.listener not in hearings:
                    raise ListenerGone(due.listener)
                async with tx.savepoint():
                    await tell(tx, hearings[due.listener], [event_of(due.kept)])
            except Exception as failure:
                if tx.connection.is_closed():
                    raise
                await failures.failed_again(tx, due, failure)
            else:
                await failures.succeeded(tx, due)
            return True


async def lag(db: Db) -> Lag:
    """How far behind the relays of this installation are."""
    return await db.fetch_one(Lag, FIND_LAG)


async def measure(db: Db) -> None:
    """Set the gauges to how far behind they are."""
    behind = await lag(db)
    LAG_GAUGE.set(behind.seconds)
    FAILURES_GAUGE.set(behind.failures)


def _walked(standing: Standing, records: list[Record], *, is_full: bool) -> Walked:
    if records:
        cursor = records[-1].cursor
    else:
        # What the sweep saw is not there any more; a cursor that stayed behind would be looked at for ever.
        news = (standing.news_epoch, standing.news_xid, LAST_ID)
        cursor = Cursor(*max(news, (standing.epoch, standing.xid, standing.event_id)), standing.event_at)
    return Walked(standing.account_id, cursor, standing.sequence + len(records), is_full, len(records))
