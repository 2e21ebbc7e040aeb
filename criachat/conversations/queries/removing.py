"""The SQL that removes conversations: one at once, and those of what goes a batch at a time."""

from __future__ import annotations

from typing import LiteralString

from criachat.conversations.models import Conversation
from criachat.kit import clock
from criachat.kit.db import Tx

DELETE_UNLESS_LONG = """
DELETE FROM conversations
WHERE account_id = $1 AND id = $2
  AND (
      SELECT count(*) FROM (
          SELECT FROM messages WHERE messages.account_id = $1 AND messages.conversation_id = $2 LIMIT $3 + 1
      ) AS said
  ) <= $3
RETURNING id
"""
# Whoever is just writing in it finds another version, looks again, and finds it gone.
GIVE_AWAY = """
UPDATE conversations
SET contact_id = $3, contact_inbox_id = $4, version = version + 1,
    updated_at = greatest($5, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
# What goes with conversations is counted, since one may be a long thread: those with the fewest messages go first, as
# many as have so many together; where each has more alone, one of them is made shorter. What others write to or remove
# at the moment is passed over, so that nobody waits for another who waits for them.
SOME: tuple[LiteralString, LiteralString] = (
    "WITH one AS (SELECT id FROM conversations WHERE account_id = $1",
    """ LIMIT $2 FOR UPDATE SKIP LOCKED
), counted AS MATERIALIZED (
    SELECT one.id, (
        SELECT count(*) FROM (
            SELECT FROM messages WHERE messages.account_id = $1 AND messages.conversation_id = one.id LIMIT $3 + 1
        ) AS said
    ) AS messages
    FROM one
), weighed AS MATERIALIZED (
    SELECT id, messages, sum(messages) OVER (ORDER BY messages, id) AS so_far FROM counted
), gone AS (
    DELETE FROM conversations
    WHERE account_id = $1 AND id = ANY(ARRAY(SELECT id FROM weighed WHERE so_far <= $3))
    RETURNING id
), shortened AS (
    SELECT shorten_conversation($1, long.id, $3) AS messages
    FROM (
        SELECT id FROM weighed WHERE NOT EXISTS (SELECT FROM weighed WHERE so_far <= $3) ORDER BY id LIMIT 1
    ) AS long
)
SELECT (SELECT count(*) FROM gone) + coalesce((SELECT sum(messages) FROM shortened), 0)::bigint
""",
)
DELETE_SOME: LiteralString = SOME[0] + SOME[1]
DELETE_SOME_OF_INBOX: LiteralString = SOME[0] + " AND inbox_id = $4" + SOME[1]
DELETE_SOME_OF_CONTACT: LiteralString = SOME[0] + " AND contact_id = $4" + SOME[1]


async def delete_unless_long(tx: Tx, conversation: Conversation, *, messages: int) -> bool:
    """Remove it with all that hangs on it; False when it has more messages than that, or somebody was faster."""
    key = conversation.account_id, conversation.id
    return await tx.fetch_value(DELETE_UNLESS_LONG, *key, messages) is not None


async def give_away(tx: Tx, conversation: Conversation, *, contact_id: int, contact_inbox_id: int) -> bool:
    """Have it be this contact's, in this session of theirs; False when it is gone."""
    key = conversation.account_id, conversation.id
    return await tx.execute(GIVE_AWAY, *key, contact_id, contact_inbox_id, clock.now()) > 0


async def delete_some(tx: Tx, account_id: int, *, limit: int, messages: int) -> int:
    """Remove so many conversations of an account, or fewer in which so much was said, or so many messages of a long
    one; how much there was."""
    return await tx.fetch_value(DELETE_SOME, account_id, limit, messages)


async def delete_some_of_inbox(tx: Tx, account_id: int, inbox_id: int, *, limit: int, messages: int) -> int:
    """The same of an inbox."""
    return await tx.fetch_value(DELETE_SOME_OF_INBOX, account_id, limit, messages, inbox_id)


async def delete_some_of_contact(tx: Tx, account_id: int, contact_id: int, *, limit: int, messages: int) -> int:
    """The same of a contact."""
    return await tx.fetch_value(DELETE_SOME_OF_CONTACT, account_id, limit, messages, contact_id)
