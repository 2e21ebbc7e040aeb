"""Contacts, over HTTP."""

from __future__ import annotations

from typing import Any, cast

from criachat.contacts import access, operations, queries
from criachat.contacts.models import Contact
from criachat.contacts.schemas import (
    AttributeNamesParams,
    ContactInboxOut,
    ContactListOut,
    ContactParams,
    ContactPayloadOut,
    CreatedOut,
    CreatedPayloadOut,
    LabelsOut,
    LabelsParams,
    ListParams,
    NewSessionOut,
    PageMetaOut,
    RawInboxOut,
    ReachableInboxesOut,
    SessionParams,
    contact_out,
    session_out,
)
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import API, Inbox
from criachat.kit import tokens
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.routes import Routes
from criachat.kit.paging import containing, page_of
from criachat.kit.times import iso
from criachat.users.presence import Presence

PAGE = 15

routes = Routes("/api/v1/accounts/{account_id}/contacts", tag="Contacts", scope="contacts")


@routes.get(actors=AGENT)
async def list_contacts(db: Db, actor: Actor, presence: Presence, params: ListParams) -> ContactListOut:
    """A page of 15 of the contacts one could write to; `sort` takes names, descending with a leading minus."""
    return await _page(db, actor, presence, params, pattern=None)


@routes.get("/search", actors=AGENT, limit="contact-search")
async def search_contacts(db: Db, actor: Actor, presence: Presence, params: ListParams) -> ContactListOut:
    """Those with `q` in their name, e-mail, phone, company or identifier."""
    words = (params.q or "").strip()
    if not words:
        return ContactListOut(meta=PageMetaOut(count=0, current_page=1), payload=[])
    return await _page(db, actor, presence, params, pattern=containing(words))


@routes.post(actors=AGENT)
async def create_contact(tx: Tx, actor: Actor, presence: Presence, params: ContactParams) -> CreatedPayloadOut:
    """A new contact; with `inbox_id` also a session in that inbox. Both, or nothing."""
    contact = await operations.create_contact(tx, params, actor=actor)
    made = NewSessionOut(inbox=None, source_id=None)
    if params.inbox_id is not None:
        inbox = await inboxes.find_inbox(tx, actor.account_id, params.inbox_id)
        if inbox is None:
            raise NotFound
        session = await operations.find_or_create_contact_inbox(tx, contact, inbox, source_id=params.source_id)
        made = NewSessionOut(inbox=_raw(inbox), source_id=session.source_id)
    sessions = await queries.list_sessions(tx, actor.account_id, [contact.id])
    shown = contact_out(contact, presence, sessions)
    return CreatedPayloadOut(payload=CreatedOut(contact=shown, contact_inbox=made))


@routes.get("/{contact_id}", actors=AGENT)
async def show_contact(
    db: Db, actor: Actor, presence: Presence, contact_id: int, params: ListParams
) -> ContactPayloadOut:
    """One contact."""
    contact = await access.load_contact(db, actor, contact_id)
    return await _one(db, presence, contact, with_sessions=_is_wanted(params.include_contact_inboxes))


@routes.update("/{contact_id}", actors=AGENT)
async def change_contact(
    tx: Tx, actor: Actor, presence: Presence, contact_id: int, params: ContactParams
) -> ContactPayloadOut:
    """Change what is sent; attributes are merged at their top level."""
    contact = await operations.change_contact(tx, await access.load_contact(tx, actor, contact_id), params, actor=actor)
    return await _one(tx, presence, contact, with_sessions=_is_wanted(params.include_contact_inboxes))


@routes.delete("/{contact_id}", actors=ADMINISTRATOR)
async def delete_contact(tx: Tx, actor: Actor, presence: Presence, contact_id: int) -> None:
    """Remove a contact with everything they said; refused while they are online."""
    contact = await access.load_contact(tx, actor, contact_id)
    await operations.delete_contact(tx, contact, actor=actor, presence=presence)


@routes.post("/{contact_id}/destroy_custom_attributes", actors=AGENT)
async def remove_custom_attributes(
    tx: Tx, actor: Actor, presence: Presence, contact_id: int, params: AttributeNamesParams
) -> ContactPayloadOut:
    """Take custom attributes away by name."""
    contact = await access.load_contact(tx, actor, contact_id)
    after = await operations.remove_custom_attributes(tx, contact, params.custom_attributes, actor=actor)
    return await _one(tx, presence, after, with_sessions=True)


@routes.get("/{contact_id}/labels", actors=AGENT)
async def list_labels(db: Db, actor: Actor, contact_id: int) -> LabelsOut:
    """Its labels."""
    return LabelsOut(payload=(await access.load_contact(db, actor, contact_id)).labels)


