"""What can be done with contacts and their sessions. Who changes a contact has loaded it to change, so it is locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from criachat.contacts import queries
from criachat.contacts.errors import ContactOnline, DetailsInvalid, DetailsTaken, LabelsInvalid, SourceTaken
from criachat.contacts.events import ContactCreated, ContactDeleted, ContactEvent, ContactUpdated
from criachat.contacts.models import Contact, ContactInbox, Details, Retagged, StandIn
from criachat.contacts.queries import leaving
from criachat.contacts.rules import (
    UNIQUE,
    avatar_url_hash,
    changed_details,
    checked_labels,
    claimed_details,
    details_of,
    with_custom_attributes,
)
from criachat.contacts.schemas import ContactParams
from criachat.contacts.source_ids import ADDRESSED, checked_source_id, default_source_id
from criachat.inboxes.models import Inbox
from criachat.kit import clock, tokens
from criachat.kit.actors import Actor, system
from criachat.kit.db import Tx, changed
from criachat.kit.errors import Conflict, together
from criachat.kit.events import by, emit
from criachat.kit.times import iso
from criachat.kit.upkeep import remove_file_later
from criachat.labels.titles import label_titles
from criachat.users.presence import Presence

log = structlog.get_logger()

# Whoever loses a race finds what the winner made when they look again.
ATTEMPTS = 5
BATCH = 200
# What goes with sessions and contacts is counted, since one may hold a long thread.
MESSAGES_BATCH = 2000


async def create_contact(tx: Tx, params: ContactParams, *, actor: Actor, avatar_key: str | None = None) -> Contact:
    """A new contact; refused when e-mail, phone number or identifier belong to another one."""
    details = await _wanted(tx, Details(avatar_key=avatar_key), params, actor=actor)
    # Whoever was in the way may be removed before we ask what is taken; then there is room now.
    while (contact := await queries.insert_contact(tx, actor.account_id, details)) is None:
        if taken := await _find_taken(tx, details, actor=actor):
            raise taken
    await emit(tx, contact_event(ContactCreated, contact, actor))
    return contact


async def find_or_create_contact(tx: Tx, params: ContactParams, *, actor: Actor) -> Contact:
    """The contact with this identifier, this e-mail or this phone number, looked for in this order, as they are.

    A new one when there is none; of many who ask at once, one makes it.
    """
    details = changed_details(Details(), params)
    for _ in range(ATTEMPTS):
        holders = await queries.find_holders(tx, actor.account_id, details)
        if holders.nearest is not None:
            contact = await queries.find_contact(tx, actor.account_id, holders.nearest)
        else:
            contact = await _insert(tx, details, actor=actor)
        if contact is not None:
            return contact
    raise Conflict


async def upsert_contact(tx: Tx, params: ContactParams, *, actor: Actor, avatar_key: str | None = None) -> Contact:
    """The contact with this identifier, this e-mail or this phone number, looked for in this order and changed as sent.

    A new one when there is none; of many who ask at once, one makes it. Somebody who changes nothing waits for nobody.
    """
    details = changed_details(Details(avatar_key=avatar_key), params)
    for _ in range(ATTEMPTS):
        holders = await queries.find_holders(tx, actor.account_id, details)
        if holders.nearest is not None:
            contact = await _changed_if_need_be(tx, holders.nearest, params, actor=actor, avatar_key=avatar_key)
            if contact is not None:
                return contact
        made = await _insert(tx, details, actor=actor)
        if made is not None:
            return made
    raise Conflict


async def change_contact(
    tx: Tx,
    contact: Contact,
    params: ContactParams,
    *,
    actor: Actor,
    is_deep: bool = False,
    avatar_key: str | None = None,
) -> Contact:
    """Change what was sent. Attributes are merged by their top-level keys, with `is_deep` also those inside of them.

    With an `avatar_key`, that is their picture from now on.
    """
    details = await _wanted(tx, details_of(contact), params, actor=actor, contact_id=contact.id, is_deep=is_deep)
    if avatar_key is not None:
        details = msgspec.structs.replace(details, avatar_key=avatar_key)
    return await save(tx, contact, details, contact.labels, actor=actor)


async def take_fetched_avatar(tx: Tx, contact: Contact, key: str, *, url: str) -> Contact:
    """Have a fetched picture be the contact's, and note where it came from, so that it is not fetched again."""
    noted = {"avatar_url_hash": avatar_url_hash(url), "last_avatar_sync_at": iso(clock.now())}
    params = ContactParams(additional_attributes=noted)
    return await change_contact(tx, contact, params, actor=system(contact.account_id), avatar_key=key)


