"""Two contacts who are one: at once, or, where one of them has a very long history, batch by batch."""

from __future__ import annotations

from typing import Final

import msgspec

from criachat.contacts import queries
from criachat.contacts.events import ContactDeleted, ContactMerged
from criachat.contacts.models import Contact, Merge
from criachat.contacts.operations import contact_event, delete, save
from criachat.contacts.queries import merging
from criachat.contacts.queries.notes import move_notes
from criachat.contacts.rules import details_of, joined_details
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.events import emit
from criachat.labels.titles import label_titles

# What goes along when a contact is removed is moved in one breath too.
MOST_CONVERSATIONS: Final = 500
MOST_MESSAGES: Final = 20_000
BATCH: Final = 200


async def has_long_history(db: Db, contact: Contact) -> bool:
    """Whether more is theirs than can be moved in one breath."""
    return await merging.has_long_history(db, contact, conversations=MOST_CONVERSATIONS, messages=MOST_MESSAGES)


async def absorb(tx: Tx, contact: Contact, other: Contact, *, actor: Actor) -> Contact:
    """Two contacts are one from now on: the first, with the sessions, labels and missing details of the other.

    Both were loaded to be deleted. What hangs on the other and is not moved before goes with it.
    """
    details = joined_details(details_of(contact), details_of(other))
    await _take_over(tx, contact, other)
    after = await save(tx, contact, details, label_titles([*contact.labels, *other.labels]), actor=actor)
    await _tell(tx, after, other, actor=actor)
    return after


async def begin_to_absorb(tx: Tx, contact: Contact, other: Contact, *, actor: Actor) -> Contact:
    """The first contact is who the other was from now on, and the other known by nothing; what is theirs follows.

    Both were loaded to be deleted. Whoever writes to us meanwhile does so as the first: their sessions go ahead.
    """
    details = joined_details(details_of(contact), details_of(other))
    unknown = msgspec.structs.replace(details_of(other), email=None, phone_number=None, identifier=None)
    await save(tx, other, unknown, other.labels, actor=actor)
    after = await save(tx, contact, details, label_titles([*contact.labels, *other.labels]), actor=actor)
    await merging.move_some_sessions(tx, other, after, limit=MOST_CONVERSATIONS)
    acting = msgspec.structs.replace(actor, access_token=None, token_id=None, session_id=None)
    await merging.insert_merge(tx, other, after, msgspec.to_builtins(acting))
    return after


async def hold_merge(tx: Tx, account_id: int, contact_id: int) -> Merge | None:
    """Whom this contact becomes part of, held until the transaction ends; None for nobody, or when others are at it."""
    return await merging.lock_merge(tx, account_id, contact_id)


async def move_some(tx: Tx, contact: Contact, to: Contact) -> int:
    """Have a batch of what is one contact's, but for their conversations, be another's; how much there was."""
    sessions = await merging.move_some_sessions(tx, contact, to, limit=BATCH)
    return sessions + await merging.move_some_notes(tx, contact, to, limit=BATCH)


async def end_absorbing(tx: Tx, contact: Contact, other: Contact, *, actor: Actor) -> None:
    """The other is no more; it was loaded to be deleted, and its conversations were moved."""
    await _take_over(tx, contact, other)
    await _tell(tx, contact, other, actor=actor)


async def _take_over(tx: Tx, contact: Contact, other: Contact) -> None:
    await queries.move_contact_inboxes(tx, other, contact)
    await move_notes(tx, other, contact)
    await merging.redirect_merges(tx, other, contact)
    await delete(tx, other)


async def _tell(tx: Tx, contact: Contact, other: Contact, *, actor: Actor) -> None:
    merged = contact_event(ContactMerged, contact, actor, merged_contact_id=other.id)
    await emit(tx, merged, contact_event(ContactDeleted, other, actor))
