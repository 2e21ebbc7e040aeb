"""Webhooks, deliveries and tries as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from criachat.inboxes.models import secret_context as inbox_secret_context
from criachat.users.models import bot_secret_context

EVENTS: Final = (
    "conversation_status_changed",
    "conversation_updated",
    "conversation_created",
    "contact_created",
    "contact_updated",
    "message_created",
    "message_updated",
    "webwidget_triggered",
    "inbox_created",
    "inbox_updated",
    "conversation_typing_on",
    "conversation_typing_off",
)
# Each event is rendered for all who want it, and lists show all of them.
MOST_WEBHOOKS: Final = 1_000
DEFAULT_SUBSCRIPTIONS: Final = EVENTS[:8]
# What an API inbox is told of: everything that belongs to it.
INBOX_EVENTS: Final = frozenset(name for name in EVENTS if not name.startswith(("contact_", "inbox_")))
# What bots are told of, some of it nobody else.
BOT_EVENTS: Final = frozenset(
    (
        "message_created",
        "message_updated",
        "conversation_opened",
        "conversation_resolved",
        "conversation_status_changed",
        "conversation_updated",
        "webwidget_triggered",
    )
)

BOT_KIND: Final = "agent_bot"
WEBHOOK_KIND: Final = "webhook"
ADDRESS_KIND: Final = "address"

DeliveryStatus = Literal["pending", "delivered", "exhausted", "cancelled"]
DisabledReason = Literal["gone", "failing"]


def webhook_target(webhook_id: int) -> str:
    """An account webhook as the target of deliveries."""
    return f"{WEBHOOK_KIND}:{webhook_id}"


def inbox_target(inbox_id: int) -> str:
    """The URL of an API inbox as the target of deliveries."""
    return f"api_inbox:{inbox_id}"


def address_target(address_id: int) -> str:
    """An address that a macro names as the target of deliveries."""
    return f"{ADDRESS_KIND}:{address_id}"


def bot_target(agent_bot_id: int) -> str:
    """A bot as the target of deliveries."""
    return f"{BOT_KIND}:{agent_bot_id}"


def is_bot(target: str) -> bool:
    """Whether this target is a bot."""
    return target.startswith(f"{BOT_KIND}:")


def is_webhook(target: str) -> bool:
    """Whether this target is an account webhook."""
    return target.startswith(f"{WEBHOOK_KIND}:")


def is_address(target: str) -> bool:
    """Whether this target is an address that a macro names."""
    return target.startswith(f"{ADDRESS_KIND}:")


def cause_of(target: str) -> str:
    """The `cause` of events that the fate of a delivery to this target led to."""
    return f"delivery:{target}"


def secret_context(account_id: int, webhook_id: int) -> str:
    """What the secret of a webhook is sealed for."""
    return f"webhook:{account_id}:{webhook_id}"


class Subscriber(msgspec.Struct, frozen=True):
    """Who is told of what: an account webhook, the URL of an API inbox, or a bot.

    `inbox_id` is the inbox whose events are for an API inbox's URL, or for the bot that is connected to it; without
    one, a bot is told of what is assigned to it.
    """

    target: str
    url: str
    inbox_id: int | None
    subscriptions: list[str] | None
    is_disabled: bool

    def wants(self, event_name: str, inbox_id: int | None, agent_bot_id: int | None = None) -> bool:
        """Whether an event of this name, in this inbox, about something that is assigned to this bot, is for it."""
        if self.subscriptions is not None:
            return event_name in self.subscriptions
        if is_bot(self.target):
            is_about = self.inbox_id == inbox_id or (
                agent_bot_id is not None and self.target == bot_target(agent_bot_id)
            )
            return is_about and event_name in BOT_EVENTS
        return self.inbox_id == inbox_id and event_name in INBOX_EVENTS


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wants to be told, with the inbox it is about (which filters nothing)."""

    account_id: int
    id: int
    name: str | None
    url: str
    inbox_id: int | None
    inbox_name: str | None
    subscriptions: list[str]
    secret: bytes
    previous_secret: bytes | None
    previous_secret_until: datetime | None
    timeout_seconds: int
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    created_at: datetime

    @property
    def target(self) -> str:
        """Its name in deliveries."""
        return webhook_target(self.id)

    @property
    def subscriber(self) -> Subscriber:
        """The webhook as somebody to tell, whether it is disabled or not."""
        return Subscriber(self.target, self.url, None, self.subscriptions, is_disabled=False)


