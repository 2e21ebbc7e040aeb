"""Having somebody told: of events, of signals, once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from criachat.kit import clock
from criachat.kit.db import Tx
from criachat.kit.events import Event
from criachat.webhooks import payloads
from criachat.webhooks.errors import PayloadGone
from criachat.webhooks.models import (
    Delivery,
    NewDelivery,
    NewPayload,
    Subscriber,
    Webhook,
    cause_of,
)
from criachat.webhooks.payloads import Links, Payload
from criachat.webhooks.queries import queue, webhooks

TOPIC: Final = "deliveries"
EVERYTHING_KEPT: Final = timedelta(days=365)


async def queue_deliveries(tx: Tx, events: Sequence[Event], links: Links) -> None:
    """Have everybody told who wants one of these events, all of one account. What is told already is left alone."""
    account_id = events[0].account_id
    names = list({event.name for event in events})
    inbox_ids = list({event.inbox_id for event in events if event.inbox_id is not None})
    subscribers = await webhooks.list_subscribers(tx, account_id, names, inbox_ids)
    if not subscribers:
        return
    deliveries: list[NewDelivery] = []
    for event in events:
        wanting = _wanting(subscribers, event)
        if wanting:
            body = payloads.encode(payloads.payload_of(event, links))
            deliveries += _deliveries(_payload(event, body), wanting)
    await _insert(tx, account_id, deliveries)


async def queue_signal_delivery(
    tx: Tx, account_id: int, payload: Payload, *, inbox_id: int | None, conversation_id: int | None = None
) -> None:
    """Have everybody told of what no log keeps: typing, a widget that was opened. It is tried once."""
    subscribers = await webhooks.list_subscribers(
        tx, account_id, [payload["event"]], [] if inbox_id is None else [inbox_id]
    )
    wanting = [each for each in subscribers if each.wants(payload["event"], inbox_id) and not each.is_disabled]
    new = _signal(payload, conversation_id=conversation_id)
    await _insert(tx, account_id, _deliveries(new, wanting))


async def queue_sample(tx: Tx, webhook: Webhook, payload: Payload) -> UUID:
    """Send it a made-up event, also while it is disabled; the id of the delivery. It is tried once."""
    new = _signal(payload, conversation_id=None)
    delivery = NewDelivery(id=uuid4(), target=webhook.target, payload=new)
    await _insert(tx, webhook.account_id, [delivery])
    return delivery.id


async def replay(tx: Tx, account_id: int, delivery: Delivery) -> None:
    """Send it again, under the same id."""
    if not await queue.replay_one(tx, account_id, delivery.id, delivery.day):
        raise PayloadGone
    tx.wake(TOPIC)


async def replay_span(
    tx: Tx,
    webhook: Webhook,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    event_names: Sequence[str] | None = None,
    includes_delivered: bool = False,
) -> int:
    """Send again what failed or was held back in this span (or everything in it), the oldest 10,000; how many."""
    now = clock.now()
    statuses = ["exhausted", "cancelled", *(["delivered"] if includes_delivered else [])]
    count = await queue.replay_many(
        tx,
        webhook.account_id,
        webhook.target,
        span=(since or now - EVERYTHING_KEPT, until or now),
        event_names=event_names,
        statuses=statuses,
    )
    if count:
        tx.wake(TOPIC)
    return count


async def _insert(tx: Tx, account_id: int, deliveries: Sequence[NewDelivery]) -> None:
    if deliveries:
        await queue.insert_deliveries(tx, account_id, deliveries)
        tx.wake(TOPIC)


def _wanting(subscribers: Sequence[Subscriber], event: Event) -> list[Subscriber]:
    """Who is told of this event: never the URL whose own failure caused it, or failures would chase each other."""
    wanting = [each for each in subscribers if each.wants(event.name, event.inbox_id)]
    failing_urls = {each.url for each in wanting if event.cause == cause_of(each.target)}
    return [each for each in wanting if each.url not in failing_urls]


def _deliveries(payload: NewPayload, wanting: Sequence[Subscriber]) -> list[NewDelivery]:
    return [
        NewDelivery(id=uuid5(payload.id, each.target), target=each.target, payload=payload, is_held=each.is_disabled)
        for each in wanting
    ]


def _payload(event: Event, body: bytes) -> NewPayload:
    at = event.created_at or clock.now()
    return NewPayload(
        id=uuid5(NAMESPACE_URL, f"criachat:{event.account_id}:{event.id}:{event.name}"),
        day=_midnight(at),
        event_id=event.id,
        event_name=event.name,
        sequence=event.sequence,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        contact_id=event.contact_id,
        body=body,
    )


def _signal(payload: Payload, *, conversation_id: int | None) -> NewPayload:
    return NewPayload(
        id=uuid4(),
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
