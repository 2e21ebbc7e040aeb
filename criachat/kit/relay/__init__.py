"""The relay: walks the log of each account in order and hands every listener its batch.

What a listener writes and the account's cursor move in one transaction, so what it does happens once, whoever dies.
Any number of relays share the work: one at a time sweeps the whole log for accounts that have news, and an account is
walked by whoever holds its advisory lock. Locks vanish with their connection, and so does the work of a dead relay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec
import structlog
from prometheus_client import Counter

from criachat.kit import clock, failures
from criachat.kit.db import LOST, Database, Tx
from criachat.kit.errors import Unavailable
from criachat.kit.events import Listeners, Record, list_after
from criachat.kit.handover import Hearing, event_of, tell, tell_all, tell_each_alone
from criachat.kit.relay import lag, standings, sweeping
from criachat.kit.relay.standings import Standing, Walked
from criachat.kit.relay.sweeping import Swept

log = structlog.get_logger()

BATCH: Final = 50
WALKERS: Final = 2
# Most of a small batch's time is the transaction's own. Counted as its events' time, it would have batches shrink to a
# single event on a machine that is busy, and the log would grow faster than it is walked.
FEWEST: Final = 16
# Our transactions hold back every reader of the log, on the whole server.
WORK_SECONDS: Final = 0.02
SWEEP_SECONDS: Final = 1.0
MEASURE_SECONDS: Final = 5.0
# A round costs much the same whatever it finds: begun anew at every commit, it would take the machine from those who
# write. It rests as long as it took, so it is at work for half of the time at most, and finds the more to do.
LONGEST_REST_SECONDS: Final = 0.05
# How soon to look again when events are committed, but not to be read yet because an older transaction still runs.
FIRST_LOOK_SECONDS: Final = 0.004
LAST_LOOK_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 0.5

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


class Start(msgspec.Struct, frozen=True):
    """From where in the log a listener is told."""

    name: str
    epoch: int
    xid: int


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
        self._walk_seconds = 0.0
        self._rests_until = 0.0
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
            if swept is not None and swept.events < sweeping.SWEEP_BATCH:
                async with self._database.reading() as db:
                    is_walked = not await standings.has_news(db, account_id)
                    is_held_back = is_walked and await standings.is_held_back(db, account_id)
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
            await sweeping.start(tx)
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
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._rests_until - loop.time())
        started = loop.time()
        swept = await self._sweep()
        ended = loop.time()
        self._rests_until = ended + min(ended - started + self._walk_seconds, LONGEST_REST_SECONDS)
        if swept is None:
            return SWEEP_SECONDS
        if swept.has_news:
            self._found_news.set()
        if swept.events == sweeping.SWEEP_BATCH:
            return 0
        if not swept.is_held_back:
            self._look_again_seconds = FIRST_LOOK_SECONDS
            return SWEEP_SECONDS
        pause = self._look_again_seconds
        self._look_again_seconds = min(2 * pause, LAST_LOOK_SECONDS)
        return pause

    async def _walk_round(self) -> float:
        loop = asyncio.get_running_loop()
        is_done = False
        while not is_done:
            started = loop.time()
            is_done = not await self._walk()
            if not is_done:
                self._walk_seconds = loop.time() - started
        return SWEEP_SECONDS

    async def _retry_round(self) -> float:
        await self.retry_failures()
        return SWEEP_SECONDS

    async def _measure_round(self) -> float:
        async with self._database.reading() as db:
            await lag.measure(db)
        return MEASURE_SECONDS

    async def _sweep(self) -> Swept | None:
        """Mark the accounts that have news; None when another relay is at it."""
        await self._ready()
        async with self._database.transaction() as tx:
            return await sweeping.sweep(tx)

    async def _walk(self, account_id: int | None = None) -> bool:
        """Hand over the next events of the accounts that waited longest; False when there was nothing to do."""
        hearings = await self._ready()
        try:
            async with self._database.transaction() as tx:
                claimed = await self._claim(tx, account_id)
                walked = await self._hand_over(tx, hearings, claimed)
                if walked:
                    await standings.move(tx, walked)
                    await standings.spare_the_disk(tx)
        except WalkFailed as failure:
            if self._caution.get(failure.account_id) == 1:
                raise
            self._caution[failure.account_id] = max(failure.events // 2, 1)
            kind = type(failure.__cause__).__name__
            log.warning("batch_failed", account_id=failure.account_id, events=failure.events, failure=kind)
            return True
        WALKED_COUNTER.inc(sum(each.events for each in walked))
        return bool(walked)

    async def _claim(self, tx: Tx, account_id: int | None) -> list[Standing]:
        """Where a batch failed, the account goes alone, so that it does not take others back with it."""
        claimed = await standings.claim(tx, account_id)
        if claimed and claimed[0].account_id in self._caution:
            return claimed[:1]
        return [standing for standing in claimed if standing.account_id not in self._caution]

    async def _hand_over(self, tx: Tx, hearings: list[Hearing], claimed: list[Standing]) -> list[Walked]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        walked: list[Walked] = []
        for standing in claimed:
            limit = self._limit(standing.account_id)
            records = await list_after(tx, standing.account_id, standing.cursor, limit=limit)
            before = loop.time()
            await self._hand_over_records(tx, hearings, standing, records)
            if records:
                pace = (loop.time() - before) / len(records)
                self._seconds_per_event = (self._seconds_per_event + pace) / 2
            walked.append(standing.walked(records, is_full=len(records) == limit))
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
            due = await failures.claim_due(tx, standings.ACCOUNT_LOCK)
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
