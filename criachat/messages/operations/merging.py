"""Two contacts who turn out to be one person."""

from __future__ import annotations

from typing import Final

import msgspec

from criachat.contacts import access as contacts
from criachat.contacts.models import Contact, Merge
from criachat.contacts.operations import merging, remove_contact
from criachat.conversations.operations.moving import move_to_contact, tell_moved
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.messages.queries import merging as queries
from criachat.messages.queries.merging import Move

BATCH: Final = 100
MESSAGES_BATCH: Final = 2000


async def load_contacts_to_merge(tx: Tx, actor: Actor, contact_id: int, other_id: int) -> tuple[Contact, Contact]:
    """Both contacts, the second to become part of the first; nobody else writes in their conversations meanwhile.

    Call it before anything else of theirs is locked. By number, whichever is to stay: so two who merge the same
    contacts at once do not wait for each other. Whoever becomes part of somebody already is not there any more.
    """
    locked = {each: await contacts.load_contact_to_delete(tx, actor, each) for each in sorted((contact_id, other_id))}
    if await contacts.is_merging(tx, actor.account_id, list(locked)):
        raise NotFound
    return locked[contact_id], locked[other_id]


async def merge_contacts(tx: Tx, contact: Contact, other: Contact, *, actor: Actor) -> Contact:
    """The first contact, with everything of the other, who is no more: details it lacked, sessions, conversations.

    Where the other has a very long history, that follows in batches, and the other is there until then.
    """
    if await merging.has_long_history(tx, other):
        return await merging.begin_to_absorb(tx, contact, other, actor=actor)
    move = Move(contact.account_id, other.id, contact.id)
    moved = await move_to_contact(tx, move.account_id, None, from_id=other.id, to_id=contact.id)
    await queries.set_contact(tx, move, moved)
    after = await merging.absorb(tx, contact, other, actor=actor)
    await tell_moved(tx, moved, from_contact_id=other.id, to=after, actor=actor)
    return after


async def follow_some(tx: Tx, account_id: int, contact_id: int) -> bool:
    """Move a batch of what is left of a contact who becomes part of another; False when nothing can be moved now.

    Whoever became part of somebody who was removed meanwhile is removed with them.
    """
    merge = await merging.hold_merge(tx, account_id, contact_id)
    if merge is None:
        return False
    actor = msgspec.convert(merge.actor, Actor)
    into = await contacts.find_contact(tx, account_id, merge.into_id)
    if into is None:
        await remove_contact(tx, await contacts.load_contact_to_delete(tx, actor, contact_id), actor=actor)
        return False
    other = await contacts.load_contact(tx, actor, contact_id)
    if await merging.move_some(tx, other, into) or await _move_conversations(tx, other, into, actor=actor):
        return True
    if not await queries.has_conversations(tx, Move(account_id, contact_id, into.id)):
        await _end(tx, merge, actor=actor)
    return False


async def _move_conversations(tx: Tx, other: Contact, into: Contact, *, actor: Actor) -> bool:
    """Move as many conversations as hold so many messages; of one that holds more, first some of these."""
    move = Move(other.account_id, other.id, into.id)
    found = await queries.list_weighed(tx, move, limit=BATCH, messages=MESSAGES_BATCH)
    fitting = [each.id for each in found if each.so_far <= MESSAGES_BATCH]
    if fitting:
        moved = await move_to_contact(tx, move.account_id, fitting, from_id=other.id, to_id=into.id)
        await queries.set_contact(tx, move, moved)
        await tell_moved(tx, moved, from_contact_id=other.id, to=into, actor=actor)
    elif found:
        await queries.set_contact_of_some(tx, move, found[0].id, limit=MESSAGES_BATCH)
    return bool(found)


async def _end(tx: Tx, merge: Merge, *, actor: Actor) -> None:
    """The contact is no more; what was begun with them a moment ago is moved in the same breath."""
    by_id = {
        each: await contacts.load_contact_to_delete(tx, actor, each)
        for each in sorted((merge.contact_id, merge.into_id))
    }
    into, other = by_id[merge.into_id], by_id[merge.contact_id]
    moved = await move_to_contact(tx, merge.account_id, None, from_id=other.id, to_id=into.id)
    await queries.set_contact(tx, Move(merge.account_id, other.id, into.id), moved)
    await merging.end_absorbing(tx, into, other, actor=actor)
    await tell_moved(tx, moved, from_contact_id=other.id, to=into, actor=actor)
