"""Having somebody told: of events, of signals, once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from criachat.conversations import access as conversations
from criachat.conversations.events import ConversationEvent, TellingRequested
from criachat.conversations.typing import Typing
from criachat.kit import clock
from criachat.kit.db import Tx
from criachat.kit.events import Event
from criachat.messages.events import MessageEvent
from criachat.users.snapshots import BotSnapshot
from criachat.webhooks import payloads
from criachat.webhooks.errors import PayloadGone
from criachat.webhooks.models import (
    Delivery,
    NewDelivery,
    NewPayload,
    Span,
    Subscriber,
    Webhook,
    address_target,
    cause_of,
)
from criachat.webhooks.payloads import Links, Payload, WidgetOpened
from criachat.webhooks.queries import queue, replays, webhooks
from criachat.webhooks.samples import sample_payload

TOPIC: Final = "deliveries"


async def queue_deliveries(tx: Tx, events: Sequence[Event], links: Links) -> None:
    """Have everybody told who wants one of these events, all of one account. What is told already is left alone."""
    account_id = events[0].account_id
    names = list({event.name for event in events})
    inbox_ids = list({event.inbox_id for event in events if event.inbox_id is not None})
    bot_ids = list({bot_id for event in events if (bot_id := _assigned_bot(event)) is not None})
    subscribers = await webhooks.list_subscribers(tx, account_id, names, inbox_ids, bot_ids)
    if not subscribers:
        return
    deliveries: list[NewDelivery] = []
    for event in events:
        wanting = _wanting(subscribers, event)
        if wanting:
            body = payloads.encode(payloads.payload_of(event, links))
            deliveries += _deliveries(_payload(event, body), wanting)
    await _insert(tx, account_id, deliveries)


async def queue_tellings(tx: Tx, events: Sequence[TellingRequested], links: Links) -> None:
    """Have the address of each of these, all of one account, told of its conversation."""
    deliveries: list[NewDelivery] = []
    for event in events:
        payload = _payload(event, payloads.encode(payloads.payload_of(event, links)), event_name=event.told_as)
        target = address_target(event.address_id)
        deliveries.append(NewDelivery(id=uuid5(payload.id, target), target=target, payload=payload))
    await _insert(tx, events[0].account_id, deliveries)


async def queue_typing(tx: Tx, typing: Typing, links: Links) -> None:
    """Have everybody told that somebody types, or stopped; of several workers that heard of it, one queues it.

    No log keeps it, so it is tried once, and nothing waits for it.
    """
    name = "conversation_typing_on" if typing.is_on else "conversation_typing_off"
    wanting = await _listening(tx, typing.account_id, typing.inbox_id, name)
    if not wanting:
        return
    conversation = await conversations.find_conversation_by_id(tx, typing.account_id, typing.conversation_id)
    if conversation is None:
        return
    snapshot = conversation.snapshot()
    payload = payloads.typing_payload(
        name, typing.typist or snapshot.contact, snapshot, is_private=typing.is_private, links=links
    )
    new = _signal(payload, signal_id=UUID(typing.id), conversation_id=typing.conversation_id)
    await _insert(tx, typing.account_id, _deliveries(new, wanting))


async def queue_widget_opened(tx: Tx, opened: WidgetOpened, links: Links) -> None:
    """Have everybody told that a visitor opened the widget. It is tried once."""
    payload = payloads.webwidget_triggered_payload(opened, links)
    wanting = await _listening(tx, opened.account.id, opened.inbox.id, payload["event"])
    await _insert(tx, opened.account.id, _deliveries(_signal(payload), wanting))


async def queue_sample(tx: Tx, webhook: Webhook, event_name: str, links: Links) -> UUID:
    """Send it a made-up event, also while it is disabled; the id of the delivery. It is tried once."""
    account = await webhooks.find_account(tx, webhook.account_id)
    (delivery,) = _deliveries(_signal(sample_payload(event_name, account, links)), [webhook.subscriber])
    await _insert(tx, webhook.account_id, [delivery])
    return delivery.id


async def replay(tx: Tx, account_id: int, delivery: Delivery) -> None:
    """Send it again, under the same id."""
    if not await replays.replay_one(tx, account_id, delivery.id, delivery.day):
        raise PayloadGone
    tx.wake(TOPIC)


async def retry_message(tx: Tx, account_id: int, message_id: int) -> None:
    """Send the receiver of an API inbox once more, now, what it could not be told of this message."""
    if await replays.retry_message(tx, account_id, message_id):
        tx.wake(TOPIC)


async def replay_span(tx: Tx, account_id: int, target: str, span: Span) -> int:
    """Send again what failed or was held back in this span (or everything in it), the oldest 10,000; how many."""
    count = await replays.replay_many(tx, account_id, target, span)
    if count:
        tx.wake(TOPIC)
    return count


async def _insert(tx: Tx, account_id: int, deliveries: Sequence[NewDelivery]) -> None:
    if deliveries:
        await queue.insert_deliveries(tx, account_id, deliveries)
        tx.wake(TOPIC)


async def _listening(tx: Tx, account_id: int, inbox_id: int, event_name: str) -> list[Subscriber]:
    """Who is told of a signal in this inbox: it is not held for those who are disabled."""
    subscribers = await webhooks.list_subscribers(tx, account_id, [event_name], [inbox_id])
    return [each for each in subscribers if each.wants(event_name, inbox_id) and not each.is_disabled]


def _wanting(subscribers: Sequence[Subscriber], event: Event) -> list[Subscriber]:
    """Who is told of this event: never the URL whose own failure caused it, or failures would chase each other."""
    wants = {each.target: each for each in subscribers if each.wants(event.name, event.inbox_id, _assigned_bot(event))}
    wanting = list(wants.values())
    failing_urls = {each.url for each in wanting if event.cause == cause_of(each.target)}
    return [each for each in wanting if each.url not in failing_urls]


def _assigned_bot(event: Event) -> int | None:
    """The bot that has the conversation which the event is about."""
    match event:
        case MessageEvent():
            assignee = event.snapshot.conversation.assignee
        case ConversationEvent():
            assignee = event.snapshot.assignee
        case _:
            return None
    return assignee.id if isinstance(assignee, BotSnapshot) else None


def _deliveries(payload: NewPayload, wanting: Sequence[Subscriber]) -> list[NewDelivery]:
    return [
        NewDelivery(id=uuid5(payload.id, each.target), target=each.target, payload=payload, is_held=each.is_disabled)
        for each in wanting
    ]


def _payload(event: Event, body: bytes, *, event_name: str | None = None) -> NewPayload:
    at = event.created_at or clock.now()
    return NewPayload(
        id=uuid5(NAMESPACE_URL, f"criachat:{event.account_id}:{event.id}:{event.name}"),
        day=_midnight(at),
        event_id=event.id,
        event_name=event_name or event.name,
        sequence=event.sequence,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        contact_id=event.contact_id,
        body=body,
    )


def _signal(payload: Payload, *, signal_id: UUID | None = None, conversation_id: int | None = None) -> NewPayload:
    return NewPayload(
        id=signal_id or uuid4(),
        day=_midnight(clock.now()),
        event_id=None,
        event_name=payload["event"],
        sequence=0,
        conversation_id=conversation_id,
        message_id=None,
        contact_id=None,
        body=payloads.encode(payload),
    )


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
