"""The ways to get a contact on somebody's behalf. Contacts are the account's: every member may see each of them."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.contacts import queries
from criachat.contacts.models import Contact, ContactInbox, ListFilter, Merge, Note
from criachat.contacts.queries import lists, merging, notes, transfers
from criachat.contacts.transfers import Export, Import
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing


async def load_contact(db: Db, actor: Actor, contact_id: int) -> Contact:
    """The contact of the caller's account."""
    return existing(await queries.find_contact(db, actor.account_id, contact_id))


async def load_contact_to_change(tx: Tx, actor: Actor, contact_id: int) -> Contact:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_contact(tx, actor.account_id, contact_id))


async def load_contact_to_delete(tx: Tx, actor: Actor, contact_id: int) -> Contact:
    """The same, and nobody opens conversations or sessions for it meanwhile."""
    return existing(await queries.lock_contact_to_delete(tx, actor.account_id, contact_id))


async def is_merging(db: Db, account_id: int, contact_ids: Sequence[int]) -> bool:
    """Whether one of these is about to be part of another contact."""
    return await merging.is_merging(db, account_id, contact_ids)


async def list_merges(db: Db) -> list[Merge]:
    """The contacts of all accounts who become part of another one."""
    return await merging.list_merges(db)


async def find_contact(db: Db, account_id: int, contact_id: int) -> Contact | None:
    """The contact, for listeners, jobs and surfaces that know the account."""
    return await queries.find_contact(db, account_id, contact_id)


async def find_contact_to_change(tx: Tx, account_id: int, contact_id: int) -> Contact | None:
    """The same; nobody else changes it before this transaction ends."""
    return await queries.lock_contact(tx, account_id, contact_id)


async def list_contacts(db: Db, actor: Actor, contact_ids: Sequence[int]) -> list[Contact]:
    """Those of these contacts that the caller's account has."""
    return await lists.list_page(db, actor.account_id, ListFilter(ids=[*contact_ids]), limit=len(contact_ids), offset=0)


async def load_note(db: Db, actor: Actor, contact_id: int, note_id: int) -> Note:
    """A note about a contact of the caller's account."""
    return existing(await notes.find_note(db, await load_contact(db, actor, contact_id), note_id))


async def load_import(db: Db, actor: Actor, import_id: int) -> Import:
    """An import of the caller's account."""
    return existing(await transfers.find_import(db, actor.account_id, import_id))


async def load_export(db: Db, actor: Actor, export_id: int) -> Export:
    """An export of the caller's account."""
    return existing(await transfers.find_export(db, actor.account_id, export_id))


async def find_contact_inbox(db: Db, account_id: int, inbox_id: int, source_id: str) -> ContactInbox | None:
    """The inbox's session with this source id, or None."""
    return await queries.find_contact_inbox(db, account_id, inbox_id, source_id)


async def find_contact_inbox_by_id(db: Db, account_id: int, contact_inbox_id: int) -> ContactInbox | None:
    """The session with this id, or None."""
    return await queries.find_contact_inbox_by_id(db, account_id, contact_inbox_id)


async def find_contact_inbox_by_source_id(db: Db, actor: Actor, source_id: str) -> ContactInbox | None:
    """The newest session with this source id in the caller's account, in whichever inbox."""
    return await queries.find_newest_by_source_id(db, actor.account_id, source_id)
