"""The SQL of those who are told of a conversation beside its assignee: participants, and who is mentioned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.conversations.models import Conversation, Mentions
from criachat.kit import clock
from criachat.kit.db import Db, Tx

LIST_PARTICIPANT_IDS = """
SELECT user_id FROM conversation_participants WHERE account_id = $1 AND conversation_id = $2 ORDER BY user_id
"""
FIND_PARTICIPANT = """
SELECT user_id FROM conversation_participants WHERE account_id = $1 AND conversation_id = $2 AND user_id = $3
"""
# Whoever sees the inbox $3: its members and all administrators. In order, so that two who write wait for each other.
WHO_SEES_INBOX: LiteralString = """(account_users.role = 'administrator' OR EXISTS (
        SELECT FROM inbox_members WHERE inbox_members.account_id = $1 AND inbox_members.inbox_id = $3
            AND inbox_members.user_id = account_users.user_id))
ORDER BY account_users.user_id
"""
INSERT_PARTICIPANTS: LiteralString = (
    """
INSERT INTO conversation_participants (account_id, conversation_id, user_id, created_at)
SELECT $1, $2, account_users.user_id, $5
FROM account_users
WHERE account_users.account_id = $1 AND account_users.user_id = ANY($4::bigint[])
  AND """
    + WHO_SEES_INBOX
    + """ON CONFLICT DO NOTHING
RETURNING user_id
"""
)
DELETE_PARTICIPANTS = """
DELETE FROM conversation_participants
WHERE account_id = $1 AND conversation_id = $2 AND user_id = ANY($3::bigint[])
RETURNING user_id
"""
DELETE_OTHER_PARTICIPANTS = """
DELETE FROM conversation_participants
WHERE account_id = $1 AND conversation_id = $2 AND user_id <> ALL($3::bigint[])
RETURNING user_id
"""
# A note that is older than the one that asked for the person last, or is read again, asks for nobody.
INSERT_MENTIONS: LiteralString = (
    """
INSERT INTO mentions (account_id, conversation_id, user_id, message_id, mentioned_at)
SELECT $1, $2, account_users.user_id, $6, $7
FROM account_users
WHERE account_users.account_id = $1
  AND (account_users.user_id = ANY($4::bigint[]) OR EXISTS (
        SELECT FROM team_members WHERE team_members.account_id = $1 AND team_members.team_id = ANY($5::bigint[])
            AND team_members.user_id = account_users.user_id))
  AND """
    + WHO_SEES_INBOX
    + """ON CONFLICT (account_id, conversation_id, user_id)
    DO UPDATE SET message_id = excluded.message_id, mentioned_at = excluded.mentioned_at
    WHERE coalesce(mentions.message_id, 0) < excluded.message_id
RETURNING user_id
"""
)


async def list_participant_ids(db: Db, conversation: Conversation) -> list[int]:
    """Who is told of it."""
    return await db.fetch_values(LIST_PARTICIPANT_IDS, conversation.account_id, conversation.id)


async def is_participant(db: Db, account_id: int, conversation_id: int, user_id: int | None) -> bool:
    """Whether the person is told of it."""
    return await db.fetch_value(FIND_PARTICIPANT, account_id, conversation_id, user_id) is not None


async def insert_participants(tx: Tx, conversation: Conversation, user_ids: Sequence[int]) -> list[int]:
    """Have those of these people told of it who see the inbox; who was not before."""
    key = conversation.account_id, conversation.id, conversation.inbox_id
    return sorted(await tx.fetch_values(INSERT_PARTICIPANTS, *key, user_ids, clock.now()))


async def delete_participants(tx: Tx, conversation: Conversation, user_ids: Sequence[int]) -> list[int]:
    """Have these people told of it no more; who was."""
    return sorted(await tx.fetch_values(DELETE_PARTICIPANTS, conversation.account_id, conversation.id, user_ids))


async def delete_other_participants(tx: Tx, conversation: Conversation, user_ids: Sequence[int]) -> list[int]:
    """Have everybody else told of it no more; who was."""
    return sorted(await tx.fetch_values(DELETE_OTHER_PARTICIPANTS, conversation.account_id, conversation.id, user_ids))


async def insert_mentions(tx: Tx, conversation: Conversation, mentions: Mentions) -> list[int]:
    """Note who is asked for; those of them who see the inbox and were not yet asked by this note."""
    key = conversation.account_id, conversation.id, conversation.inbox_id
    asked = mentions.user_ids, mentions.team_ids, mentions.message_id
    return sorted(await tx.fetch_values(INSERT_MENTIONS, *key, *asked, clock.now()))
