"""The SQL of notes."""

from __future__ import annotations

from typing import LiteralString

from criachat.contacts.models import Contact, Note
from criachat.kit import clock
from criachat.kit.db import Db, Tx

COLUMNS: LiteralString = "account_id, id, contact_id, user_id, content, created_at, updated_at"
LIST_NOTES: LiteralString = (
    "SELECT "
    + COLUMNS
    + """
FROM notes
WHERE account_id = $1 AND contact_id = $2
ORDER BY id DESC
LIMIT 1000
"""
)
FIND_NOTE: LiteralString = "SELECT " + COLUMNS + " FROM notes WHERE account_id = $1 AND contact_id = $2 AND id = $3"
INSERT_NOTE: LiteralString = (
    """
INSERT INTO notes (account_id, contact_id, user_id, content, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5)
RETURNING """
    + COLUMNS
)
SAVE_NOTE: LiteralString = (
    """
UPDATE notes
SET user_id = $3, content = $4, updated_at = greatest($5, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING """
    + COLUMNS
)
DELETE_NOTE = "DELETE FROM notes WHERE account_id = $1 AND id = $2"
MOVE_NOTES = "UPDATE notes SET contact_id = $3 WHERE account_id = $1 AND contact_id = $2"


async def list_notes(db: Db, contact: Contact) -> list[Note]:
    """The thousand newest notes about a contact, newest first."""
    return await db.fetch_all(Note, LIST_NOTES, contact.account_id, contact.id)


async def find_note(db: Db, contact: Contact, note_id: int) -> Note | None:
    """The note about this contact, or None."""
    return await db.fetch_one_or_none(Note, FIND_NOTE, contact.account_id, contact.id, note_id)


async def insert_note(tx: Tx, contact: Contact, *, user_id: int | None, content: str) -> Note:
    """A new note."""
    return await tx.fetch_one(Note, INSERT_NOTE, contact.account_id, contact.id, user_id, content, clock.now())


async def save_note(tx: Tx, note: Note, *, user_id: int | None, content: str) -> Note | None:
    """Write what a note became and who wrote it; None when it is gone."""
    return await tx.fetch_one_or_none(Note, SAVE_NOTE, note.account_id, note.id, user_id, content, clock.now())


async def delete_note(tx: Tx, note: Note) -> None:
    """Remove it."""
    await tx.execute(DELETE_NOTE, note.account_id, note.id)


async def move_notes(tx: Tx, contact: Contact, to: Contact) -> None:
    """Have the notes about one contact be about another."""
    await tx.execute(MOVE_NOTES, contact.account_id, contact.id, to.id)