async def remove_avatar(tx: Tx, contact: Contact, *, actor: Actor) -> Contact:
    """Take the contact's picture away."""
    details = msgspec.structs.replace(details_of(contact), avatar_key=None)
    return await save(tx, contact, details, contact.labels, actor=actor)


async def set_labels(tx: Tx, contact: Contact, labels: str | Iterable[str] | None, *, actor: Actor) -> Contact:
    """Have just these labels on it."""
    return await save(tx, contact, details_of(contact), checked_labels(labels), actor=actor)


async def add_label(tx: Tx, contact: Contact, label: str, *, actor: Actor) -> Contact:
    """Have this label on it too."""
    return await set_labels(tx, contact, [*contact.labels, _named(label)], actor=actor)


async def remove_label(tx: Tx, contact: Contact, label: str, *, actor: Actor) -> Contact:
    """Take one label away; nothing happens when it is not there."""
    gone = label_titles(_named(label))
    return await set_labels(tx, contact, [kept for kept in contact.labels if kept not in gone], actor=actor)


async def change_custom_attributes(tx: Tx, contact: Contact, attributes: Mapping[str, Any], *, actor: Actor) -> Contact:
    """Write the custom attributes that were sent and leave the others; null takes one away."""
    both = {**contact.custom_attributes, **attributes}
    kept = {name: value for name, value in both.items() if value is not None or name not in attributes}
    details = with_custom_attributes(details_of(contact), kept)
    return await save(tx, contact, details, contact.labels, actor=actor)


async def remove_custom_attributes(tx: Tx, contact: Contact, names: Sequence[str], *, actor: Actor) -> Contact:
    """Take custom attributes away; unknown names are passed over."""
    return await change_custom_attributes(tx, contact, dict.fromkeys(names), actor=actor)


async def delete_contact(tx: Tx, contact: Contact, *, actor: Actor, presence: Presence) -> None:
    """Remove a contact who is not online, with sessions, conversations and messages."""
    if presence.is_contact_present(contact.account_id, contact.id):
        raise ContactOnline(contact.name)
    await remove_contact(tx, contact, actor=actor)


async def remove_contact(tx: Tx, contact: Contact, *, actor: Actor) -> None:
    """The same for whoever knows that the contact is not online."""
    await delete(tx, contact)
    await emit(tx, contact_event(ContactDeleted, contact, actor))


async def find_or_create_contact_inbox(
    tx: Tx, contact: Contact, inbox: Inbox, *, source_id: str | None = None, hmac_verified: bool = False
) -> ContactInbox:
    """The contact's session in the inbox under this source id, made when there is none.

    Without a source id API inboxes get a new session each time, as their clients expect. An address belongs to whom it
    was last said of: the session of whoever had it before goes on under a name nobody writes from.
    """
    source_id = checked_source_id(source_id, inbox) if source_id else default_source_id(contact, inbox)
    while True:
        made = await queries.insert_contact_inbox(
            tx, contact, inbox.id, source_id=source_id, hmac_verified=hmac_verified
        )
        session = made or await queries.find_contact_inbox(tx, contact.account_id, inbox.id, source_id)
        if session is None:
            continue
        if session.contact_id == contact.id:
            return session
        if inbox.channel_type not in ADDRESSED:
            raise SourceTaken
        await _retire(tx, session, in_favour_of=contact)


