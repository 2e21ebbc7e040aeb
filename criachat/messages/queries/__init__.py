"""The SQL of messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import msgspec

from criachat.conversations.models import Conversation
from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.messages.models import Answers, Message

ATTACHMENT: LiteralString = """json_build_object('id', id, 'message_id', message_id, 'account_id', account_id,
            'file_type', file_type, 'file_key', file_key, 'filename', filename, 'content_type', content_type,
            'extension', extension, 'byte_size', byte_size, 'width', width, 'height', height,
            'external_url', external_url, 'coordinates_lat', coordinates_lat, 'coordinates_long', coordinates_long,
            'fallback_title', fallback_title, 'meta', meta)"""
MESSAGE_HEAD: LiteralString = (
    """
SELECT messages.account_id, messages.id, messages.conversation_id, messages.inbox_id, messages.message_type,
    messages.content_type, messages.content, messages.content_attributes, messages.additional_attributes,
    messages.external_source_ids, messages.private, messages.status, messages.source_id, messages.sender_type,
    messages.sender_id, messages.created_at, messages.updated_at,
    users.name AS user_name, users.display_name AS user_display_name, users.email AS user_email,
    users.avatar_key AS user_avatar_key,
    account_users.availability AS user_availability, account_users.auto_offline AS user_auto_offline,
    agent_bots.name AS bot_name, agent_bots.avatar_key AS bot_avatar_key,
    CASE WHEN messages.has_attachments THEN (
        SELECT json_agg("""
    + ATTACHMENT
    + """ ORDER BY id)
        FROM attachments WHERE attachments.account_id = $1 AND attachments.message_id = messages.id
    ) END AS attachments
"""
)
# What the head reads of a message, where only some rows are read.
ROW: LiteralString = """
        account_id, id, conversation_id, inbox_id, message_type, content_type, content, content_attributes,
        additional_attributes, external_source_ids, private, status, source_id, sender_type, sender_id,
        has_attachments, created_at, updated_at"""
MESSAGE_JOINS: LiteralString = """
LEFT JOIN users ON messages.sender_type = 'User' AND users.id = messages.sender_id
LEFT JOIN account_users ON account_users.account_id = $1 AND account_users.user_id = users.id
LEFT JOIN agent_bots ON messages.sender_type = 'AgentBot' AND agent_bots.account_id = $1
    AND agent_bots.id = messages.sender_id
