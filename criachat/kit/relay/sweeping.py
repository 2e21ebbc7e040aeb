"""The sweep: which accounts have news, asked of the whole log once for all relays."""

from __future__ import annotations

from typing import Final

import msgspec

from criachat.kit import clock
from criachat.kit.db import Tx

SWEEP_BATCH: Final = 1000
SWEEP_LOCK: Final = 7_412_009_002

INSERT_SWEEP = "INSERT INTO event_sweep (epoch, xid, event_id) VALUES (0, '0', 0) ON CONFLICT DO NOTHING"

# The lock is tried before the position is read; a position that is stale by a moment makes us mark accounts again.
# Statements over partitions take longer to plan than to run, and no plan is better than the one that knows no values.
# Nobody waits for the disk: a sweep that a crash forgets is made again.
CLAIM_SWEEP = """
SELECT epoch, xid, event_id, set_config('plan_cache_mode', 'force_generic_plan', true) AS planning,
    set_config('synchronous_commit', 'off', true) AS commits
FROM event_sweep
WHERE pg_try_advisory_xact_lock($1)
"""
# Across accounts: finds those with news, on whatever day: a clock that was ahead for a while must hide nothing that
# came after it was set right. Rows of cursors are locked in the order of accounts, by everybody. Whether more is coming
# is asked of the newest event: looked for by a comparison, PostgreSQL would expect to meet one soon, and read all.
SWEEP = """
WITH present AS MATERIALIZED (
    SELECT epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xid FROM event_epoch
), news AS MATERIALIZED (
    SELECT account_id, epoch, xid, id FROM events
    WHERE (epoch + 0, xid, id) > ($1, $2, $3)
      AND (epoch + 0, xid) < ((SELECT epoch FROM present), (SELECT xid FROM present))
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
    SET (epoch, xid, event_id) = (SELECT epoch, xid, id FROM news ORDER BY epoch DESC, xid DESC, id DESC LIMIT 1)
    WHERE EXISTS (SELECT FROM news)
)
SELECT (SELECT count(*) FROM news) AS events,
    EXISTS (SELECT FROM marked WHERE has_news) AS has_news,
    coalesce(
        (
            SELECT (epoch, xid) >= ((SELECT epoch FROM present), (SELECT xid FROM present))
            FROM events
            ORDER BY epoch + 0 DESC, xid DESC, id DESC
            LIMIT 1
        ),
        false
    ) AS is_held_back
"""


class Position(msgspec.Struct, frozen=True):
    """Up to where the log was swept."""

    epoch: int
    xid: int
    event_id: int
    planning: str
    commits: str


class Swept(msgspec.Struct, frozen=True):
    """What a sweep found: how many events, whether someone has news, and whether more is committed but not readable."""

    events: int
    has_news: bool
    is_held_back: bool


async def start(tx: Tx) -> None:
    """Have a position to sweep from: before all events where there never was one."""
    await tx.execute(INSERT_SWEEP)


async def sweep(tx: Tx) -> Swept | None:
    """Mark the accounts that have news; None when another relay is at it."""
    position = await tx.fetch_one_or_none(Position, CLAIM_SWEEP, SWEEP_LOCK)
    if position is None:
        return None
    reached = position.epoch, position.xid, position.event_id
    return await tx.fetch_one(Swept, SWEEP, *reached, SWEEP_BATCH, clock.now())