@routes.post("/{contact_id}/labels", actors=AGENT)
async def set_labels(tx: Tx, actor: Actor, contact_id: int, params: LabelsParams) -> LabelsOut:
    """Replace its labels; an empty or missing list clears them."""
    contact = await access.load_contact(tx, actor, contact_id)
    labels = cast(list[Any], params.labels) if isinstance(params.labels, list) else []
    return LabelsOut(payload=(await operations.set_labels(tx, contact, labels, actor=actor)).labels)


@routes.get("/{contact_id}/contactable_inboxes", actors=AGENT)
async def list_contactable_inboxes(db: Db, actor: Actor, contact_id: int) -> ReachableInboxesOut:
    """Inboxes the caller may see through which the contact can be written to, each with a source id for it."""
    contact = await access.load_contact(db, actor, contact_id)
    sessions = {each.inbox_id: each for each in await queries.list_sessions(db, actor.account_id, [contact.id])}
    payload: list[dict[str, Any]] = []
    for inbox in await inboxes.list_inboxes(db, actor):
        if inbox.channel_type == API:
            known = sessions.get(inbox.id)
            source_id = known.source_id if known else tokens.uuid4()
            payload.append({"source_id": source_id, "inbox": _raw(inbox)})
    return ReachableInboxesOut(payload=payload)


@routes.post("/{contact_id}/contact_inboxes", actors=AGENT)
async def create_contact_inbox(tx: Tx, actor: Actor, contact_id: int, params: SessionParams) -> ContactInboxOut:
    """A session of the contact in an inbox the caller may see; the one there is under that source id already."""
    contact = await access.load_contact(tx, actor, contact_id)
    inbox = await inboxes.load_inbox(tx, actor, params.inbox_id)
    session = await operations.find_or_create_contact_inbox(
        tx, contact, inbox, source_id=params.source_id, hmac_verified=params.hmac_verified
    )
    rows = await queries.list_sessions(tx, actor.account_id, [contact.id])
    return session_out(next(row for row in rows if row.source_id == session.source_id and row.inbox_id == inbox.id))


async def _page(db: Db, actor: Actor, presence: Presence, params: ListParams, *, pattern: str | None) -> ContactListOut:
    labels = _labels(params.labels)
    found = await queries.list_contacts(
        db,
        actor.account_id,
        labels=labels,
        pattern=pattern,
        sort=[key.strip() for key in (params.sort or "").split(",") if key.strip()],
        limit=PAGE,
        offset=(page_of(params.page) - 1) * PAGE,
    )
    count = await queries.count_contacts(db, actor.account_id, labels=labels, pattern=pattern)
    sessions = None
    if _is_wanted(params.include_contact_inboxes):
        sessions = await queries.list_sessions(db, actor.account_id, [contact.id for contact in found])
    return ContactListOut(
        meta=PageMetaOut(count=count, current_page=1 if params.page is None else str(params.page)),
        payload=[contact_out(contact, presence, sessions) for contact in found],
    )


async def _one(db: Db, presence: Presence, contact: Contact, *, with_sessions: bool) -> ContactPayloadOut:
    sessions = await queries.list_sessions(db, contact.account_id, [contact.id]) if with_sessions else None
    return ContactPayloadOut(payload=contact_out(contact, presence, sessions))


def _is_wanted(value: bool | str) -> bool:  # noqa: FBT001 - a parameter of the wire
    return value is True or value == "true"


def _labels(value: object) -> list[str] | None:
    if value is None or value == "":
        return None
    wanted = cast(list[Any], value) if isinstance(value, list) else [value]
    return [str(label).strip().lower() for label in wanted]


def _raw(inbox: Inbox) -> RawInboxOut:
    return RawInboxOut(
        id=inbox.id,
        channel_id=inbox.channel_id,
        account_id=inbox.account_id,
        name=inbox.name,
        created_at=iso(inbox.created_at),
        updated_at=iso(inbox.updated_at),
        channel_type=inbox.channel_type,
        enable_auto_assignment=inbox.enable_auto_assignment,
        greeting_enabled=inbox.greeting_enabled,
        greeting_message=inbox.greeting_message,
        email_address=None,
        working_hours_enabled=inbox.working_hours_enabled,
        out_of_office_message=inbox.out_of_office_message,
        timezone=inbox.timezone,
        enable_email_collect=inbox.enable_email_collect,
        csat_survey_enabled=inbox.csat_survey_enabled,
        allow_messages_after_resolved=inbox.allow_messages_after_resolved,
        auto_assignment_config=inbox.auto_assignment_config,
        lock_to_single_conversation=inbox.lock_to_single_conversation,
        portal_id=inbox.portal_id,
        sender_name_type=inbox.sender_name_type,
        business_name=inbox.business_name,
        csat_config=inbox.csat_config,
    )
