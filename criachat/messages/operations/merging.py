"""Two contacts who turn out to be one person."""

from __future__ import annotations

from criachat.contacts import access as contacts
from criachat.contacts.models import Contact
from criachat.contacts.operations import absorb
from criachat.conversations.operations.moving import move_to_contact, tell_moved
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.messages import queries


async def load_contacts_to_merge(tx: Tx, actor: Actor, contact_id: int, other_id: int) -> tuple[Contact, Contact]:
    """Both contacts, the second to become part of the first; nobody else writes in their conversations meanwhile.

    Call it before anything else of theirs is locked. By number, whichever is to stay: so two who merge the same
    contacts at once do not wait for each other.
    """
    locked = {each: await contacts.load_contact_to_delete(tx, actor, each) for each in sorted((contact_id, other_id))}
    return locked[contact_id], locked[other_id]


async def merge_contacts(tx: Tx, contact: Contact, other: Contact, *, actor: Actor) -> Contact:
    """The first contact, with everything of the other, who is no more: details it lacked, sessions, conversations."""
    moved = await move_to_contact(tx, other, contact)
    await queries.set_contact(tx, contact.account_id, moved, other.id, contact.id)
    after = await absorb(tx, contact, other, actor=actor)
    await tell_moved(tx, moved, from_contact_id=other.id, to=after, actor=actor)
    return after
