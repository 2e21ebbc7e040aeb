"""The SQL that changes conversations."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

import msgspec

from criachat.contacts.models import ContactInbox
from criachat.conversations.models import Conversation, Opening
from criachat.conversations.queries import COLUMNS, JOINS, NAMED, OWN_COLUMNS
from criachat.conversations.snapshots import Status
from criachat.kit import clock
from criachat.kit.db import Db, Tx

# The counter's row is locked until the transaction ends, so this comes as late as it can.
INSERT_CONVERSATION: LiteralString = (
    """
WITH number AS (
    UPDATE account_counters SET conversations = conversations + 1 WHERE account_id = $1 RETURNING conversations
), opened AS (
    INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, status, snoozed_until,
        assignee_id, team_id, custom_attributes, additional_attributes, waiting_since, last_activity_at, created_at,
        updated_at)
    SELECT $1, number.conversations, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12, $12 FROM number
    RETURNING"""
    + OWN_COLUMNS
    + NAMED
    + ")\nSELECT"
    + COLUMNS
    + "FROM opened AS conversations"
    + JOINS
)
# Everything an operation may change, in one statement. Nothing is written when somebody changed the conversation since
# it had the version $4; the time is taken before the row is locked, so it is kept from going back.
SAVE_CONVERSATION: LiteralString = (
    """
