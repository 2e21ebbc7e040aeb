"""What can be done with contacts and their sessions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from msgspec import UNSET

from criachat.contacts import queries
from criachat.contacts.errors import EmailInvalid, NotReachable, Online, PhoneInvalid, SourceTaken
from criachat.contacts.events import ContactCreated, ContactDeleted, ContactEvent, ContactUpdated
from criachat.contacts.models import Contact, ContactInbox
from criachat.contacts.schemas import ContactParams
from criachat.inboxes.models import API, Inbox
from criachat.kit import directory, tokens
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import Invalid, NotFound
from criachat.kit.events import by, emit
from criachat.kit.times import iso
from criachat.users.presence import Presence

PUBSUB_TOKENS = "contact_pubsub_token"
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
PHONE = re.compile(r"\+[1-9]\d{1,14}")
WHATSAPP = re.compile(r"\d{1,15}")
KEYS = ("email", "phone_number", "identifier")
TOLD = (*KEYS, "name", "blocked", "additional_attributes", "custom_attributes", "labels", "contact_type")
MOST_LABELS = 200


async def create_contact(tx: Tx, params: ContactParams, *, actor: Actor) -> Contact:
    """A new contact; refused when e-mail, phone or identifier belong to another one."""
    wanted = _sent(params)
    keys = {key: cast(str | None, wanted.get(key)) for key in KEYS}
    await _check_free(tx, actor.account_id, keys)
    additional: dict[str, Any] = wanted.get("additional_attributes") or {}
    contact_id = await queries.insert_contact(
        tx,
        actor.account_id,
        name=wanted.get("name"),
        email=keys["email"],
        phone_number=keys["phone_number"],
        identifier=keys["identifier"],
        contact_type=contact_type("visitor", keys, additional),
        blocked=wanted.get("blocked", False),
        location=_text(additional.get("city")),
        country_code=_text(additional.get("country")),
        additional_attributes=additional,
        custom_attributes=wanted.get("custom_attributes") or {},
    )
    contact = await _reload(tx, actor.account_id, contact_id)
    await _tell(tx, ContactCreated, contact, actor)
    return contact


async def change_contact(tx: Tx, contact: Contact, params: ContactParams, *, actor: Actor) -> Contact:
    """Change what was sent. Attributes are merged at their top level; null stores null."""
    before = await _locked(tx, contact)
    wanted = _sent(params)
    for name in ("additional_attributes", "custom_attributes"):
        if name in wanted:
            wanted[name] = {**getattr(before, name), **(wanted[name] or {})}
    return await _save(tx, before, wanted, actor=actor)


async def set_labels(tx: Tx, contact: Contact, labels: Iterable[object], *, actor: Actor) -> Contact:
    """Replace the labels; kept in small letters, each once."""
    titles = list(dict.fromkeys(str(label).strip().lower()[:255] for label in labels if str(label).strip()))
    return await _save(tx, await _locked(tx, contact), {"labels": titles[:MOST_LABELS]}, actor=actor)


async def remove_custom_attributes(tx: Tx, contact: Contact, names: Sequence[str], *, actor: Actor) -> Contact:
    """Take custom attributes away; unknown names do nothing."""
    before = await _locked(tx, contact)
    kept = {key: value for key, value in before.custom_attributes.items() if key not in names}
    return await _save(tx, before, {"custom_attributes": kept}, actor=actor)


async def delete_contact(tx: Tx, contact: Contact, *, actor: Actor, presence: Presence) -> None:
    """Remove a contact who is not online, with sessions, conversations and messages."""
    if presence.is_contact_present(contact.account_id, contact.id):
        raise Online(f"{contact.name or 'Contact'} is Online, please try again later")
    before = await _locked(tx, contact)
    for session in await queries.list_session_ids(tx, before):
        await directory.forget(tx, PUBSUB_TOKENS, before.account_id, session)
    await queries.delete_contact(tx, before)
    await _tell(tx, ContactDeleted, before, actor)


async def find_or_create_contact_inbox(
    tx: Tx, contact: Contact, inbox: Inbox, *, source_id: str | None = None, hmac_verified: bool = False
) -> ContactInbox:
    """The contact's session in the inbox under this source id, made when there is none.

    Without a source id API inboxes get a new session each time, as their clients expect.
    """
    source_id = source_id or _derived_source_id(contact, inbox)
    session_id = await queries.insert_session(
        tx,
        contact.account_id,
        contact_id=contact.id,
        inbox_id=inbox.id,
        source_id=source_id,
        hmac_verified=hmac_verified,
        pubsub_token=(token := tokens.random_token()),
    )
    if session_id is not None:
        await directory.register(tx, PUBSUB_TOKENS, token, contact.account_id, session_id)
    session = await queries.find_session(tx, contact.account_id, inbox.id, source_id)
    if session is None:
        raise NotFound
    if session.contact_id != contact.id:
        raise SourceTaken
    return session


async def verify_session(tx: Tx, session: ContactInbox) -> None:
    """The contact proved who they are in this session; that lasts."""
    await queries.set_verified(tx, session)


def contact_type(now: str, keys: Mapping[str, str | None], additional: Mapping[str, Any]) -> str:
    """A visitor who can be reached is a lead."""
    is_reachable = bool(keys.get("email") or keys.get("phone_number")) or any(
        key.startswith("social_") and value for key, value in additional.items()
    )
    return "lead" if now == "visitor" and is_reachable else now


def _derived_source_id(contact: Contact, inbox: Inbox) -> str:
    if inbox.channel_type in (API, "Channel::WebWidget"):
        return tokens.uuid4()
    raise NotReachable


def _sent(params: ContactParams) -> dict[str, Any]:
    """What was sent, checked; blank keys are None."""
    names = ("name", *KEYS, "blocked", "additional_attributes", "custom_attributes")
    wanted: dict[str, Any] = {name: value for name in names if (value := getattr(params, name)) is not UNSET}
    for key in KEYS:
        if key in wanted:
            wanted[key] = (wanted[key] or "").strip() or None
    if wanted.get("email"):
        wanted["email"] = wanted["email"].lower()
        if not EMAIL.fullmatch(wanted["email"]):
            raise EmailInvalid
    if wanted.get("phone_number") and not PHONE.fullmatch(wanted["phone_number"]):
        raise PhoneInvalid
    return wanted


async def _check_free(tx: Tx, account_id: int, keys: Mapping[str, str | None], *, but: int = 0) -> None:
    """Refuse, naming all of them, what belongs to another contact."""
    if not any(keys.values()):
        return
    found = await queries.find_taken(
        tx,
        account_id,
        identifier=keys.get("identifier"),
        email=keys.get("email"),
        phone_number=keys.get("phone_number"),
        but=but,
    )
    taken = [key for key in KEYS if getattr(found, key)]
    if taken:
        sentences = [f"{key.replace('_', ' ').capitalize()} has already been taken" for key in taken]
        raise Invalid(", ".join(sentences), attributes=taken)


async def _locked(tx: Tx, contact: Contact) -> Contact:
    await queries.lock_contact(tx, contact.account_id, contact.id)
    return await _reload(tx, contact.account_id, contact.id)


async def _reload(tx: Tx, account_id: int, contact_id: int) -> Contact:
    contact = await queries.find_contact(tx, account_id, contact_id)
    if contact is None:
        raise NotFound
    return contact


async def _save(tx: Tx, before: Contact, wanted: dict[str, Any], *, actor: Actor) -> Contact:
    changed_keys = {key: wanted[key] for key in KEYS if key in wanted and wanted[key] != getattr(before, key)}
    await _check_free(tx, before.account_id, changed_keys, but=before.id)
    after = msgspec.structs.replace(before, **wanted)
    keys = {key: getattr(after, key) for key in KEYS}
    after = msgspec.structs.replace(
        after,
        contact_type=contact_type(after.contact_type, keys, after.additional_attributes),
        location=_text(after.additional_attributes.get("city")),
        country_code=_text(after.additional_attributes.get("country")),
    )
    if all(getattr(before, name) == getattr(after, name) for name in TOLD):
        return before
    await queries.save_contact(tx, after)
    after = await _reload(tx, before.account_id, before.id)
    await _tell(tx, ContactUpdated, after, actor, changes=_changes(before, after))
    return after


def _changes(before: Contact, after: Contact) -> dict[str, list[Any]]:
    names = (*TOLD, "updated_at")
    changes: dict[str, list[Any]] = {}
    for name in names:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            shown = [iso(each) if isinstance(each, datetime) else each for each in (old, new)]
            changes["label_list" if name == "labels" else name] = shown
    return changes


async def _tell(
    tx: Tx, kind: type[ContactEvent], contact: Contact, actor: Actor, *, changes: dict[str, list[Any]] | None = None
) -> None:
    event = kind(
        **by(actor),
        account_id=contact.account_id,
        contact_id=contact.id,
        changes=changes,
        account=contact.account,
        snapshot=contact.snapshot(),
    )
    await emit(tx, event)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
