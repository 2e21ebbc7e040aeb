"""Contacts, over HTTP."""

from __future__ import annotations

from criachat.contacts import access, jobs, operations, queries
from criachat.contacts.filters import read_conditions
from criachat.contacts.models import Contact, ContactInbox, ListFilter
from criachat.contacts.queries import lists
from criachat.contacts.schemas import (
    AttributeNamesParams,
    ChangedContactParams,
    ContactableOut,
    ContactInboxOut,
    ContactInboxParams,
    ContactListOut,
    ContactOut,
    ContactPayloadOut,
    CustomAttributesOut,
    CustomAttributesParams,
    FilterParams,
    LabelParams,
    LabelsOut,
    LabelsParams,
    ListMetaOut,
    ListParams,
    NewContactInboxOut,
    NewContactOut,
    NewContactParams,
    NewContactPayloadOut,
    SearchParams,
    SessionFilterParams,
    ShowParams,
    contact_inbox_out,
    contact_out,
    wants_sessions,
)
from criachat.contacts.source_ids import contactable_source_id
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import Inbox
from criachat.inboxes.schemas import inbox_raw_out
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.avatars import KeptAvatar
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.answers import Answer
from criachat.kit.http.routes import Routes
from criachat.kit.http.versions import Expected, Versioned
from criachat.kit.paging import page_of, told_page
from criachat.labels.titles import label_titles
from criachat.users.presence import Presence
from criachat.users.shown import Shown

PAGE = 15

routes = Routes("/api/v1/accounts/{account_id}/contacts", tag="Contacts", scope="contacts")
session_routes = Routes("/api/v1/accounts/{account_id}/contact_inboxes", tag="Contacts", scope="contacts")


@routes.get(actors=AGENT)
async def list_contacts(db: Db, actor: Actor, shown: Shown, params: ListParams) -> ContactListOut:
    """A page of 15 of the contacts one could write to; `sort` takes names, descending with a leading minus."""
    filters = ListFilter(labels=_labels(params), sort=params.sort or "")
    return await _page(db, actor, shown, params, filters)


@routes.get("/search", actors=AGENT, limit="contact-search")
async def search_contacts(db: Db, actor: Actor, shown: Shown, params: SearchParams) -> ContactListOut:
    """Those with `q` in their name, e-mail, phone number, company or identifier."""
    words = (params.q or "").strip()
    if not words:
        return ContactListOut(meta=ListMetaOut(count=0, current_page=1), payload=[])
    filters = ListFilter(labels=_labels(params), words=words, sort=params.sort or "")
    return await _page(db, actor, shown, params, filters)


@routes.post("/filter", actors=AGENT, scope="contacts:read")
async def filter_contacts(db: Db, actor: Actor, shown: Shown, params: FilterParams) -> ContactListOut:
    """Those for whom the conditions hold, AND before OR."""
    conditions = await read_conditions(db, actor.account_id, params.payload)
    filters = ListFilter(conditions=conditions, sort=params.sort or "")
    return await _page(db, actor, shown, params, filters)


@routes.get("/active", actors=AGENT)
async def list_active_contacts(db: Db, actor: Actor, shown: Shown, params: ListParams) -> ContactListOut:
    """Those who are there right now, whether one could write to them or not."""
    filters = ListFilter(ids=shown.presence.present_contacts(actor.account_id), sort=params.sort or "")
    return await _page(db, actor, shown, params, filters)


@routes.post(actors=AGENT, files=("avatar",))
async def create_contact(
    tx: Tx, actor: Actor, shown: Shown, avatar: KeptAvatar, params: NewContactParams
) -> Versioned[NewContactPayloadOut]:
    """A new contact; with `inbox_id` also a session in that inbox. Both, or nothing.

    With `upsert`, whoever has the identifier, e-mail or phone number (in this order) is changed as sent, instead of
    being refused: one call to find or create somebody, however often and by however many it is made.
    """
    inbox = await _inbox(tx, actor, params.inbox_id)
    make = operations.upsert_contact if params.upsert else operations.create_contact
    contact = await make(tx, params, actor=actor, avatar_key=await avatar.taken(tx))
    await jobs.fetch_avatar_later(tx, contact, params)
    made = NewContactInboxOut(inbox=None, source_id=None)
    if inbox is not None:
        session = await _session(tx, contact, inbox, params)
        made = NewContactInboxOut(inbox=inbox_raw_out(inbox), source_id=session.source_id)
    sessions = await queries.list_sessions(tx, actor.account_id, [contact.id])
    created = NewContactOut(contact=contact_out(contact, shown, sessions), contact_inbox=made)
    return Versioned(NewContactPayloadOut(payload=created), contact.version)