WITH saved AS (
    UPDATE conversations
    SET status = $5, priority = $6, assignee_id = $7, assignee_agent_bot_id = $8, team_id = $9, labels = $10,
        snoozed_until = $11, custom_attributes = $12, waiting_since = $13, contact_last_seen_at = $14,
        version = version + 1, updated_at = greatest($15, updated_at + interval '1 millisecond')
    WHERE account_id = $1 AND id = $3 AND version = $4
    RETURNING"""
    + OWN_COLUMNS
    + NAMED
    + ")\nSELECT"
    + COLUMNS
    + "FROM saved AS conversations"
    + JOINS
)
# Seen is seen: two tabs that report at once never move it back. Whoever has read the conversation to write the next
# message has to see that nothing is unread any more, so the version moves; `updated_at` does not.
SET_SEEN_BY_TEAM: LiteralString = (
    """
WITH seen AS (
    UPDATE conversations
    SET agent_last_seen_at = greatest($4, agent_last_seen_at),
        assignee_last_seen_at = CASE WHEN assignee_id = $2 THEN greatest($4, assignee_last_seen_at)
            ELSE assignee_last_seen_at END,
        unread_count = 0, version = version + 1
    WHERE account_id = $1 AND id = $3
    RETURNING"""
    + OWN_COLUMNS
    + NAMED
    + ")\nSELECT"
    + COLUMNS
    + "FROM seen AS conversations"
    + JOINS
)
# The newest thousand messages are more than anybody calls unread; the last incoming one always is.
SET_UNREAD: LiteralString = (
    """
WITH unread AS (
    UPDATE conversations
    SET agent_last_seen_at = last_incoming_at - interval '1 second',
        assignee_last_seen_at = last_incoming_at - interval '1 second',
        unread_count = CASE WHEN last_incoming_at IS NULL THEN 0 ELSE greatest(1, (
            SELECT count(*)
            FROM (SELECT message_type, created_at FROM messages
                WHERE messages.account_id = $1 AND messages.conversation_id = $3 ORDER BY id DESC LIMIT 1000) AS newest
            WHERE message_type = 0 AND newest.created_at > conversations.last_incoming_at - interval '1 second')) END,
        version = version + 1
    WHERE account_id = $1 AND id = $3
    RETURNING"""
    + OWN_COLUMNS
    + NAMED
    + ")\nSELECT"
    + COLUMNS
    + "FROM unread AS conversations"
    + JOINS
)
SET_LAST_MESSAGES = """
UPDATE conversations
SET last_messages = $3, version = version + 1, updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING updated_at
"""
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
FOLD_MARKED_COUNTS = """
WITH old AS (
    DELETE FROM marked_counts WHERE account_id = $1
    RETURNING account_id, mark, inbox_id, status, team_id, assignee_id, difference
)
INSERT INTO marked_counts (account_id, mark, inbox_id, status, team_id, assignee_id, difference)
SELECT account_id, mark, inbox_id, status, team_id, assignee_id, sum(difference)
FROM old
GROUP BY account_id, mark, inbox_id, status, team_id, assignee_id
HAVING sum(difference) <> 0
"""
# Across accounts: what is snoozed is little, and most accounts have nothing due.
LIST_DUE_SNOOZED = """
SELECT account_id, id FROM conversations
WHERE status = 'snoozed' AND snoozed_until <= $1
ORDER BY snoozed_until, account_id, id
LIMIT $2
"""
# Most conversations have no label and are left out of the index of labels.
LIST_LABELLED: LiteralString = (
    "SELECT"
    + COLUMNS
    + "FROM conversations"
    + JOINS
    + """WHERE conversations.account_id = $1 AND conversations.labels <> '{}'
  AND conversations.labels @> ARRAY[$3::text]
ORDER BY conversations.id
LIMIT $4
"""
)
# Across accounts: those with more lines than kinds.
LIST_ACCOUNTS_TO_FOLD = """
SELECT account_id
FROM (
    SELECT account_id, count(*) AS lines FROM conversation_counts
    GROUP BY account_id, inbox_id, status, team_id, assignee_id
    UNION ALL
    SELECT account_id, count(*) FROM marked_counts
    GROUP BY account_id, mark, inbox_id, status, team_id, assignee_id
) AS kinds
GROUP BY account_id
HAVING max(lines) > 1
ORDER BY account_id
"""


class Place(msgspec.Struct, frozen=True):
    """Which conversation of which account, by database id."""

    account_id: int
    id: int


async def insert_conversation(
    tx: Tx, session: ContactInbox, opening: Opening, *, status: Status, user_id: int | None
) -> Conversation:
    """A new conversation in the session, under the account's next number."""
    return await tx.fetch_one(
        Conversation,
        INSERT_CONVERSATION,
        session.account_id,
        user_id,
        session.inbox_id,
        session.contact_id,
        session.id,
        status,
        opening.snoozed_until if status == "snoozed" else None,
        opening.assignee_id,
        opening.team_id,
        opening.custom_attributes,
        opening.additional_attributes,
        clock.now(),
    )


async def save_conversation(tx: Tx, wanted: Conversation, *, user_id: int | None) -> Conversation | None:
    """Write what the conversation became, and read it; None when it is no longer the version it was made from."""
    return await tx.fetch_one_or_none(
        Conversation,
        SAVE_CONVERSATION,
        wanted.account_id,
        user_id,
        wanted.id,
        wanted.version,
        wanted.status,
        wanted.priority,
        wanted.assignee_id,
        wanted.assignee_agent_bot_id,
        wanted.team_id,
        wanted.labels,
        wanted.snoozed_until,
        wanted.custom_attributes,
        wanted.waiting_since,
        wanted.contact_last_seen_at,
        clock.now(),
    )


async def set_seen_by_team(tx: Tx, conversation: Conversation, user_id: int | None) -> Conversation | None:
    """The team has seen everything up to now; the conversation as it is then, None when it is gone."""
    key = conversation.account_id, user_id, conversation.id
    return await tx.fetch_one_or_none(Conversation, SET_SEEN_BY_TEAM, *key, clock.now())


async def set_unread(tx: Tx, conversation: Conversation, user_id: int | None) -> Conversation | None:
    """The last incoming message has not been seen; the caller holds the row's lock."""
    key = conversation.account_id, user_id, conversation.id
    return await tx.fetch_one_or_none(Conversation, SET_UNREAD, *key)


async def set_last_messages(tx: Tx, conversation: Conversation, last_messages: object) -> datetime:
    """Write the newest messages as lists show them; when the conversation was changed by that."""
    key = (conversation.account_id, conversation.id)
    return await tx.fetch_value(SET_LAST_MESSAGES, *key, last_messages, clock.now())


async def insert_participant(tx: Tx, conversation: Conversation, user_id: int) -> None:
    """Have the person told of new messages; nothing happens when they are already."""
    await tx.execute(INSERT_PARTICIPANT, conversation.account_id, conversation.id, user_id, clock.now())


async def fold_counts(tx: Tx, account_id: int) -> None:
    """Add the differences of an account up, one line a kind."""
    await tx.execute(FOLD_COUNTS, account_id)
    await tx.execute(FOLD_MARKED_COUNTS, account_id)


async def list_accounts_to_fold(db: Db) -> list[int]:
    """Accounts whose differences can be added up."""
    return await db.fetch_values(LIST_ACCOUNTS_TO_FOLD)


async def list_due_snoozed(db: Db, *, limit: int) -> list[Place]:
    """Snoozed conversations whose time has come."""
    return await db.fetch_all(Place, LIST_DUE_SNOOZED, clock.now(), limit)


async def list_labelled(db: Db, account_id: int, title: str, *, limit: int) -> list[Conversation]:
    """So many of the conversations that have this label."""
    return await db.fetch_all(Conversation, LIST_LABELLED, account_id, None, title, limit)
