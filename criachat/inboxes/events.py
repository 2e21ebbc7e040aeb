"""What inboxes tell others."""

from __future__ import annotations

from typing import Any

import msgspec

from criachat.kit.events import Event, declare


class InboxState(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox as events show it; of its channel only what is no secret."""

    id: int
    name: str
    channel_type: str
    settings: dict[str, Any]
    channel: dict[str, Any]
    account_name: str = ""


class InboxEvent(Event, frozen=True, kw_only=True):
    """Something about one inbox."""

    snapshot: InboxState


@declare("inbox_created", realtime="inbox.created")
class InboxCreated(InboxEvent, frozen=True, kw_only=True):
    """An inbox is new."""


@declare("inbox_updated", realtime="inbox.updated")
class InboxUpdated(InboxEvent, frozen=True, kw_only=True):
    """The settings of an inbox or its channel changed."""


@declare("inbox_deleted", realtime="inbox.deleted")
class InboxDeleted(InboxEvent, frozen=True, kw_only=True):
    """An inbox is gone; what was in it follows."""
