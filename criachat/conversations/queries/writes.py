"""The SQL that changes conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from criachat.conversations.models import Conversation
from criachat.kit import clock
from criachat.kit.db import Tx

# The counter's row is locked until the transaction ends, so this comes as late as it can.
INSERT_CONVERSATION = """
WITH number AS (
    UPDATE account_counters SET conversations = conversations + 1 WHERE account_id = $1 RETURNING conversations
)
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, status, snoozed_until,
    assignee_id, team_id, custom_attributes, additional_attributes, waiting_since, last_activity_at, created_at,
    updated_at)
SELECT $1, number.conversations, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11, $11 FROM number
RETURNING id, uuid::text AS uuid
"""
# Everything an operation may change, in one statement; the caller holds the row's lock and says what it becomes.
SAVE_CONVERSATION = """
UPDATE conversations
SET status = $3, priority = $4, assignee_id = $5, assignee_agent_bot_id = $6, team_id = $7, labels = $8,
    snoozed_until = $9, custom_attributes = $10, waiting_since = $11, contact_last_seen_at = $12,
    version = version + 1, updated_at = greatest($13, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
# Seen is seen: two tabs that report at once never move it back.
SET_SEEN_BY_AGENT = """
UPDATE conversations
SET agent_last_seen_at = greatest($3, agent_last_seen_at),
    assignee_last_seen_at = CASE WHEN assignee_id = $4 THEN greatest($3, assignee_last_seen_at)
        ELSE assignee_last_seen_at END,
    unread_count = 0
WHERE account_id = $1 AND id = $2
"""
SET_LAST_MESSAGES = "UPDATE conversations SET last_messages = $3 WHERE account_id = $1 AND id = $2"
INSERT_PARTICIPANT = """
INSERT INTO conversation_participants (account_id, conversation_id, user_id, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
FOLD_COUNTS = """
WITH old AS (
    DELETE FROM conversation_counts WHERE account_id = $1
    RETURNING account_id, inbox_id, status, team_id, assignee_id, difference
)
INSERT INTO conversation_counts (account_id, inbox_id, status, team_id, assignee_id, difference)
SELECT account_id, inbox_id, status, team_id, assignee_id, sum(difference)
FROM old
GROUP BY account_id, inbox_id, status, team_id, assignee_id
HAVING sum(difference) <> 0
"""
WAKE_SNOOZED = """
SELECT id FROM conversations
WHERE account_id = $1 AND status = 'snoozed' AND snoozed_until <= $2 AND snoozed_until > $2 - interval '3 days'
ORDER BY snoozed_until
LIMIT 500
"""


class Inserted(msgspec.Struct, frozen=True):
    """What the database chose for a new conversation."""

    id: int
    uuid: str


async def insert_conversation(  # noqa: PLR0913 - the columns of a conversation
    tx: Tx,
    *,
    account_id: int,
    inbox_id: int,
    contact_id: int,
    contact_inbox_id: int,
    status: str,
    snoozed_until: datetime | None,
    assignee_id: int | None,
    team_id: int | None,
    custom_attributes: dict[str, Any],
    additional_attributes: dict[str, Any],
) -> Inserted:
    """A new conversation under the account's next number."""
    values = (inbox_id, contact_id, contact_inbox_id, status, snoozed_until, assignee_id, team_id)
    attributes = (custom_attributes, additional_attributes)
    return await tx.fetch_one(Inserted, INSERT_CONVERSATION, account_id, *values, *attributes, clock.now())


async def save_conversation(tx: Tx, after: Conversation) -> None:
    """Write what the conversation became."""
    await tx.execute(
        SAVE_CONVERSATION,
        after.account_id,
        after.id,
        after.status,
        after.priority,
        after.assignee_id,
        after.assignee_agent_bot_id,
        after.team_id,
        after.labels,
        after.snoozed_until,
        after.custom_attributes,
        after.waiting_since,
        after.contact_last_seen_at,
        clock.now(),
    )


async def set_seen_by_agent(tx: Tx, conversation: Conversation, user_id: int | None) -> None:
    """The team has seen everything up to now."""
    await tx.execute(SET_SEEN_BY_AGENT, conversation.account_id, conversation.id, clock.now(), user_id)


async def set_last_messages(tx: Tx, conversation: Conversation, last_messages: object) -> None:
    """Write the newest messages as lists show them."""
    await tx.execute(SET_LAST_MESSAGES, conversation.account_id, conversation.id, last_messages)


async def insert_participant(tx: Tx, conversation: Conversation, user_id: int) -> None:
    """Have the person told of new messages; nothing happens when they are already."""
    await tx.execute(INSERT_PARTICIPANT, conversation.account_id, conversation.id, user_id, clock.now())


async def fold_counts(tx: Tx, account_id: int) -> None:
    """Add the differences of an account up, one line a kind."""
    await tx.execute(FOLD_COUNTS, account_id)


async def list_due_snoozed(tx: Tx, account_id: int) -> Sequence[int]:
    """Snoozed conversations whose time has come, by database id."""
    return await tx.fetch_values(WAKE_SNOOZED, account_id, clock.now())