"""
MESSAGE: LiteralString = (
    MESSAGE_HEAD
    + "FROM messages"
    + MESSAGE_JOINS
    + "WHERE messages.account_id = $1 AND messages.conversation_id = $2\n"
)
PUBLIC: LiteralString = "  AND NOT messages.private AND messages.message_type <> 2\n"
LIST_PUBLIC_MESSAGES: LiteralString = MESSAGE + PUBLIC + "  AND messages.id < $3\nORDER BY messages.id DESC LIMIT 20"
# From $3 on, at most $4 messages, and none behind the one that makes them longer than $5 bytes.
LIST_PUBLIC_RUN: LiteralString = (
    MESSAGE_HEAD
    + """FROM (
    SELECT"""
    + ROW
    + """
    FROM (
        SELECT"""
    + ROW
    + """,
            sum(coalesce(octet_length(content), 0) + octet_length(content_attributes::text)) OVER (
                ORDER BY messages.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier_bytes
        FROM messages
        WHERE messages.account_id = $1 AND messages.conversation_id = $2 AND messages.id >= $3
"""
    + PUBLIC
    + """        ORDER BY messages.id
        LIMIT $4
    ) AS earliest
    WHERE coalesce(earlier_bytes, 0) < $5
) AS messages"""
    + MESSAGE_JOINS
    + "ORDER BY messages.id"
)

LIST_MESSAGES_BY_ID: LiteralString = (
    MESSAGE_HEAD
    + "FROM messages"
    + MESSAGE_JOINS
    + "WHERE messages.account_id = $1 AND messages.id = ANY($2::bigint[])"
)
FIND_MESSAGE: LiteralString = MESSAGE + "  AND messages.id = $3"
FIND_BY_CLIENT_MESSAGE_ID: LiteralString = MESSAGE + "  AND messages.client_message_id = $3"
# What contacts see of several conversations, the newest of each.
LIST_RECENT_OF_EACH: LiteralString = (
    MESSAGE_HEAD
    + """FROM unnest($2::bigint[]) AS asked (id)
CROSS JOIN LATERAL (
    SELECT"""
    + ROW
    + """
    FROM (
        SELECT"""
    + ROW
    + """,
            sum($5::integer + coalesce(octet_length(content), 0)) OVER (
                ORDER BY messages.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newer_bytes
        FROM messages
        WHERE messages.account_id = $1 AND messages.conversation_id = asked.id
          AND NOT messages.private AND messages.message_type <> 2
        ORDER BY messages.id DESC
        LIMIT $3
    ) AS newest
    WHERE coalesce(newer_bytes, 0) < $4
) AS messages"""
    + MESSAGE_JOINS
    + "ORDER BY messages.conversation_id, messages.id"
)
FIND_BY_SOURCE_ID = """
SELECT message_id FROM message_source_ids WHERE account_id = $1 AND inbox_id = $2 AND source_id = $3
"""
FIND_PLACE = "SELECT conversation_id FROM messages WHERE account_id = $1 AND id = $2"
FIND_REPLIED_TO = """
SELECT id, source_id FROM messages
WHERE account_id = $1 AND conversation_id = $2 AND inbox_id = $5 AND (id = $3 OR ($3 IS NULL AND source_id = $4))
ORDER BY id DESC
LIMIT 1
"""
SAVE_MESSAGE = """
UPDATE messages
SET content = $3, content_type = $4, content_attributes = $5, status = $6, source_id = $7, has_attachments = $8,
    version = version + 1, updated_at = greatest($9, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING updated_at
"""
# Asked whenever the contact looks: of the newest thousand messages, so that long threads are not walked to their end.
LIST_UNREAD_BY_CONTACT: LiteralString = (
    MESSAGE_HEAD
    + """FROM (
    SELECT"""
    + ROW
    + """
    FROM messages WHERE account_id = $1 AND conversation_id = $2 ORDER BY id DESC LIMIT 1000
) AS messages"""
    + MESSAGE_JOINS
    + """WHERE message_type <> 0 AND status IN ('sent', 'delivered') AND messages.created_at <= $3
ORDER BY messages.id"""
)
SET_READ = """
UPDATE messages
SET status = 'read', version = version + 1, updated_at = greatest($3, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = ANY($2::bigint[])
RETURNING id, updated_at
"""
# Asked with every incoming message: the first part is answered by an index of what the product said, and then ends.
FIND_ANSWERS = """
SELECT last_template_at,
    last_template_at IS NOT NULL OR EXISTS (SELECT FROM messages
        WHERE account_id = $1 AND conversation_id = $2 AND message_type = 1) AS is_answered
FROM (SELECT max(created_at) AS last_template_at FROM messages
    WHERE account_id = $1 AND conversation_id = $2 AND message_type = 3) AS said
"""
# The newest thousand: more than a conversation takes in the few minutes that are asked about.
HAS_REPLY_SINCE = """
SELECT EXISTS (
    SELECT FROM (SELECT created_at, message_type, private FROM messages
        WHERE account_id = $1 AND conversation_id = $2 ORDER BY id DESC LIMIT 1000) AS newest
    WHERE message_type = 1 AND NOT private AND created_at > $3
)
"""
LIST_TEAM_NAMES = "SELECT id, name FROM teams WHERE account_id = $1 AND id = ANY($2::bigint[])"


class RepliedTo(msgspec.Struct, frozen=True):
    """The message another one answers."""

    id: int
    source_id: str | None


class TeamName(msgspec.Struct, frozen=True):
    """What a team is called."""

    id: int
    name: str


class Written(msgspec.Struct, frozen=True):
    """When a row was changed."""

    id: int
    updated_at: datetime


async def list_public_messages(db: Db, account_id: int, conversation_id: int, *, before: int) -> list[Message]:
    """Of the messages of the thread that contacts may see, the newest 20 before an id, oldest first."""
    return (await db.fetch_all(Message, LIST_PUBLIC_MESSAGES, account_id, conversation_id, before))[::-1]


async def list_public_run(
    db: Db, account_id: int, conversation_id: int, *, first: int, limit: int, limit_bytes: int
) -> list[Message]:
    """The messages from an id on that contacts may see, oldest first; one at least when there is any."""
    bounds = (first, limit, limit_bytes)
    return await db.fetch_all(Message, LIST_PUBLIC_RUN, account_id, conversation_id, *bounds)


async def list_recent_of_each(
    db: Db, account_id: int, conversation_ids: Sequence[int], *, limit: int, limit_bytes: int, bytes_each: int
) -> list[Message]:
    """The newest messages that contacts may see of each of these conversations, oldest first.

    Of each conversation there are no more messages than `limit`, and no more of them once their texts, with
    `bytes_each` for what stands beside each, are longer than `limit_bytes`.
    """
    values = (account_id, conversation_ids, limit, limit_bytes, bytes_each)
    return await db.fetch_all(Message, LIST_RECENT_OF_EACH, *values)


async def find_message(db: Db, account_id: int, conversation_id: int, message_id: int) -> Message | None:
    """The conversation's message with this id, or None."""
    return await db.fetch_one_or_none(Message, FIND_MESSAGE, account_id, conversation_id, message_id)


async def find_by_client_message_id(
    db: Db, account_id: int, conversation_id: int, client_message_id: str
) -> Message | None:
    """The conversation's message that its sender called so, or None."""
    return await db.fetch_one_or_none(
        Message, FIND_BY_CLIENT_MESSAGE_ID, account_id, conversation_id, client_message_id
    )


async def find_by_source_id(db: Db, account_id: int, inbox_id: int, source_id: str) -> int | None:
    """The id of the inbox's message with this external id, where the inbox takes each once."""
    return await db.fetch_value(FIND_BY_SOURCE_ID, account_id, inbox_id, source_id)


async def find_place(db: Db, account_id: int, message_id: int) -> int | None:
    """The database id of the conversation a message is in."""
    return await db.fetch_value(FIND_PLACE, account_id, message_id)


async def find_replied_to(
    db: Db, conversation: Conversation, message_id: int | None, source_id: str | None
) -> RepliedTo | None:
    """The message of this conversation with this id, or else with this external id."""
    key = (conversation.account_id, conversation.id)
    return await db.fetch_one_or_none(RepliedTo, FIND_REPLIED_TO, *key, message_id, source_id, conversation.inbox_id)


async def save_message(tx: Tx, message: Message) -> datetime:
    """Write what a message became; when."""
    return await tx.fetch_value(
        SAVE_MESSAGE,
        message.account_id,
        message.id,
        message.content,
        message.content_type,
        message.content_attributes,
        message.status,
        message.source_id,
        message.attachments is not None,
        clock.now(),
    )


async def list_unread_by_contact(db: Db, account_id: int, conversation_id: int, until: datetime) -> list[Message]:
    """What was said to the contact until then and is not marked as read yet, oldest first."""
    return await db.fetch_all(Message, LIST_UNREAD_BY_CONTACT, account_id, conversation_id, until)


async def set_read(tx: Tx, account_id: int, message_ids: Sequence[int]) -> dict[int, datetime]:
    """Mark messages as read; when each was changed."""
    written = await tx.fetch_all(Written, SET_READ, account_id, message_ids, clock.now())
    return {each.id: each.updated_at for each in written}


async def find_answers(db: Db, account_id: int, conversation_id: int) -> Answers:
    """What the conversation was answered with."""
    return await db.fetch_one(Answers, FIND_ANSWERS, account_id, conversation_id)


async def has_reply_since(db: Db, account_id: int, conversation_id: int, moment: datetime) -> bool:
    """Whether somebody of the team answered the contact after this moment."""
    return await db.fetch_value(HAS_REPLY_SINCE, account_id, conversation_id, moment)


async def list_team_names(db: Db, account_id: int, team_ids: Sequence[int]) -> dict[int, str]:
    """What these teams are called, those that still exist."""
    found = await db.fetch_all(TeamName, LIST_TEAM_NAMES, account_id, team_ids)
    return {team.id: team.name for team in found}


async def list_messages_by_id(db: Db, account_id: int, message_ids: Sequence[int]) -> list[Message]:
    """Those of these messages that there are."""
    return await db.fetch_all(Message, LIST_MESSAGES_BY_ID, account_id, message_ids)
