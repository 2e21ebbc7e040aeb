"""The SQL of contacts who become part of another one, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from criachat.contacts.models import Contact, Merge
from criachat.kit import clock
from criachat.kit.db import Db, Tx

# As many as go along when a contact is removed are moved in one breath.
HAS_LONG_HISTORY = """
SELECT (
    SELECT count(*) FROM (
        SELECT FROM contact_inboxes WHERE account_id = $1 AND contact_id = $2 LIMIT $3 + 1
    ) AS found
) > $3 OR (
    SELECT count(*) FROM (
        SELECT FROM conversations WHERE account_id = $1 AND contact_id = $2 LIMIT $3 + 1
    ) AS found
) > $3 OR (
    SELECT count(*) FROM (
        SELECT FROM notes WHERE account_id = $1 AND contact_id = $2 LIMIT $4 + 1
    ) AS found
) > $4 OR (
    SELECT count(*) FROM (
        SELECT FROM conversations
        JOIN messages ON messages.account_id = $1 AND messages.conversation_id = conversations.id
        WHERE conversations.account_id = $1 AND conversations.contact_id = $2
        LIMIT $4 + 1
    ) AS found
) > $4
"""
INSERT_MERGE = """
INSERT INTO contact_merges (account_id, contact_id, into_id, actor, created_at) VALUES ($1, $2, $3, $4, $5)
"""
IS_MERGING = "SELECT EXISTS (SELECT FROM contact_merges WHERE account_id = $1 AND contact_id = ANY($2::bigint[]))"
# Whoever is at it already goes on.
LOCK_MERGE = """
SELECT account_id, contact_id, into_id, actor FROM contact_merges
WHERE account_id = $1 AND contact_id = $2
FOR UPDATE SKIP LOCKED
"""
# Across accounts: a schedule looks after all of them.
LIST_MERGES = """
SELECT account_id, contact_id, into_id, actor FROM contact_merges ORDER BY account_id, contact_id LIMIT 1000
"""
REDIRECT_MERGES = "UPDATE contact_merges SET into_id = $3 WHERE account_id = $1 AND into_id = $2"
MOVE_SOME_SESSIONS = """
UPDATE contact_inboxes SET contact_id = $3, updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM contact_inboxes WHERE account_id = $1 AND contact_id = $2 ORDER BY id DESC LIMIT $5
    FOR NO KEY UPDATE
))
"""
MOVE_SOME_NOTES = """
UPDATE notes SET contact_id = $3
WHERE account_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM notes WHERE account_id = $1 AND contact_id = $2 ORDER BY id LIMIT $4 FOR NO KEY UPDATE
))
"""


async def has_long_history(db: Db, contact: Contact, *, conversations: int, messages: int) -> bool:
    """Whether they have more sessions or conversations, or more was said with them or noted, than that."""
    return await db.fetch_value(HAS_LONG_HISTORY, contact.account_id, contact.id, conversations, messages)


async def insert_merge(tx: Tx, contact: Contact, into: Contact, actor: dict[str, Any]) -> None:
    """Note that one contact becomes part of another."""
    await tx.execute(INSERT_MERGE, contact.account_id, contact.id, into.id, actor, clock.now())


async def is_merging(db: Db, account_id: int, contact_ids: Sequence[int]) -> bool:
    """Whether one of these becomes part of another contact."""
    return await db.fetch_value(IS_MERGING, account_id, contact_ids)


async def lock_merge(tx: Tx, account_id: int, contact_id: int) -> Merge | None:
    """Who this contact becomes part of, for this transaction alone; None when nobody, or when others are at it."""
    return await tx.fetch_one_or_none(Merge, LOCK_MERGE, account_id, contact_id)


async def list_merges(db: Db) -> list[Merge]:
    """Those of all accounts."""
    return await db.fetch_all(Merge, LIST_MERGES)


async def redirect_merges(tx: Tx, contact: Contact, to: Contact) -> None:
    """Have who becomes part of one contact become part of another."""
    await tx.execute(REDIRECT_MERGES, contact.account_id, contact.id, to.id)


async def move_some_sessions(tx: Tx, contact: Contact, to: Contact, *, limit: int) -> int:
    """Have so many sessions of one contact, the newest, be another's; how many there were."""
    return await tx.execute(MOVE_SOME_SESSIONS, contact.account_id, contact.id, to.id, clock.now(), limit)


async def move_some_notes(tx: Tx, contact: Contact, to: Contact, *, limit: int) -> int:
    """The same of notes."""
    return await tx.execute(MOVE_SOME_NOTES, contact.account_id, contact.id, to.id, limit)
