"""Notes about contacts, over HTTP."""

from __future__ import annotations

from criachat.contacts import access
from criachat.contacts.models import Note
from criachat.contacts.operations import notes as operations
from criachat.contacts.queries import notes
from criachat.contacts.schemas.notes import NoteOut, NoteParams, note_out
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.users import access as users
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}/contacts/{contact_id}/notes", tag="Contacts", scope="contacts")


@routes.get(actors=AGENT)
async def list_notes(db: Db, actor: Actor, shown: Shown, contact_id: int) -> list[NoteOut]:
    """The thousand newest notes about the contact, newest first."""
    found = await notes.list_notes(db, await access.load_contact(db, actor, contact_id))
    authors = await users.list_colleagues(db, actor, [*{each.user_id for each in found if each.user_id is not None}])
    return [note_out(note, authors, shown) for note in found]


@routes.post(actors=AGENT, wrapper="note")
async def create_note(tx: Tx, actor: Actor, shown: Shown, contact_id: int, params: NoteParams) -> NoteOut:
    """A new note about the contact, by the caller."""
    contact = await access.load_contact(tx, actor, contact_id)
    return await _note(tx, actor, shown, await operations.create_note(tx, contact, params.content, actor=actor))


@routes.get("/{note_id}", actors=AGENT)
async def show_note(db: Db, actor: Actor, shown: Shown, contact_id: int, note_id: int) -> NoteOut:
    """One note."""
    return await _note(db, actor, shown, await access.load_note(db, actor, contact_id, note_id))


@routes.update("/{note_id}", actors=AGENT, wrapper="note")
async def change_note(tx: Tx, actor: Actor, shown: Shown, contact_id: int, note_id: int, params: NoteParams) -> NoteOut:
    """Write a note anew; it is the caller's then. Blank content changes nothing."""
    note = await access.load_note(tx, actor, contact_id, note_id)
    return await _note(tx, actor, shown, await operations.change_note(tx, note, params.content, actor=actor))


@routes.delete("/{note_id}", actors=AGENT)
async def delete_note(tx: Tx, actor: Actor, contact_id: int, note_id: int) -> None:
    """Remove a note."""
    await operations.delete_note(tx, await access.load_note(tx, actor, contact_id, note_id))


async def _note(db: Db, actor: Actor, shown: Shown, note: Note) -> NoteOut:
    author = await users.find_colleague(db, actor, note.user_id)
    return note_out(note, [] if author is None else [author], shown)
