"""The SQL that stores what is said: one statement, and the external ids that an inbox takes only once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

import msgspec

from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import LastMessages, MessageSnapshot
from criachat.kit.db import Tx
from criachat.messages.models import Draft

# A message, its conversation's new state, the sign of life of its contact and the events, in one trip: this is what
# happens most. Nothing is written when somebody changed the conversation since it was read ($3 is the version it had
# then); the caller reads again and decides anew. docs/decisions says why one slice's statement writes three tables.
CONVERSATION_HEAD: LiteralString = """
WITH conversation AS (
    UPDATE conversations
    SET status = $4, snoozed_until = $5, last_activity_at = $6, last_incoming_at = $7, unread_count = $8,
        waiting_since = $9, first_reply_created_at = $10, last_messages = $11, recent_minute = $12, recent_count = $13,
        version = version + 1, updated_at = $14
    WHERE account_id = $1 AND id = $2 AND version = $3
    RETURNING id
)"""
CONTACT_PART: LiteralString = """, contact AS (
    UPDATE contacts SET last_activity_at = greatest(last_activity_at, $6)
    WHERE account_id = $1 AND id = (SELECT $28::bigint FROM conversation)
)"""
MESSAGE_PART: LiteralString = """, message AS (
    INSERT INTO messages (account_id, id, conversation_id, inbox_id, message_type, content_type, content,
        content_attributes, additional_attributes, private, source_id, client_message_id, sender_type, sender_id,
        has_attachments, created_at, updated_at)
    SELECT $1, $15, conversation.id, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $28, $26, $6, $6
    FROM conversation
    RETURNING id
), log AS (
    INSERT INTO events (account_id, epoch, name, inbox_id, conversation_id, message_id, contact_id, actor_type,
        actor_id, cause, changes, details, snapshot, created_at)
    SELECT $1, (SELECT epoch FROM event_epoch), told.name, $16, $2, told.message_id, $27, $29, $30, told.cause,
        told.changes, told.details, told.snapshot, $6
    FROM message, unnest($31::text[], $32::text[], $33::bigint[], $34::json[], $35::json[], $36::json[])
        AS told (cause, name, message_id, changes, details, snapshot)
)
SELECT id FROM message
"""
INSERT_MESSAGE: LiteralString = CONVERSATION_HEAD + MESSAGE_PART
INSERT_INCOMING_MESSAGE: LiteralString = CONVERSATION_HEAD + CONTACT_PART + MESSAGE_PART
INSERT_SOURCE_ID = """
INSERT INTO message_source_ids (account_id, inbox_id, source_id, message_id) VALUES ($1, $2, $3, $4)
"""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation becomes by a message."""

    status: str
    snoozed_until: datetime | None
    last_incoming_at: datetime | None
    unread_count: int
    waiting_since: datetime | None
    first_reply_created_at: datetime | None
    last_messages: LastMessages
    recent_minute: datetime
    recent_count: int
    updated_at: datetime


class Told(msgspec.Struct, frozen=True):
    """The events of a message, as arrays."""

    names: list[str]
    message_ids: list[int | None]
    causes: list[str | None]
    changes: list[Any]
    details: list[Any]
    snapshots: list[Any]
    actor_type: str | None
    actor_id: int | None


class NewId(msgspec.Struct, frozen=True):
    """The id of what was inserted."""

    id: int


async def insert_message(
    tx: Tx, conversation: Conversation, draft: Draft, message: MessageSnapshot, state: State, told: Told
) -> bool:
    """Write it all, or nothing when the conversation changed since it was read; whether it was written.

    It closes the transaction unless attachments follow.
    """
    sql = INSERT_INCOMING_MESSAGE if draft.is_from_contact else INSERT_MESSAGE
    values: tuple[object, ...] = (
        conversation.account_id,
        conversation.id,
        conversation.version,
        state.status,
        state.snoozed_until,
        message.created_at,
        state.last_incoming_at,
        state.unread_count,
        state.waiting_since,
        state.first_reply_created_at,
        state.last_messages,
        state.recent_minute,
        state.recent_count,
        state.updated_at,
        message.id,
        conversation.inbox_id,
        message.message_type,
        message.content_type,
        message.content,
        message.content_attributes,
        message.additional_attributes,
        message.private,
        message.source_id,
        draft.client_message_id,
        message.sender_type,
        bool(draft.files),
        conversation.contact_id,
        message.sender_id,
        told.actor_type,
        told.actor_id,
        told.causes,
        told.names,
        told.message_ids,
        told.changes,
        told.details,
        told.snapshots,
    )
    inserted = await tx.fetch_one_and_close(NewId, sql, *values)
    if inserted is None:
        tx.reopen()
    return inserted is not None


async def insert_source_id(tx: Tx, account_id: int, inbox_id: int, source_id: str, message_id: int) -> None:
    """Take an external id for good; a second taker fails on the key and is run again."""
    await tx.execute(INSERT_SOURCE_ID, account_id, inbox_id, source_id, message_id)
