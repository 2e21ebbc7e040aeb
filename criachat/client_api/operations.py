"""Beginning a session, and being recognised in it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from criachat.client_api import queries
from criachat.client_api.errors import ProofInvalid, SourceTooShort, SourceUnusable
from criachat.client_api.schemas import ContactParams, SessionParams
from criachat.contacts import access as contacts
from criachat.contacts import operations as contact_operations
from criachat.contacts import schemas
from criachat.contacts.errors import DetailsTaken, SourceTaken
from criachat.contacts.models import Contact, ContactInbox
from criachat.inboxes.models import Inbox
from criachat.kit import tokens
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import Conflict, NoSuchPage, NotFound
from criachat.messages.operations.merging import load_contacts_to_merge, merge_contacts

# Whoever loses a race finds what the winner made when they look again.
ATTEMPTS = 3
SHORTEST_SOURCE_ID = 16
CHANGED = "The contact changed too often; try again"


async def open_session(
    tx: Tx, inbox: Inbox, params: SessionParams, *, identifier: str | None, actor: Actor
) -> tuple[Contact, ContactInbox]:
    """The session of this source id, or a new one, with a new contact unless one was proved; both, or nothing."""
    source_id = params.source_id if params.source_id and params.source_id.strip() else None
    for _ in range(ATTEMPTS):
        session = source_id and await contacts.find_contact_inbox(tx, inbox.account_id, inbox.id, source_id)
        if session:
            return await recognise(tx, session, identifier=identifier, actor=actor)
        _check_source_id(inbox, source_id)
        try:
            async with tx.savepoint():
                contact = await _contact_for(tx, inbox, params, identifier=identifier, actor=actor)
                session = await contact_operations.find_or_create_contact_inbox(
                    tx, contact, inbox, source_id=source_id, hmac_verified=identifier is not None
                )
                return contact, session if identifier is None else await contact_operations.verify_session(tx, session)
        except SourceTaken:
            continue
        except DetailsTaken as refusal:
            if identifier is None or "identifier" not in refusal.invalid_attributes:
                raise
    raise Conflict(CHANGED)


async def recognise(
    tx: Tx, session: ContactInbox, *, identifier: str | None, actor: Actor
) -> tuple[Contact, ContactInbox]:
    """The session and its contact; verified, and known by the identifier, when one was proved.

    A contact without an identifier takes it. If somebody else carries it already, the two become one. One who is known
    by another identifier is not the caller.
    """
    for _ in range(ATTEMPTS):
        contact = await contacts.find_contact(tx, session.account_id, session.contact_id)
        if contact is not None and identifier is None:
            return contact, session
        if contact is not None and identifier is not None:
            # It may be found to have become one with another contact while we wait for it.
            with suppress(NotFound):
                contact = await _identified(tx, contact, identifier, actor=actor)
                return contact, await contact_operations.verify_session(tx, session)
        session = await _as_it_is_now(tx, session)
    raise Conflict(CHANGED)


async def _as_it_is_now(tx: Tx, session: ContactInbox) -> ContactInbox:
    """The session, whose contact has become one with another meanwhile."""
    found = await contacts.find_contact_inbox_by_id(tx, session.account_id, session.id)
    if found is None:
        raise NoSuchPage
    return found


async def change_contact(
    tx: Tx, contact: Contact, params: ContactParams, *, identifier: str | None, actor: Actor
) -> Contact:
    """Write what was sent and is not blank; custom attributes are merged, also inside of each other.

    An e-mail or phone number that was proved, being the identifier, is taken along with whoever had it.
    """
    told = _told(params)
    if identifier is not None and identifier in (told.get("email"), told.get("phone_number")):
        other_id = await queries.find_proved_contact_id(tx, actor.account_id, identifier, except_for=contact.id)
        if other_id is not None:
            await _join(tx, contact.id, other_id, identifier, actor=actor)
    contact = await contacts.load_contact_to_change(tx, actor, contact.id)
    return await contact_operations.change_contact(
        tx, contact, schemas.ContactParams(**told), actor=actor, is_deep=True
    )


async def _contact_for(tx: Tx, inbox: Inbox, params: SessionParams, *, identifier: str | None, actor: Actor) -> Contact:
    """The contact who was proved, or whom a bridge named, as they are; else a new one."""
    if identifier is not None:
        contact_id = await queries.find_proved_contact_id(tx, actor.account_id, identifier)
        if contact_id is not None:
            contact = await contacts.load_contact(tx, actor, contact_id)
            return await _identified(tx, contact, identifier, actor=actor)
    told: dict[str, Any] = {"name": tokens.contact_name(), **_told(params), "identifier": params.identifier}
    make = contact_operations.find_or_create_contact if inbox.reuses_contacts else contact_operations.create_contact
    return await make(tx, schemas.ContactParams(**told), actor=actor)


async def _identified(tx: Tx, contact: Contact, identifier: str, *, actor: Actor) -> Contact:
    """The contact, who carries the identifier now; somebody else who was proved to be them has become one with them."""
    for _ in range(ATTEMPTS):
        if contact.identifier == identifier:
            return contact
        if contact.identifier is not None:
            raise ProofInvalid
        other_id = await queries.find_proved_contact_id(tx, actor.account_id, identifier, except_for=contact.id)
        if other_id is not None:
            contact = await _join(tx, other_id, contact.id, identifier, actor=actor)
        else:
            contact = await contacts.load_contact_to_change(tx, actor, contact.id)
        if contact.identifier is None:
            named = schemas.ContactParams(identifier=identifier)
            with suppress(DetailsTaken):
                contact = await contact_operations.change_contact(tx, contact, named, actor=actor)
    raise Conflict(CHANGED)


async def _join(tx: Tx, contact_id: int, other_id: int, identifier: str, *, actor: Actor) -> Contact:
    """Both are one, unless one of them has got another identifier meanwhile; then the second stays who they are."""
    contact, other = await load_contacts_to_merge(tx, actor, contact_id, other_id)
    if not {contact.identifier, other.identifier} <= {None, identifier}:
        return other
    return await merge_contacts(tx, contact, other, actor=actor)


def _told(params: ContactParams) -> dict[str, Any]:
    """What was said of the contact; what is blank was not said."""
    sent = {field: getattr(params, field) for field in ("name", "email", "phone_number", "custom_attributes")}
    return {field: value for field, value in sent.items() if (value.strip() if isinstance(value, str) else value)}


def _check_source_id(inbox: Inbox, source_id: str | None) -> None:
    """It is a credential, and a part of paths: where identities are proved, it must not be guessed either."""
    if source_id is None:
        return
    if inbox.hmac_mandatory and len(source_id) < SHORTEST_SOURCE_ID:
        raise SourceTooShort
    if "/" in source_id:
        raise SourceUnusable