class NewPayload(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be sent: rendered once, whoever is told. `event_id` is absent for what no log keeps."""

    id: UUID
    day: datetime
    event_id: int | None
    event_name: str
    sequence: int
    conversation_id: int | None
    message_id: int | None
    contact_id: int | None
    body: bytes


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A payload for one target; a held one waits for somebody to replay it."""

    id: UUID
    target: str
    payload: NewPayload
    is_held: bool = False


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of telling one target of one event. Without `next_try_at` nothing more is sent by itself."""

    id: UUID
    day: datetime
    target: str
    payload_id: UUID
    event_id: int | None
    event_name: str
    sequence: int
    conversation_id: int | None
    conversation_display_id: int | None
    message_id: int | None
    contact_id: int | None
    status: DeliveryStatus
    tries: int
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None
    created_at: datetime
    next_try_at: datetime | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try: what the other side said, or why nothing was said."""

    number: int
    status: int | None
    error: str | None
    headers: list[Any]
    answer: bytes | None
    duration_ms: int
    first_byte_ms: int | None
    started_at: datetime


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How a target did lately, and what still waits for it."""

    delivered: int
    exhausted: int
    waiting: int
    tries: int
    successful_tries: int
    p95_ms: float | None
    next_try_at: datetime | None


class DeliveryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries to look for; what is None does not matter."""

    target: str | None = None
    status: DeliveryStatus | None = None
    event_name: str | None = None
    conversation_display_id: int | None = None
    message_id: int | None = None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries of a target to send again: what failed or was held back, or all there is."""

    since: datetime
    until: datetime
    event_names: Sequence[str] | None = None
    includes_delivered: bool = False

    @property
    def statuses(self) -> Sequence[DeliveryStatus]:
        """What became of them before."""
        return ("exhausted", "cancelled", "delivered") if self.includes_delivered else ("exhausted", "cancelled")


class Lane(msgspec.Struct, frozen=True):
    """A target with something due."""

    account_id: int
    target: str


class Share(msgspec.Struct, frozen=True):
    """How much to claim for a target, of what comes behind a place in the order of events."""

    target: str
    most: int
    after: int


class ToSend(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery claimed for sending, with where it goes now. Without a `url` nobody wants it any more."""

    account_id: int
    delivery_id: UUID
    day: datetime
    target: str
    event_id: int | None
    event_name: str
    sequence: int
    conversation_id: int | None
    message_id: int | None
    contact_id: int | None
    tries: int
    tries_ever: int
    is_told_failed: bool
    body: bytes | None
    url: str | None
    channel_id: int | None
    webhook_id: int | None
    """Whose secret signs it; an address is signed for when the account has a webhook for it too."""
    secret: bytes | None
    previous_secret: bytes | None
    timeout_seconds: int | None
    is_failing: bool

    @property
    def lane(self) -> Lane:
        """Whose turn it is."""
        return Lane(self.account_id, self.target)

    @property
    def secrets(self) -> Sequence[tuple[bytes, str]]:
        """The sealed secrets that sign it, the current one first, each with what it is sealed for."""
        if self.channel_id is not None:
            context = inbox_secret_context(self.channel_id)
        elif self.webhook_id is not None:
            context = secret_context(self.account_id, self.webhook_id)
        else:
            context = bot_secret_context(int(self.target.partition(":")[2]))
        return [(sealed, context) for sealed in (self.secret, self.previous_secret) if sealed is not None]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What one try brought: an answer, or an error instead."""

    started_at: datetime
    status: int | None = None
    error_kind: str | None = None
    error: str | None = None
    headers: Sequence[tuple[str, str]] = ()
    answer: bytes = b""
    duration_ms: int = 0
    first_byte_ms: int | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written down about a claimed delivery. Without a try it was not sent: given back, or cancelled."""

    sent: ToSend
    status: DeliveryStatus
    tried: Tried | None = None
    due_at: datetime | None = None
    hold_until: datetime | None = None
    is_told_failed: bool = False
    """Whether the message stands as failed after this."""