async def _retire(tx: Tx, session: ContactInbox, *, in_favour_of: Contact) -> None:
    retired = f"{session.source_id}-{tokens.random_token(8).lower()}"
    if await queries.rename_contact_inbox(tx, session, retired):
        log.info(
            "contact_inbox_retired",
            account_id=session.account_id,
            inbox_id=session.inbox_id,
            contact_inbox_id=session.id,
            contact_id=session.contact_id,
            in_favour_of=in_favour_of.id,
        )


async def reuse_contact_inbox(tx: Tx, contact: Contact, inbox: Inbox) -> ContactInbox:
    """The contact's newest session in the inbox; when there is none, of many who ask at once one makes it."""
    session = await queries.find_newest_of_contact(tx, contact, inbox.id)
    if session is None:
        await queries.lock_contact(tx, contact.account_id, contact.id)
        session = await queries.find_newest_of_contact(tx, contact, inbox.id)
    return session or await find_or_create_contact_inbox(tx, contact, inbox)


async def verify_session(tx: Tx, contact_inbox: ContactInbox) -> ContactInbox:
    """The contact proved who they are in this session; that lasts."""
    return contact_inbox if contact_inbox.hmac_verified else await queries.set_verified(tx, contact_inbox)


async def remove_sessions(tx: Tx, account_id: int, inbox_id: int) -> bool:
    """Remove a batch of the sessions of an inbox, with all that was said in them; False when none was left.

    Those with very many conversations are left until these are gone.
    """
    return await queries.delete_sessions(tx, account_id, inbox_id, limit=BATCH, messages=MESSAGES_BATCH) > 0


async def has_sessions(tx: Tx, account_id: int, inbox_id: int) -> bool:
    """Whether sessions of an inbox are left."""
    return await queries.has_sessions(tx, account_id, inbox_id)


async def remove_some(tx: Tx, account_id: int) -> bool:
    """Remove a batch of the contacts of an account that goes, with all that is theirs; False when none was left."""
    return await queries.delete_some(tx, account_id, limit=BATCH, messages=MESSAGES_BATCH) > 0


async def stand_in(tx: Tx, account_id: int, inbox_id: int) -> StandIn:
    """A session of nobody: what is moved there is found no more, and removed like what is left of who is gone."""
    return await leaving.insert_stand_in(tx, account_id, inbox_id)


async def hold_left(tx: Tx, account_id: int) -> int | None:
    """A contact who is gone and of whom something is left; nobody else removes it meanwhile."""
    return await leaving.lock_left(tx, account_id)


async def forget_some_of_left(tx: Tx, account_id: int, contact_id: int) -> None:
    """Remove a batch of the sessions of a contact who is gone and has no conversations, or what stood for them."""
    if not await leaving.delete_sessions_of_left(tx, account_id, contact_id, limit=BATCH):
        await leaving.forget_left(tx, account_id, contact_id)


async def retag(tx: Tx, account_id: int, *, previous: str, current: str, cause: str) -> int:
    """Give a batch of contacts the label's new title for its previous one; how many it were."""
    contacts = await queries.retag(tx, account_id, previous=previous, current=current, limit=BATCH)
    told = [
        contact_event(ContactUpdated, each, system(account_id), changes=_retagged(each), cause=cause)
        for each in contacts
    ]
    await emit(tx, *told)
    return len(contacts)


async def delete(tx: Tx, contact: Contact) -> None:
    """Remove a contact with everything that is theirs, and tell nobody."""
    await queries.delete_contact(tx, contact)
    if contact.avatar_key is not None:
        await remove_file_later(tx, contact.avatar_key)


async def _insert(tx: Tx, details: Details, *, actor: Actor) -> Contact | None:
    """A new contact, which is told of; None when somebody else was faster."""
    made = await queries.insert_contact(tx, actor.account_id, details)
    if made is not None:
        await emit(tx, contact_event(ContactCreated, made, actor))
    return made


