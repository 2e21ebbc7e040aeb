"""What is looked for, and what is found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from criachat.conversations.shares import Listed


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Words, and which page of what has them.

    `limited_to` is the agent whose inboxes bound it, `listed` what their role shows of the conversations in those.
    """

    account_id: int
    words: str
    limited_to: int | None
    listed: Listed
    limit: int
    offset: int


class Behind(msgspec.Struct, frozen=True):
    """An account whose words are to be kept, and the message after which to go on."""

    account_id: int
    after_id: int


class FoundConversation(msgspec.Struct, frozen=True):
    """A conversation that was found, by its database id, with its first message and what its inbox is."""

    id: int
    channel_id: int
    first_message_id: int | None


class FoundContact(msgspec.Struct, frozen=True):
    """A contact as a search shows them."""

    id: int
    email: str | None
    name: str | None
    phone_number: str | None
    identifier: str | None
    additional_attributes: dict[str, Any]
    last_activity_at: datetime | None


class FoundArticle(msgspec.Struct, frozen=True):
    """An article as a search shows it."""

    id: int
    title: str
    locale: str
    content: str
    slug: str
    portal_slug: str
    account_id: int
    category_name: str | None
    status: int
    updated_at: datetime
