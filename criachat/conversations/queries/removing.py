"""The SQL that removes conversations of what goes, a batch at a time."""

from __future__ import annotations

from typing import LiteralString

from criachat.kit.db import Tx

# What goes with conversations is counted, since one may be a long thread; the first goes however long it is. What
# others write to or remove at the moment is passed over, so that nobody waits for another who waits for them.
AMONG: LiteralString = """id = ANY(ARRAY(
    SELECT weighed.id
    FROM (
        SELECT counted.id, sum(counted.messages) OVER (ORDER BY counted.id) - counted.messages AS before
        FROM (
            SELECT one.id, (
                SELECT count(*) FROM (
                    SELECT FROM messages WHERE messages.account_id = $1 AND messages.conversation_id = one.id LIMIT $3
                ) AS said
            ) AS messages
            FROM (SELECT id FROM conversations WHERE account_id = $1"""
UP_TO: LiteralString = """ LIMIT $2 FOR UPDATE SKIP LOCKED) AS one
        ) AS counted
    ) AS weighed
    WHERE weighed.before < $3
))
"""
DELETE_SOME: LiteralString = "DELETE FROM conversations WHERE account_id = $1 AND " + AMONG + UP_TO
DELETE_SOME_OF_INBOX: LiteralString = (
    "DELETE FROM conversations WHERE account_id = $1 AND " + AMONG + " AND inbox_id = $4" + UP_TO
)
DELETE_SOME_OF_CONTACT: LiteralString = (
    "DELETE FROM conversations WHERE account_id = $1 AND " + AMONG + " AND contact_id = $4" + UP_TO
)


async def delete_some(tx: Tx, account_id: int, *, limit: int, messages: int) -> int:
    """Remove so many conversations of an account, or fewer in which so much was said; how many there were."""
    return await tx.execute(DELETE_SOME, account_id, limit, messages)


async def delete_some_of_inbox(tx: Tx, account_id: int, inbox_id: int, *, limit: int, messages: int) -> int:
    """The same of an inbox."""
    return await tx.execute(DELETE_SOME_OF_INBOX, account_id, limit, messages, inbox_id)


async def delete_some_of_contact(tx: Tx, account_id: int, contact_id: int, *, limit: int, messages: int) -> int:
    """The same of a contact."""
    return await tx.execute(DELETE_SOME_OF_CONTACT, account_id, limit, messages, contact_id)
