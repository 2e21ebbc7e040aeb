"""What the team writes down about a contact."""

from __future__ import annotations

from criachat.contacts.errors import NoteBlank
from criachat.contacts.models import Contact, Note
from criachat.contacts.queries import notes
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound


async def create_note(tx: Tx, contact: Contact, content: str | None, *, actor: Actor) -> Note:
    """A new note by the caller."""
    if content is None or not content.strip():
        raise NoteBlank
    return await notes.insert_note(tx, contact, user_id=actor.user_id, content=content)


async def change_note(tx: Tx, note: Note, content: str | None, *, actor: Actor) -> Note:
    """The note with other words, by the caller from now on; without any words it stays as it is."""
    if content is None or not content.strip():
        return note
    changed = await notes.save_note(tx, note, user_id=actor.user_id, content=content)
    if changed is None:
        raise NotFound
    return changed


async def delete_note(tx: Tx, note: Note) -> None:
    """Remove a note."""
    await notes.delete_note(tx, note)
