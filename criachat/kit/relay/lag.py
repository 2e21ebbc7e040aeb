"""How far the listeners are behind, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from prometheus_client import Gauge

from criachat.kit import clock
from criachat.kit.db import Db

# From here on whoever asks is told that the relay does not keep up.
LATE_SECONDS: Final = 60.0

LAG_GAUGE = Gauge("criachat_relay_lag_seconds", "Age of the oldest event that no listener has been handed yet")
FAILURES_GAUGE = Gauge("criachat_relay_failures", "Events set aside because a listener could not take them")

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


async def lag(db: Db) -> Lag:
    """How far behind the relays of this installation are."""
    return await db.fetch_one(Lag, FIND_LAG)


async def measure(db: Db) -> None:
    """Set the gauges to how far behind they are."""
    behind = await lag(db)
    LAG_GAUGE.set(behind.seconds)
    FAILURES_GAUGE.set(behind.failures)