@routes.get("/{contact_id}", actors=AGENT)
async def show_contact(
    db: Db, actor: Actor, shown: Shown, contact_id: int, params: ShowParams
) -> Versioned[ContactPayloadOut]:
    """One contact."""
    contact = await access.load_contact(db, actor, contact_id)
    return await _answer(db, shown, contact, with_sessions=wants_sessions(params))


@routes.update("/{contact_id}", actors=AGENT, files=("avatar",))
async def change_contact(  # noqa: PLR0913 - what may come with a change
    tx: Tx,
    actor: Actor,
    shown: Shown,
    expected: Expected,
    avatar: KeptAvatar,
    contact_id: int,
    params: ChangedContactParams,
) -> Versioned[ContactPayloadOut]:
    """Change what is sent; attributes are merged by their top-level keys."""
    contact = await _to_change(tx, actor, expected, contact_id)
    if params.avatar is None:
        contact = await operations.remove_avatar(tx, contact, actor=actor)
    after = await operations.change_contact(tx, contact, params, actor=actor, avatar_key=await avatar.taken(tx))
    await jobs.fetch_avatar_later(tx, after, params)
    return await _answer(tx, shown, after, with_sessions=wants_sessions(params))


@routes.delete("/{contact_id}", actors=ADMINISTRATOR)
async def delete_contact(tx: Tx, actor: Actor, presence: Presence, expected: Expected, contact_id: int) -> None:
    """Remove a contact with everything they said; refused while they are online."""
    contact = await access.load_contact_to_delete(tx, actor, contact_id)
    expected.check(contact.version)
    await operations.delete_contact(tx, contact, actor=actor, presence=presence)


@routes.delete("/{contact_id}/avatar", actors=AGENT)
async def remove_avatar(tx: Tx, actor: Actor, shown: Shown, contact_id: int) -> Versioned[ContactPayloadOut]:
    """Take the contact's picture away."""
    contact = await access.load_contact_to_change(tx, actor, contact_id)
    return await _answer(tx, shown, await operations.remove_avatar(tx, contact, actor=actor), with_sessions=False)


@routes.post("/{contact_id}/destroy_custom_attributes", actors=AGENT)
async def remove_custom_attributes(
    tx: Tx, actor: Actor, shown: Shown, expected: Expected, contact_id: int, params: AttributeNamesParams
) -> Versioned[ContactPayloadOut]:
    """Take custom attributes away by name."""
    contact = await _to_change(tx, actor, expected, contact_id)
    after = await operations.remove_custom_attributes(tx, contact, params.custom_attributes, actor=actor)
    return await _answer(tx, shown, after, with_sessions=True)


@routes.patch("/{contact_id}/custom_attributes", actors=AGENT)
async def change_custom_attributes(
    tx: Tx, actor: Actor, expected: Expected, contact_id: int, params: CustomAttributesParams
) -> Versioned[CustomAttributesOut]:
    """Write the custom attributes that were sent and leave the others; null takes one away."""
    contact = await _to_change(tx, actor, expected, contact_id)
    after = await operations.change_custom_attributes(tx, contact, params.custom_attributes, actor=actor)
    return Versioned(CustomAttributesOut(custom_attributes=after.custom_attributes), after.version)


@routes.get("/{contact_id}/labels", actors=AGENT)
async def list_labels(db: Db, actor: Actor, contact_id: int) -> Versioned[LabelsOut]:
    """The contact's labels."""
    return _labelled(await access.load_contact(db, actor, contact_id))


@routes.post("/{contact_id}/labels", actors=AGENT)
async def set_labels(
    tx: Tx, actor: Actor, expected: Expected, contact_id: int, params: LabelsParams
) -> Versioned[LabelsOut]:
    """Replace the contact's labels; an empty or missing list clears them."""
    contact = await _to_change(tx, actor, expected, contact_id)
    return _labelled(await operations.set_labels(tx, contact, params.labels, actor=actor))


@routes.post("/{contact_id}/labels/add", actors=AGENT)
async def add_label(
    tx: Tx, actor: Actor, expected: Expected, contact_id: int, params: LabelParams
) -> Versioned[LabelsOut]:
    """Add one label and leave the others."""
    contact = await _to_change(tx, actor, expected, contact_id)
    return _labelled(await operations.add_label(tx, contact, params.label, actor=actor))


@routes.post("/{contact_id}/labels/remove", actors=AGENT)
async def remove_label(
    tx: Tx, actor: Actor, expected: Expected, contact_id: int, params: LabelParams
) -> Versioned[LabelsOut]:
    """Take one label away and leave the others."""
    contact = await _to_change(tx, actor, expected, contact_id)
    return _labelled(await operations.remove_label(tx, contact, params.label, actor=actor))


