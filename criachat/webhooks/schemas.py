"""Webhooks and deliveries on the wire."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.kit.times import iso, iso_or_none
from criachat.webhooks.models import Attempt, Delivery, Health, Webhook
from criachat.webhooks.signing import standard_form


class WebhookParams(msgspec.Struct, kw_only=True):
    """A webhook; on update, what is not sent stays. Secrets are made here and never taken."""

    url: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    inbox_id: int | UnsetType | None = UNSET
    subscriptions: Any = UNSET
    timeout_seconds: int | UnsetType | None = UNSET


class RotationParams(msgspec.Struct, kw_only=True):
    """How long the secret before goes on signing beside the new one."""

    overlap_hours: int = 24


class EnablingParams(msgspec.Struct, kw_only=True):
    """Whether what was held back or given up meanwhile is sent now."""

    replay: bool = False


class SampleParams(msgspec.Struct, kw_only=True):
    """Which event to send a sample of."""

    event: str = "message_created"


class DeliveriesParams(msgspec.Struct, kw_only=True):
    """Which deliveries to list, newest first; `cursor` is the `next_cursor` of the page before."""

    webhook_id: int | None = None
    inbox_id: int | None = None
    agent_bot_id: int | None = None
    status: str | None = None
    event: str | None = None
    conversation_id: int | None = None
    message_id: int | None = None
    cursor: str | None = None
    per_page: int = 25


class ReplayParams(msgspec.Struct, kw_only=True):
    """What to send again: whatever failed since a moment, or also what was delivered, in a span, by event."""

    since: str | None = None
    until: str | None = None
    events: list[str] | None = None
    include_delivered: bool = False


class InboxRefOut(msgspec.Struct, frozen=True):
    """An inbox by name."""

    id: int
    name: str


class WebhookOut(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook. `secret` signs the family's way; `secret_standard` is the same key for Standard Webhooks."""

    id: int
    name: str | None
    url: str
    account_id: int
    subscriptions: list[str]
    inbox: InboxRefOut | UnsetType
    secret: str
    secret_standard: str
    previous_secret_until: str | None
    timeout_seconds: int
    disabled_at: str | None
    disabled_reason: str | None


class WebhookPayloadOut(msgspec.Struct, frozen=True):
    """One webhook, wrapped."""

    webhook: WebhookOut


class WebhookReply(msgspec.Struct, frozen=True):
    """One webhook, wrapped twice."""

    payload: WebhookPayloadOut


class WebhooksPayloadOut(msgspec.Struct, frozen=True):
    """All webhooks, wrapped."""

    webhooks: list[WebhookOut]


class WebhooksReply(msgspec.Struct, frozen=True):
    """All webhooks, wrapped twice."""

    payload: WebhooksPayloadOut


class EnabledOut(msgspec.Struct, frozen=True):
    """The webhook again at work, and how many deliveries are sent anew."""

    webhook: WebhookOut
    replayed: int


class EnabledReply(msgspec.Struct, frozen=True):
    """The same, wrapped."""

    payload: EnabledOut


class DeliveryOut(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery; `id` is the `webhook-id` the receiver sees. `conversation_id` is the number people see."""

    id: str
    target: str
    event: str
    sequence: int
    status: str
    tries: int
    last_status: int | None
    last_error: str | None
    conversation_id: int | None
    message_id: int | None
    contact_id: int | None
    created_at: str
    delivered_at: str | None
    next_try_at: str | None


class AttemptOut(msgspec.Struct, frozen=True, kw_only=True):
    """One try. `body` is the first 20 kB of the answer; in base64 as `body_base64` when it is no text."""

    number: int
    started_at: str
    status: int | None
    error: str | None
    headers: list[Any]
    body: str | None
    body_base64: str | UnsetType
    duration_ms: int
    first_byte_ms: int | None


class DeliveryDetailOut(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery with what was sent (null when it is not kept any more) and every try."""

    delivery: DeliveryOut
    payload: msgspec.Raw | None
    attempts: list[AttemptOut]


class DeliveriesOut(msgspec.Struct, frozen=True):
    """A page of deliveries; `next_cursor` is null on the last."""

    deliveries: list[DeliveryOut]
    next_cursor: str | None


class DeliveryIdOut(msgspec.Struct, frozen=True):
    """A delivery to look for in the log."""

    delivery_id: str


class ReplayedOut(msgspec.Struct, frozen=True):
    """How many deliveries are sent again."""

    replayed: int


class HealthOut(msgspec.Struct, frozen=True, kw_only=True):
    """The last 24 hours of a webhook. Rates are null when nothing was tried."""

    delivered: int
    exhausted: int
    waiting: int
    tries: int
    success_rate: float | None
    p95_ms: float | None
    next_try_at: str | None


def webhook_out(webhook: Webhook, secret: str) -> WebhookOut:
    """The webhook as administrators see it."""
    inbox_name = webhook.inbox_name
    return WebhookOut(
        id=webhook.id,
        name=webhook.name,
        url=webhook.url,
        account_id=webhook.account_id,
        subscriptions=webhook.subscriptions,
        inbox=UNSET if webhook.inbox_id is None else InboxRefOut(webhook.inbox_id, inbox_name or ""),
        secret=secret,
        secret_standard=standard_form(secret),
        previous_secret_until=iso_or_none(webhook.previous_secret_until),
        timeout_seconds=webhook.timeout_seconds,
        disabled_at=iso_or_none(webhook.disabled_at),
        disabled_reason=webhook.disabled_reason,
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """The delivery as the log shows it."""
    return DeliveryOut(
        id=str(delivery.id),
        target=delivery.target,
        event=delivery.event_name,
        sequence=delivery.sequence,
        status=delivery.status,
        tries=delivery.tries,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        conversation_id=delivery.conversation_display_id,
        message_id=delivery.message_id,
        contact_id=delivery.contact_id,
        created_at=iso(delivery.created_at),
        delivered_at=iso_or_none(delivery.delivered_at),
        next_try_at=iso_or_none(delivery.next_try_at),
    )


def attempt_out(attempt: Attempt) -> AttemptOut:
    """The try as the log shows it."""
    text, encoded = _readable(attempt.answer)
    return AttemptOut(
        number=attempt.number,
        started_at=iso(attempt.started_at),
        status=attempt.status,
        error=attempt.error,
        headers=attempt.headers,
        body=text,
        body_base64=encoded,
        duration_ms=attempt.duration_ms,
        first_byte_ms=attempt.first_byte_ms,
    )


def health_out(health: Health) -> HealthOut:
    """The health as the log shows it."""
    return HealthOut(
        delivered=health.delivered,
        exhausted=health.exhausted,
        waiting=health.waiting,
        tries=health.tries,
        success_rate=round(health.successful_tries / health.tries, 4) if health.tries else None,
        p95_ms=health.p95_ms,
        next_try_at=iso_or_none(health.next_try_at),
    )


def _readable(answer: bytes | None) -> tuple[str | None, str | UnsetType]:
    if answer is None:
        return None, UNSET
    try:
        return answer.decode(), UNSET
    except UnicodeDecodeError as problem:
        # Cut in the middle of its last character, it is still text.
        if problem.start >= len(answer) - 3 and problem.reason == "unexpected end of data":
            return answer[: problem.start].decode(), UNSET
    return None, base64.b64encode(answer).decode()
