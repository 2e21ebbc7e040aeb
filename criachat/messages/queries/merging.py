"""The SQL of what was said by a contact who becomes part of another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from criachat.kit.db import Db, Tx

SET_CONTACT = """
UPDATE messages SET sender_id = $4, version = version + 1
WHERE account_id = $1 AND conversation_id = ANY($2::bigint[]) AND sender_type = 'Contact' AND sender_id = $3
"""
# Some of a contact's conversations, those with the fewest messages of theirs first. What others write to at the moment
# is passed over.
LIST_WEIGHED = """
WITH theirs AS (
    SELECT id FROM conversations WHERE account_id = $1 AND contact_id = $2
    ORDER BY id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
), counted AS MATERIALIZED (
    SELECT theirs.id, (
        SELECT count(*) FROM (
            SELECT FROM messages
            WHERE account_id = $1 AND conversation_id = theirs.id AND sender_type = 'Contact' AND sender_id = $2
            LIMIT $4 + 1
        ) AS said
    ) AS messages
    FROM theirs
)
SELECT id, (sum(messages) OVER (ORDER BY messages, id))::bigint AS so_far FROM counted ORDER BY so_far, id
"""
SET_CONTACT_OF_SOME = """
UPDATE messages SET sender_id = $4, version = version + 1
WHERE account_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM messages
    WHERE account_id = $1 AND conversation_id = $2 AND sender_type = 'Contact' AND sender_id = $3
    ORDER BY id
    LIMIT $5
))
"""
HAS_CONVERSATIONS = "SELECT EXISTS (SELECT FROM conversations WHERE account_id = $1 AND contact_id = $2)"


class Move(NamedTuple):
    """Which contact becomes part of which other one."""

    account_id: int
    from_id: int
    to_id: int


class Weighed(msgspec.Struct, frozen=True):
    """A conversation by its database id, and how much its contact said in it and those before it."""

    id: int
    so_far: int


async def set_contact(tx: Tx, move: Move, conversation_ids: Sequence[int]) -> None:
    """Have the other contact be who wrote in these conversations what this one wrote."""
    await tx.execute(SET_CONTACT, move.account_id, conversation_ids, move.from_id, move.to_id)


async def list_weighed(tx: Tx, move: Move, *, limit: int, messages: int) -> list[Weighed]:
    """So many conversations of the contact, locked; of one in which they said more than `messages` no more is known."""
    return await tx.fetch_all(Weighed, LIST_WEIGHED, move.account_id, move.from_id, limit, messages)


async def set_contact_of_some(tx: Tx, move: Move, conversation_id: int, *, limit: int) -> None:
    """Have the other contact be who wrote so many of the messages that this one wrote in a conversation."""
    await tx.execute(SET_CONTACT_OF_SOME, move.account_id, conversation_id, move.from_id, move.to_id, limit)


async def has_conversations(db: Db, move: Move) -> bool:
    """Whether conversations of the contact are left."""
    return await db.fetch_value(HAS_CONVERSATIONS, move.account_id, move.from_id)
