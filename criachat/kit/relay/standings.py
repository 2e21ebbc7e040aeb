"""Where the relay stands in the log of each account, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.kit.events import EVENTS_TOPIC, Cursor, Record
from criachat.kit.failures import Kept

ACCOUNTS: Final = 8
ACCOUNT_LOCK: Final = 7_412
LAST_ID: Final = 2**63 - 1

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
DO_NOT_WAIT = "SET LOCAL synchronous_commit = off"
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

    def walked(self, records: list[Record], *, is_full: bool) -> Walked:
        """Where the account stands once these are done."""
        if records:
            cursor = records[-1].cursor
        else:
            # What the sweep saw is not there any more; a cursor that stayed behind would be looked at for ever.
            news = (self.news_epoch, self.news_xid, LAST_ID)
            cursor = Cursor(*max(news, (self.epoch, self.xid, self.event_id)), self.event_at)
        return Walked(self.account_id, cursor, self.sequence + len(records), is_full, len(records))


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


async def claim(tx: Tx, account_id: int | None = None) -> list[Standing]:
    """Those whose turn it is, or this account if it has news: ours until the transaction ends."""
    await tx.begin()
    if account_id is None:
        claims = await tx.fetch_all(Claim, CLAIM_ACCOUNTS, ACCOUNT_LOCK, ACCOUNTS)
    else:
        claims = await tx.fetch_all(Claim, CLAIM_ACCOUNT, ACCOUNT_LOCK, account_id)
    if not claims:
        return []
    return await tx.fetch_all(Standing, LIST_CURSORS, [claim.account_id for claim in claims])


async def move(tx: Tx, walked: Sequence[Walked]) -> None:
    """Write down what was walked; rows are locked in the order of accounts, as everywhere."""
    now = clock.now()
    await tx.execute_many(MOVE_CURSOR, [each.row(now) for each in sorted(walked, key=lambda each: each.account_id)])


async def spare_the_disk(tx: Tx) -> None:
    """Have the commit not wait for the disk, unless events were emitted.

    What a crash forgets of a walk is done again and comes out the same. But an event that was read and then lost would
    leave its reader ahead of others that get the same transaction id anew.
    """
    if not any(topic == EVENTS_TOPIC for topic, _ in tx.wakes):
        await tx.execute(DO_NOT_WAIT)


async def has_news(db: Db, account_id: int | None) -> bool:
    """Whether this account, or any, is marked."""
    return await db.fetch_value(HAS_NEWS, account_id)


async def is_held_back(db: Db, account_id: int | None) -> bool:
    """Whether events of this account, or of any, are committed and may not be read yet."""
    return await db.fetch_value(IS_HELD_BACK, account_id)
