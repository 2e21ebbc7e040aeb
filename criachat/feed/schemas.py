"""The feed on the wire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.conversations.payloads import ConversationPushOut
from criachat.conversations.schemas import ContactSenderOut, MessagePushOut

MOST_EVENTS = 1_000
LONGEST_WAIT_SECONDS = 60


class FeedParams(msgspec.Struct, kw_only=True):
    """From where, how much, and how long to wait for something to happen.

    `after` is a cursor, `now`, or absent for the oldest event that is kept. `event` names the kinds of interest.
    """

    after: str | None = None
    event: str | list[str] | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST_EVENTS)] = 100
    wait: Annotated[float, Meta(ge=0, le=LONGEST_WAIT_SECONDS)] = 0


class ActorOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it: `user`, `agent_bot`, `contact`, `platform_app`, or the `system` itself."""

    type: str
    id: int | None
    name: str | None


class InboxOut(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox and its settings. Named one by one, so that nothing a channel learns to keep is told by accident."""

    id: int
    name: str
    channel_type: str
    greeting_enabled: bool
    greeting_message: str | None
    working_hours_enabled: bool
    working_hours: list[dict[str, Any]]
    out_of_office_message: str | None
    timezone: str
    enable_email_collect: bool
    csat_survey_enabled: bool
    enable_auto_assignment: bool
    auto_assignment_config: dict[str, Any]
    allow_messages_after_resolved: bool
    lock_to_single_conversation: bool
    sender_name_type: str
    business_name: str | None


class SnapshotOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the event is about, as it was then. A message comes with its conversation."""

    message: MessagePushOut | UnsetType = UNSET
    conversation: ConversationPushOut | UnsetType = UNSET
    contact: ContactSenderOut | UnsetType = UNSET
    inbox: InboxOut | UnsetType = UNSET


class EventOut(msgspec.Struct, frozen=True, kw_only=True):
    """One event.

    `conversation_id` is the number people see; null also where the event shows no conversation. `changes` maps an
    attribute to what it was and what it became. `details` are what only this kind of event has.
    """

    id: int
    event: str
    cursor: str
    created_at: str
    account_id: int
    inbox_id: int | None
    conversation_id: int | None
    message_id: int | None
    contact_id: int | None
    actor: ActorOut | None
    cause: str | None
    changes: dict[str, list[Any]] | None
    details: dict[str, Any]
    snapshot: SnapshotOut | None


class FeedMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go on, and whether there is more already."""

    cursor: str
    has_more: bool


class FeedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, the oldest first."""

    payload: list[EventOut]
    meta: FeedMetaOut
