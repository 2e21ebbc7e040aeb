"""Writing down what became of deliveries, and what follows from it for messages and webhooks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from criachat.kit import clock
from criachat.kit.db import Tx
from criachat.kit.events import Event, emit
from criachat.webhooks import outcomes
from criachat.webhooks.events import DeliveryFailed, DeliveryRecovered, WebhookDisabled
from criachat.webhooks.models import Result, cause_of, is_webhook, webhook_target
from criachat.webhooks.queries import queue, replays, webhooks
from criachat.webhooks.schedule import GONE


async def record(tx: Tx, results: Sequence[Result], *, worker_id: UUID) -> None:
    """Write down what came of these; whoever has to know of a failure or its end is told by an event."""
    await queue.record_results(tx, results, worker_id=worker_id)
    news: defaultdict[int, list[Event]] = defaultdict(list)
    for result in results:
        event = _message_news(result)
        if event is not None:
            news[event.account_id].append(event)
    for event in await _judge_webhooks(tx, results):
        news[event.account_id].append(event)
    for events in news.values():
        await emit(tx, *events)


def _message_news(result: Result) -> Event | None:
    """Whether a message stands as failed from now on, or no more."""
    sent, tried = result.sent, result.tried
    if tried is None or sent.is_told_failed == result.is_told_failed:
        return None
    kind = DeliveryFailed if result.is_told_failed else DeliveryRecovered
    return kind(
        account_id=sent.account_id,
        conversation_id=sent.conversation_id,
        message_id=sent.message_id,
        contact_id=sent.contact_id,
        cause=cause_of(sent.target),
        delivery_id=str(sent.delivery_id),
        target=sent.target,
        error=outcomes.error_of(tried) if result.is_told_failed else None,
    )


async def _judge_webhooks(tx: Tx, results: Sequence[Result]) -> list[Event]:
    """Count failures in a row; a webhook that is gone, or failed for days, is told nothing more."""
    tries = [result for result in results if result.tried is not None and is_webhook(result.sent.target)]
    successes = {_webhook(result) for result in tries if result.status == "delivered"}
    recovered = {_webhook(result) for result in tries if result.status == "delivered" and result.sent.is_failing}
    if recovered:
        await webhooks.clear_failures(tx, sorted(recovered))
    failures: defaultdict[tuple[int, int], int] = defaultdict(int)
    gone: set[tuple[int, int]] = set()
    for result in tries:
        webhook = _webhook(result)
        # What no log keeps (samples, typing) says nothing about days of failing.
        if webhook not in successes and result.sent.event_id is not None:
            failures[webhook] += 1
            if result.tried is not None and result.tried.status == GONE:
                gone.add(webhook)
    if not failures:
        return []
    counted = await webhooks.count_failures(
        tx, [(*webhook, count, webhook in gone) for webhook, count in sorted(failures.items())], now=clock.now()
    )
    disabled = [each for each in counted if each.disabled_reason is not None]
    for each in disabled:
        await replays.cancel_queued(tx, each.account_id, webhook_target(each.id))
    return [
        WebhookDisabled(account_id=each.account_id, webhook_id=each.id, reason=each.disabled_reason or "")
        for each in disabled
    ]


def _webhook(result: Result) -> tuple[int, int]:
    return result.sent.account_id, int(result.sent.target.partition(":")[2])
