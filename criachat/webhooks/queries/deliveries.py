"""The SQL of the delivery log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

from criachat.kit.db import Db
from criachat.webhooks.models import Attempt, Delivery, DeliveryFilter, Health

COLUMNS_HEAD: LiteralString = """
SELECT delivery.id, delivery.day, delivery.target, delivery.payload_id, delivery.event_id, delivery.event_name,
    delivery.sequence, delivery.conversation_id, conversations.display_id AS conversation_display_id,
    delivery.message_id, delivery.contact_id, delivery.status, delivery.tries, delivery.last_status,
    delivery.last_error, delivery.delivered_at, delivery.created_at, queued.due_at AS next_try_at
"""
JOINED: LiteralString = """
LEFT JOIN conversations ON conversations.account_id = $1 AND conversations.id = delivery.conversation_id
LEFT JOIN delivery_queue AS queued ON queued.account_id = $1 AND queued.delivery_id = delivery.id
"""
WANTED: LiteralString = """
WHERE delivery.account_id = $1 AND (delivery.created_at, delivery.id) < ($2, $3::uuid)
  AND ($4::text IS NULL OR delivery.status = $4)
  AND ($5::text IS NULL OR delivery.event_name = $5)
  AND ($6::text IS NULL OR delivery.target = $6)
  AND ($7::bigint IS NULL OR delivery.message_id = $7)
  AND ($8::bigint IS NULL OR delivery.conversation_id =
      (SELECT id FROM conversations WHERE account_id = $1 AND display_id = $8))
"""
NEWEST_FIRST: LiteralString = "ORDER BY delivery.created_at DESC, delivery.id DESC\nLIMIT $9"
LOG_HEAD: LiteralString = COLUMNS_HEAD + "FROM webhook_deliveries AS delivery" + JOINED
FIND_DELIVERY: LiteralString = LOG_HEAD + "WHERE delivery.account_id = $1 AND delivery.id = $2"
# One statement for each index that can be asked: a plan made for "or null" could use none of them.
LIST_OF_TARGET: LiteralString = LOG_HEAD + WANTED + "  AND delivery.target = $6\n" + NEWEST_FIRST
LIST_OF_MESSAGE: LiteralString = LOG_HEAD + WANTED + "  AND delivery.message_id = $7\n" + NEWEST_FIRST
LIST_OF_CONVERSATION: LiteralString = (
    LOG_HEAD
    + WANTED
    + """  AND delivery.conversation_id = (SELECT id FROM conversations WHERE account_id = $1 AND display_id = $8)
"""
    + NEWEST_FIRST
)
# The newest of each target there is, and of these the newest.
LIST_OF_ACCOUNT: LiteralString = (
    COLUMNS_HEAD
    + """FROM (
    SELECT 'webhook:' || id AS target FROM webhooks WHERE account_id = $1
    UNION ALL
    SELECT 'api_inbox:' || id FROM inboxes WHERE account_id = $1 AND channel_type = 'Channel::Api'
    UNION ALL
    SELECT 'agent_bot:' || id FROM agent_bots WHERE account_id = $1
    UNION ALL
    SELECT 'address:' || id FROM told_addresses WHERE account_id = $1
) AS known
CROSS JOIN LATERAL (
    SELECT delivery.* FROM webhook_deliveries AS delivery"""
    + WANTED
    + "  AND delivery.target = known.target\n"
    + NEWEST_FIRST
    + "\n) AS delivery"
    + JOINED
    + NEWEST_FIRST
)
FIND_BODY = "SELECT body FROM webhook_payloads WHERE account_id = $1 AND id = $2 AND day = $3"
LIST_ATTEMPTS = """
SELECT number, status, error, headers, answer, duration_ms, first_byte_ms, started_at
FROM delivery_attempts
WHERE account_id = $1 AND delivery_id = $2 AND day = $3
ORDER BY number
LIMIT 200
"""
FIND_HEALTH = """
WITH recent AS MATERIALIZED (
    SELECT id, day, status FROM webhook_deliveries
    WHERE account_id = $1 AND target = $2 AND created_at >= $3
    ORDER BY created_at DESC, id DESC
    LIMIT 10000
), tried AS (
    SELECT count(*) AS tries, count(*) FILTER (WHERE attempts.status BETWEEN 200 AND 299) AS successful_tries,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY attempts.duration_ms) AS p95_ms
    FROM recent
    JOIN delivery_attempts AS attempts ON attempts.account_id = $1 AND attempts.delivery_id = recent.id
        AND attempts.day = recent.day
), waiting AS (
    SELECT count(*) AS waiting, min(due_at) AS next_try_at FROM delivery_queue WHERE account_id = $1 AND target = $2
)
SELECT (SELECT count(*) FROM recent WHERE status = 'delivered') AS delivered,
    (SELECT count(*) FROM recent WHERE status = 'exhausted') AS exhausted, waiting.waiting, tried.tries,
    tried.successful_tries, tried.p95_ms, waiting.next_try_at
FROM tried
CROSS JOIN waiting
"""

NEWEST: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


async def find_delivery(db: Db, account_id: int, delivery_id: UUID) -> Delivery | None:
    """The account's delivery, or None."""
    return await db.fetch_one_or_none(Delivery, FIND_DELIVERY, account_id, delivery_id)


async def list_deliveries(
    db: Db, account_id: int, wanted: DeliveryFilter, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Delivery]:
    """The account's deliveries, newest first, past a place in that order.

    Those of targets that are gone are found by target, message or conversation only.
    """
    values = wanted.status, wanted.event_name, wanted.target, wanted.message_id, wanted.conversation_display_id
    if wanted.message_id is not None:
        statement = LIST_OF_MESSAGE
    elif wanted.conversation_display_id is not None:
        statement = LIST_OF_CONVERSATION
    elif wanted.target is not None:
        statement = LIST_OF_TARGET
    else:
        statement = LIST_OF_ACCOUNT
    return await db.fetch_all(Delivery, statement, account_id, *(before or NEWEST), *values, limit)


async def find_body(db: Db, account_id: int, delivery: Delivery) -> bytes | None:
    """What was sent; None when it is not kept any more."""
    return await db.fetch_value(FIND_BODY, account_id, delivery.payload_id, delivery.day)


async def list_attempts(db: Db, account_id: int, delivery: Delivery) -> list[Attempt]:
    """Every try of a delivery, in order."""
    return await db.fetch_all(Attempt, LIST_ATTEMPTS, account_id, delivery.id, delivery.day)


async def find_health(db: Db, account_id: int, target: str, *, since: datetime) -> Health:
    """How a target did since then, at most the last 10,000 deliveries, and what waits for it."""
    return await db.fetch_one(Health, FIND_HEALTH, account_id, target, since)