async def save(tx: Tx, before: Contact, details: Details, labels: Sequence[str], *, actor: Actor) -> Contact:
    """Write what the contact became and tell; nothing changed is nothing to tell."""
    if details == details_of(before) and labels == before.labels:
        return before
    is_claiming = any(getattr(details, field) != getattr(before, field) for field in UNIQUE)
    if is_claiming and (taken := await _find_taken(tx, details, actor=actor, contact_id=before.id)):
        raise taken
    after = await queries.save_contact(tx, before, details, labels)
    if before.avatar_key is not None and before.avatar_key != after.avatar_key:
        await remove_file_later(tx, before.avatar_key)
    await emit(tx, contact_event(ContactUpdated, after, actor, changes=changed(columns_of(before), columns_of(after))))
    return after


async def _changed_if_need_be(
    tx: Tx, contact_id: int, params: ContactParams, *, actor: Actor, avatar_key: str | None
) -> Contact | None:
    """The contact after what was sent, locked only when that changes anything; None when they are gone."""
    contact = await queries.find_contact(tx, actor.account_id, contact_id)
    is_same = contact is not None and changed_details(details_of(contact), params) == details_of(contact)
    if contact is None or (is_same and avatar_key is None):
        return contact
    contact = await queries.lock_contact(tx, actor.account_id, contact_id)
    return contact and await change_contact(tx, contact, params, actor=actor, avatar_key=avatar_key)


async def _wanted(
    tx: Tx, before: Details, params: ContactParams, *, actor: Actor, contact_id: int = 0, is_deep: bool = False
) -> Details:
    """The details after what was sent; what is wrong with them is refused together with what is not theirs to have."""
    try:
        return changed_details(before, params, is_deep=is_deep)
    except DetailsInvalid as refusal:
        taken = await _find_taken(tx, claimed_details(params), actor=actor, contact_id=contact_id)
        raise together([taken, refusal]) if taken else refusal from None


async def _find_taken(tx: Tx, details: Details, *, actor: Actor, contact_id: int = 0) -> DetailsTaken | None:
    """The refusal that names all of these details that belong to another contact; whose, only the team is told."""
    holders = await queries.find_holders(tx, actor.account_id, details, except_for=contact_id)
    taken_by = {field: holder for field in UNIQUE if (holder := getattr(holders, field)) is not None}
    if not taken_by:
        return None
    sentences = [f"{field.replace('_', ' ').capitalize()} has already been taken" for field in taken_by]
    told = None if actor.type == "contact" else taken_by
    return DetailsTaken(", ".join(sentences), attributes=list(taken_by), taken_by=told)


def columns_of(contact: Contact) -> dict[str, object]:
    """What a change is told of, by the names it has outside."""
    details = msgspec.structs.asdict(details_of(contact))
    del details["avatar_key"]
    return {**details, "label_list": contact.labels, "updated_at": iso(contact.updated_at)}


def _retagged(contact: Retagged) -> dict[str, list[Any]]:
    return {
        "label_list": [contact.previous_labels, contact.labels],
        "updated_at": [iso(contact.previously_updated_at), iso(contact.updated_at)],
    }


def _named(label: str) -> str:
    if not label_titles(label):
        raise LabelsInvalid("Label can't be blank")
    return label


def contact_event(
    kind: type[ContactEvent],
    contact: Contact,
    actor: Actor,
    *,
    changes: dict[str, list[Any]] | None = None,
    cause: str | None = None,
    **fields: Any,
) -> ContactEvent:
    """What is told of the contact, as they are now, and of who did it."""
    return kind(
        **fields,
        **by(actor),
        account_id=contact.account_id,
        contact_id=contact.id,
        cause=cause,
        changes=changes,
        account=contact.account(),
        snapshot=contact.snapshot(),
    )