@routes.get("/{contact_id}/contactable_inboxes", actors=AGENT)
async def list_contactable_inboxes(db: Db, actor: Actor, shown: Shown, contact_id: int) -> ContactableOut:
    """Inboxes the caller may see in which the contact can be written to first, each with a source id for it."""
    contact = await access.load_contact(db, actor, contact_id)
    sessions = await queries.list_sessions(db, actor.account_id, [contact.id])
    newest = {session.inbox_id: session.source_id for session in sessions}
    unused = {each.inbox_id: each.source_id for each in reversed(await queries.list_unused_sessions(db, contact))}
    offers = [
        (contactable_source_id(contact, each, known=newest.get(each.id), unused=unused.get(each.id)), each)
        for each in await inboxes.list_inboxes(db, actor)
    ]
    return ContactableOut(
        payload=[contact_inbox_out(source_id, inbox, shown) for source_id, inbox in offers if source_id]
    )


@routes.post("/{contact_id}/contact_inboxes", actors=AGENT)
async def create_contact_inbox(
    tx: Tx, actor: Actor, shown: Shown, contact_id: int, params: ContactInboxParams
) -> ContactInboxOut:
    """A session of the contact in an inbox the caller may see; the one there is under that source id already."""
    contact = await access.load_contact(tx, actor, contact_id)
    inbox = await inboxes.load_inbox(tx, actor, params.inbox_id)
    session = await operations.find_or_create_contact_inbox(
        tx, contact, inbox, source_id=params.source_id, hmac_verified=params.hmac_verified
    )
    return contact_inbox_out(session.source_id, inbox, shown)


@session_routes.post("/filter", actors=AGENT, scope="contacts:read")
async def find_contact_by_session(
    db: Db, actor: Actor, shown: Shown, params: SessionFilterParams
) -> ContactOut | Answer:
    """The contact an inbox knows by this source id; nobody is an empty 404."""
    inbox = await inboxes.load_inbox(db, actor, params.inbox_id)
    session = await access.find_contact_inbox(db, actor.account_id, inbox.id, params.source_id)
    if session is None:
        return Answer(status=404)
    contact = await access.load_contact(db, actor, session.contact_id)
    return contact_out(contact, shown, await queries.list_sessions(db, actor.account_id, [contact.id]))


async def _to_change(tx: Tx, actor: Actor, expected: Expected, contact_id: int) -> Contact:
    """The contact, locked, and in a version the caller means."""
    contact = await access.load_contact_to_change(tx, actor, contact_id)
    expected.check(contact.version)
    return contact


async def _inbox(db: Db, actor: Actor, inbox_id: int | None) -> Inbox | None:
    """The inbox, which the caller need not be a member of; None when none was named."""
    if inbox_id is None:
        return None
    inbox = await inboxes.find_inbox(db, actor.account_id, inbox_id)
    if inbox is None:
        raise NotFound
    return inbox


async def _session(tx: Tx, contact: Contact, inbox: Inbox, params: NewContactParams) -> ContactInbox:
    if params.upsert and not params.source_id:
        return await operations.reuse_contact_inbox(tx, contact, inbox)
    return await operations.find_or_create_contact_inbox(tx, contact, inbox, source_id=params.source_id)


async def _page(
    db: Db, actor: Actor, shown: Shown, params: ListParams | FilterParams, filters: ListFilter
) -> ContactListOut:
    offset = (page_of(params.page) - 1) * PAGE
    count = await lists.count(db, actor.account_id, filters)
    is_few = lists.is_narrowed(filters) and count <= lists.FEW
    found = (
        await lists.list_page(db, actor.account_id, filters, limit=PAGE, offset=offset, is_few=is_few)
        if offset < count
        else []
    )
    ids = [contact.id for contact in found]
    sessions = await queries.list_sessions(db, actor.account_id, ids) if ids and wants_sessions(params) else None
    return ContactListOut(
        meta=ListMetaOut(count=count, current_page=told_page(params.page)),
        payload=[contact_out(contact, shown, sessions) for contact in found],
    )


async def _answer(db: Db, shown: Shown, contact: Contact, *, with_sessions: bool) -> Versioned[ContactPayloadOut]:
    sessions = await queries.list_sessions(db, contact.account_id, [contact.id]) if with_sessions else None
    return Versioned(ContactPayloadOut(payload=contact_out(contact, shown, sessions)), contact.version)


def _labelled(contact: Contact) -> Versioned[LabelsOut]:
    return Versioned(LabelsOut(payload=contact.labels), contact.version)


def _labels(params: ListParams) -> list[str] | None:
    """The labels that were asked for; None when none were."""
    return label_titles(params.labels) or None
