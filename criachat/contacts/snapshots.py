"""Contacts as events show them: what they were at that moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class AccountSnapshot(msgspec.Struct, frozen=True):
    """The account an event belongs to."""

    id: int
    name: str


class ContactSnapshot(msgspec.Struct, frozen=True, kw_only=True, tag="contact", tag_field="type"):
    """A person who writes to us."""

    id: int
    name: str | None
    email: str | None
    phone_number: str | None
    identifier: str | None
    avatar_key: str | None = None
    blocked: bool = False
    additional_attributes: dict[str, Any]
    custom_attributes: dict[str, Any]
    last_activity_at: datetime | None = None
    created_at: datetime


class ContactInboxSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One channel identity of a contact."""

    id: int
    contact_id: int
    inbox_id: int
    source_id: str
    hmac_verified: bool
    pubsub_token: str
    created_at: datetime
    updated_at: datetime
