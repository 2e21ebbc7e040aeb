"""Contacts and their contact inboxes as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from criachat.contacts.snapshots import AccountSnapshot, ContactInboxSnapshot, ContactSnapshot

ContactType = Literal["visitor", "lead", "customer"]
# `custom` compares as its value says, an `AttributeComparison`.
Comparison = Literal["is", "is_not", "is_before", "is_from", "is_like_one", "is_like_none", "has", "has_not", "custom"]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person who writes to one account."""

    account_id: int
    id: int
    name: str | None
    middle_name: str
    last_name: str
    email: str | None
    phone_number: str | None
    identifier: str | None
    contact_type: ContactType
    blocked: bool
    avatar_key: str | None
    location: str | None
    country_code: str | None
    additional_attributes: dict[str, Any]
    custom_attributes: dict[str, Any]
    labels: list[str]
    company_id: int | None
    last_activity_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    account_name: str

    def account(self) -> AccountSnapshot:
        """The account as events show it."""
        return AccountSnapshot(self.account_id, self.account_name)

    def snapshot(self) -> ContactSnapshot:
        """The contact as events show them."""
        return ContactSnapshot(
            id=self.id,
            name=self.name,
            email=self.email,
            phone_number=self.phone_number,
            identifier=self.identifier,
            blocked=self.blocked,
            avatar_key=self.avatar_key,
            additional_attributes=self.additional_attributes,
            custom_attributes=self.custom_attributes,
            last_activity_at=self.last_activity_at,
            created_at=self.created_at,
        )


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What callers may say of a contact, checked: all that is written but labels."""

    name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    identifier: str | None = None
    contact_type: ContactType = "visitor"
    blocked: bool = False
    avatar_key: str | None = None
    location: str | None = None
    country_code: str | None = None
    additional_attributes: dict[str, Any] = {}
    custom_attributes: dict[str, Any] = {}


class ContactInbox(msgspec.Struct, frozen=True, kw_only=True):
    """One identity of a contact in one inbox; also called a session."""

    account_id: int
    id: int
    contact_id: int
    inbox_id: int
    source_id: str
    hmac_verified: bool
    pubsub_token: str
    created_at: datetime
    updated_at: datetime

    def snapshot(self) -> ContactInboxSnapshot:
        """The contact inbox as events show it."""
        return ContactInboxSnapshot(
            id=self.id,
            contact_id=self.contact_id,
            inbox_id=self.inbox_id,
            source_id=self.source_id,
            hmac_verified=self.hmac_verified,
            pubsub_token=self.pubsub_token,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody of the team wrote down about a contact; nobody, when they have left."""

    account_id: int
    id: int
    contact_id: int
    user_id: int | None
    content: str
    created_at: datetime
    updated_at: datetime


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A contact inbox with what lists show of its inbox."""

    contact_id: int
    source_id: str
    inbox_id: int
    channel_id: int
    inbox_name: str
    inbox_avatar_key: str | None
    channel_type: str
    provider: str | None


class Holders(msgspec.Struct, frozen=True):
    """The contacts, by id, who have an e-mail, a phone number and an identifier."""

    email: int | None
    phone_number: int | None
    identifier: int | None

    @property
    def nearest(self) -> int | None:
        """Who is meant by the three of them: the identifier says most, the phone number least."""
        return self.identifier or self.email or self.phone_number


class Retagged(Contact, frozen=True, kw_only=True):
    """A contact that has a label under its new title, and what it had before."""

    previous_labels: list[str]
    previously_updated_at: datetime


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a filter; `is_alternative` when the next one may hold in its place."""

    attribute: str
    comparison: Comparison
    value: object
    is_alternative: bool = False


class ListFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which contacts a list shows, and in what order. None means: whichever.

    With `ids`, these and no others, also those that other lists leave out because nobody knows who they are.
    """

    ids: list[int] | None = None
    labels: list[str] | None = None
    words: str | None = None
    conditions: tuple[Condition, ...] = ()
    sort: str = ""


class StandIn(msgspec.Struct, frozen=True):
    """The session, by its id, of a contact who is none."""

    contact_id: int
    id: int


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """A contact who becomes part of another, and the actor on whose behalf."""

    account_id: int
    contact_id: int
    into_id: int
    actor: dict[str, Any]
