"""The SQL of sending nothing more, and of sending again."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from criachat.kit import clock
from criachat.kit.db import Tx
from criachat.webhooks.models import Span

CANCEL_QUEUED = """
WITH taken AS (
    DELETE FROM delivery_queue WHERE account_id = $1 AND target = $2 RETURNING delivery_id, day
)
UPDATE webhook_deliveries AS delivery
SET status = 'cancelled'
FROM taken
WHERE delivery.account_id = $1 AND delivery.id = taken.delivery_id AND delivery.day = taken.day
  AND delivery.status = 'pending'
"""
# A message that stands as failed because of this delivery is taken back when it comes through now.
REQUEUE: LiteralString = """, again AS (
    UPDATE webhook_deliveries AS delivery
    SET status = 'pending'
    FROM chosen
    WHERE delivery.account_id = $1 AND delivery.id = chosen.id AND delivery.day = chosen.day
    RETURNING delivery.id, delivery.day, delivery.target, delivery.sequence,
        CASE WHEN delivery.event_id IS NOT NULL THEN delivery.conversation_id END AS conversation_id,
        chosen.status = 'exhausted' AND delivery.target LIKE 'api\\_inbox:%' AND delivery.message_id IS NOT NULL
            AS is_told_failed
)
INSERT INTO delivery_queue (account_id, delivery_id, day, target, conversation_id, sequence, due_at, is_told_failed)
SELECT $1, id, day, target, conversation_id, sequence, $2, is_told_failed FROM again
ON CONFLICT (account_id, delivery_id) DO UPDATE SET due_at = excluded.due_at
"""
REPLAY_ONE: LiteralString = (
    """
WITH chosen AS (
    SELECT id, day, status FROM webhook_deliveries AS delivery
    WHERE account_id = $1 AND id = $3 AND day = $4
      AND EXISTS (SELECT FROM webhook_payloads AS payload
          WHERE payload.account_id = $1 AND payload.id = delivery.payload_id AND payload.day = delivery.day)
    FOR UPDATE
)"""
    + REQUEUE
)
REPLAY_MANY: LiteralString = (
    """
WITH chosen AS (
    SELECT id, day, status FROM webhook_deliveries AS delivery
    WHERE account_id = $1 AND target = $3 AND created_at >= $4 AND created_at <= $5
      AND ($6::text[] IS NULL OR event_name = ANY($6)) AND status = ANY($7::text[])
      AND EXISTS (SELECT FROM webhook_payloads AS payload
          WHERE payload.account_id = $1 AND payload.id = delivery.payload_id AND payload.day = delivery.day)
    ORDER BY created_at, id
    LIMIT $8
    FOR UPDATE
)"""
    + REQUEUE
)

# The message stands as sent again, so that it is told of anew when this try is no better.
RETRY_MESSAGE = """
WITH chosen AS (
    SELECT id, day, status FROM webhook_deliveries AS delivery
    WHERE account_id = $1 AND message_id = $3 AND event_name = 'message_created' AND target LIKE 'api\\_inbox:%'
      AND status IN ('pending', 'exhausted')
      AND EXISTS (SELECT FROM webhook_payloads AS payload
          WHERE payload.account_id = $1 AND payload.id = delivery.payload_id AND payload.day = delivery.day)
    FOR UPDATE
), again AS (
    UPDATE webhook_deliveries AS delivery
    SET status = 'pending'
    FROM chosen
    WHERE delivery.account_id = $1 AND delivery.id = chosen.id AND delivery.day = chosen.day
    RETURNING delivery.id, delivery.day, delivery.target, delivery.conversation_id, delivery.sequence
)
INSERT INTO delivery_queue (account_id, delivery_id, day, target, conversation_id, sequence, due_at)
SELECT $1, id, day, target, conversation_id, sequence, $2 FROM again
ON CONFLICT (account_id, delivery_id) DO UPDATE SET due_at = excluded.due_at, is_told_failed = false
"""

MOST_REPLAYED = 10_000


async def cancel_queued(tx: Tx, account_id: int, target: str) -> None:
    """Send nothing more of what waits for this target."""
    await tx.execute(CANCEL_QUEUED, account_id, target)


async def replay_one(tx: Tx, account_id: int, delivery_id: UUID, day: datetime) -> bool:
    """Queue a delivery again, due now; False when its payload is gone."""
    return await tx.execute(REPLAY_ONE, account_id, clock.now(), delivery_id, day) > 0


async def replay_many(tx: Tx, account_id: int, target: str, span: Span) -> int:
    """Queue deliveries of a span again, the oldest first, 10,000 at most; how many."""
    values = span.since, span.until, span.event_names, span.statuses, MOST_REPLAYED
    return await tx.execute(REPLAY_MANY, account_id, clock.now(), target, *values)


async def retry_message(tx: Tx, account_id: int, message_id: int) -> bool:
    """Queue what an API inbox was not told of this message, due now; whether there is any such."""
    return await tx.execute(RETRY_MESSAGE, account_id, clock.now(), message_id) > 0
