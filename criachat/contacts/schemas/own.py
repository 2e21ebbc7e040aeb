"""Contacts as their own apps see them."""

from __future__ import annotations

from typing import Any

import msgspec

from criachat.contacts.models import Contact, ContactInbox
from criachat.kit.times import iso, iso_or_none


class RawContactOut(msgspec.Struct, frozen=True, kw_only=True):
    """A contact as their row; times in ISO 8601."""

    id: int
    name: str | None
    email: str | None
    phone_number: str | None
    account_id: int
    created_at: str
    updated_at: str
    additional_attributes: dict[str, Any]
    identifier: str | None
    custom_attributes: dict[str, Any]
    last_activity_at: str | None
    contact_type: str
    middle_name: str
    last_name: str
    location: str | None
    country_code: str | None
    blocked: bool
    company_id: int | None


class PublicContactOut(msgspec.Struct, frozen=True, kw_only=True):
    """A contact as their own app sees them: what it needs to come back and to listen."""

    source_id: str
    pubsub_token: str
    id: int
    name: str
    email: str | None
    phone_number: str | None


def raw_contact_out(contact: Contact) -> RawContactOut:
    """The row of a contact."""
    return RawContactOut(
        id=contact.id,
        name=contact.name,
        email=contact.email,
        phone_number=contact.phone_number,
        account_id=contact.account_id,
        created_at=iso(contact.created_at),
        updated_at=iso(contact.updated_at),
        additional_attributes=contact.additional_attributes,
        identifier=contact.identifier,
        custom_attributes=contact.custom_attributes,
        last_activity_at=iso_or_none(contact.last_activity_at),
        contact_type=contact.contact_type,
        middle_name=contact.middle_name,
        last_name=contact.last_name,
        location=contact.location,
        country_code=contact.country_code,
        blocked=contact.blocked,
        company_id=contact.company_id,
    )


def public_contact_out(contact: Contact, contact_inbox: ContactInbox) -> PublicContactOut:
    """A contact in one of their own sessions."""
    return PublicContactOut(
        source_id=contact_inbox.source_id,
        pubsub_token=contact_inbox.pubsub_token,
        id=contact.id,
        name=contact.name or "",
        email=contact.email,
        phone_number=contact.phone_number,
    )
