"""What the slice of webhooks does when something happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from criachat.contacts.events import ContactCreated, ContactUpdated
from criachat.conversations.events import (
    ConversationCreated,
    ConversationOpened,
    ConversationResolved,
    ConversationStatusChanged,
    ConversationUpdated,
    TellingRequested,
)
from criachat.conversations.operations.status import take_from_bot
from criachat.inboxes.events import InboxCreated, InboxUpdated
from criachat.kit.db import Tx
from criachat.kit.events import Event, Listeners
from criachat.messages.events import MessageCreated, MessageEvent, MessageRetried, MessageUpdated
from criachat.messages.operations.changing import report_delivery
from criachat.webhooks import operations
from criachat.webhooks.events import DeliveryEvent, DeliveryFailed, DeliveryRecovered
from criachat.webhooks.models import cause_of, is_bot
from criachat.webhooks.payloads import Links

TOLD: Final = (
    MessageCreated,
    MessageUpdated,
    ConversationCreated,
    ConversationUpdated,
    ConversationStatusChanged,
    ConversationOpened,
    ConversationResolved,
    ContactCreated,
    ContactUpdated,
)


def make_listeners(links: Links, *, tells_of_inboxes: bool) -> Listeners:
    """The listeners of this slice; payloads point to what `links` knows the addresses of."""
    listeners = Listeners("webhooks")

    async def queue_deliveries(tx: Tx, events: Sequence[Event]) -> None:
        told = [event for event in events if is_told(event)]
        if told:
            await operations.queue_deliveries(tx, told, links)

    listeners.on(*TOLD, *((InboxCreated, InboxUpdated) if tells_of_inboxes else ()))(queue_deliveries)

    async def tell_addresses(tx: Tx, events: Sequence[TellingRequested]) -> None:
        await operations.queue_tellings(tx, events, links)

    listeners.on(TellingRequested)(tell_addresses)
    listeners.on(DeliveryFailed, DeliveryRecovered)(mark_messages)
    listeners.on(MessageRetried)(send_again)
    return listeners


async def mark_messages(tx: Tx, events: Sequence[DeliveryEvent]) -> None:
    """Show at the message that its receiver could not be told, or was after all; a bot's conversation opens instead."""
    for event in events:
        if is_bot(event.target):
            if isinstance(event, DeliveryFailed) and event.conversation_id is not None:
                await take_from_bot(tx, event.account_id, event.conversation_id, cause=cause_of(event.target))
        elif event.message_id is not None:
            await report_delivery(
                tx,
                event.account_id,
                event.message_id,
                has_failed=isinstance(event, DeliveryFailed),
                error=event.error,
                cause=cause_of(event.target),
            )


async def send_again(tx: Tx, events: Sequence[MessageRetried]) -> None:
    """Tell the receiver of an API inbox once more what it was not told; in other inboxes there is nobody to tell."""
    for event in events:
        if event.message_id is not None:
            await operations.retry_message(tx, event.account_id, event.message_id)


def is_told(event: Event) -> bool:
    """Whether webhooks are told of it at all: activities are for the team alone, and no change is no news."""
    match event:
        case MessageEvent():
            return not event.snapshot.message.is_activity
        case ContactUpdated() | InboxUpdated():
            return bool(event.changes)
        case _:
            return True
