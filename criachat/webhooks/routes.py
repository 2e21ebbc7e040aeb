"""Webhooks and what became of their deliveries, over HTTP. All of it is for administrators."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from criachat.inboxes import access as inboxes
from criachat.inboxes.models import API
from criachat.kit import clock
from criachat.kit.actors import ADMINISTRATOR, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.routes import Routes
from criachat.kit.settings import Settings
from criachat.kit.tokens import Keyring
from criachat.webhooks import access, asking, operations
from criachat.webhooks.models import Webhook, inbox_target
from criachat.webhooks.payloads import Links
from criachat.webhooks.queries import deliveries
from criachat.webhooks.schemas import (
    DeliveriesOut,
    DeliveriesParams,
    DeliveryDetailOut,
    DeliveryIdOut,
    DeliveryOut,
    EnabledOut,
    EnabledReply,
    EnablingParams,
    HealthOut,
    ReplayedOut,
    ReplayParams,
    RotationParams,
    SampleParams,
    WebhookOut,
    WebhookParams,
    WebhookPayloadOut,
    WebhookReply,
    WebhooksPayloadOut,
    WebhooksReply,
    attempt_out,
    delivery_out,
    health_out,
    webhook_out,
)

routes = Routes("/api/v1/accounts/{account_id}/webhooks", tag="Webhooks", scope="webhooks")
inbox_routes = Routes("/api/v1/accounts/{account_id}/inboxes/{inbox_id}/webhook", tag="Webhooks", scope="webhooks")
delivery_routes = Routes("/api/v1/accounts/{account_id}/deliveries", tag="Deliveries", scope="webhooks")

LATELY = timedelta(hours=24)


@routes.get(actors=ADMINISTRATOR)
async def list_webhooks(db: Db, actor: Actor, keyring: Keyring) -> WebhooksReply:
    """All webhooks of the account, oldest first, with their secrets."""
    found = await access.list_webhooks(db, actor)
    return WebhooksReply(WebhooksPayloadOut([_out(webhook, keyring) for webhook in found]))


@routes.post(actors=ADMINISTRATOR, wrapper="webhook")
async def create_webhook(
    tx: Tx, actor: Actor, keyring: Keyring, settings: Settings, params: WebhookParams
) -> WebhookReply:
    """Have a URL told of events from now on; without `subscriptions`, of conversations, contacts and messages."""
    webhook = await operations.create_webhook(
        tx,
        keyring,
        params,
        actor=actor,
        timeout_seconds=settings.webhook_timeout_seconds,
    )
    return _reply(webhook, keyring)


@routes.update("/{webhook_id}", actors=ADMINISTRATOR, wrapper="webhook")
async def change_webhook(
    tx: Tx, actor: Actor, keyring: Keyring, webhook_id: int, params: WebhookParams
) -> WebhookReply:
    """Change what is sent. What waits to be delivered goes to the new URL."""
    webhook = await access.load_webhook_to_change(tx, actor, webhook_id)
    return _reply(await operations.update_webhook(tx, webhook, params, actor=actor), keyring)


@routes.delete("/{webhook_id}", actors=ADMINISTRATOR)
async def delete_webhook(tx: Tx, actor: Actor, webhook_id: int) -> None:
    """Tell it nothing any more; what waits for it is cancelled. Its deliveries stay in the log."""
    await operations.delete_webhook(tx, await access.load_webhook_to_change(tx, actor, webhook_id), actor=actor)


@routes.post("/{webhook_id}/rotate_secret", actors=ADMINISTRATOR)
async def rotate_secret(
    tx: Tx, actor: Actor, keyring: Keyring, webhook_id: int, params: RotationParams
) -> WebhookReply:
    """Sign with a new secret. The one before signs beside it for `overlap_hours`: 24, or 0 to 168."""
    webhook = await access.load_webhook_to_change(tx, actor, webhook_id)
    rotated = await operations.rotate_secret(tx, keyring, webhook, overlap_hours=params.overlap_hours)
    return _reply(rotated, keyring)


@routes.delete("/{webhook_id}/previous_secret", actors=ADMINISTRATOR)
async def revoke_previous_secret(tx: Tx, actor: Actor, keyring: Keyring, webhook_id: int) -> WebhookReply:
    """End the overlap of a rotation now."""
    webhook = await access.load_webhook_to_change(tx, actor, webhook_id)
    return _reply(await operations.revoke_previous_secret(tx, webhook), keyring)


@routes.post("/{webhook_id}/enable", actors=ADMINISTRATOR)
async def enable_webhook(
    tx: Tx, actor: Actor, keyring: Keyring, webhook_id: int, params: EnablingParams
) -> EnabledReply:
    """Tell a webhook again that was disabled because it kept failing; with `replay` also what it missed meanwhile."""
    webhook = await access.load_webhook_to_change(tx, actor, webhook_id)
    enabled, replayed = await operations.enable(tx, webhook, wants_replay=params.replay)
    return EnabledReply(EnabledOut(_out(enabled, keyring), replayed))


@routes.post("/{webhook_id}/test", actors=ADMINISTRATOR)
async def send_sample(tx: Tx, actor: Actor, links: Links, webhook_id: int, params: SampleParams) -> DeliveryIdOut:
    """Send it a made-up `event`, signed like any other, in which every id is 0. Look for its fate in the log."""
    webhook = await access.load_webhook(tx, actor, webhook_id)
    delivery_id = await operations.queue_sample(tx, webhook, params.event, links)
    return DeliveryIdOut(str(delivery_id))


@routes.get("/{webhook_id}/health", actors=ADMINISTRATOR)
async def show_health(db: Db, actor: Actor, webhook_id: int) -> HealthOut:
    """How the last 24 hours went, and when something is tried next."""
    webhook = await access.load_webhook(db, actor, webhook_id)
    return await _health(db, actor, webhook.target)


@routes.post("/{webhook_id}/replay", actors=ADMINISTRATOR)
async def replay_webhook(tx: Tx, actor: Actor, webhook_id: int, params: ReplayParams) -> ReplayedOut:
    """Send again what failed or was held back since a moment, or with `include_delivered` everything of a span.

    At most 10,000 at once, the oldest first, each under the id it had before.
    """
    webhook = await access.load_webhook(tx, actor, webhook_id)
    return ReplayedOut(await operations.replay_span(tx, actor.account_id, webhook.target, asking.span_of(params)))


@inbox_routes.get("/health", actors=ADMINISTRATOR)
async def show_inbox_health(db: Db, actor: Actor, inbox_id: int) -> HealthOut:
    """How the last 24 hours of an API inbox's URL went, and when something is tried next."""
    return await _health(db, actor, await _target_of_inbox(db, actor, inbox_id))


@inbox_routes.post("/replay", actors=ADMINISTRATOR)
async def replay_inbox(tx: Tx, actor: Actor, inbox_id: int, params: ReplayParams) -> ReplayedOut:
    """Send again to the URL of an API inbox what failed since a moment, or everything of a span."""
    target = await _target_of_inbox(tx, actor, inbox_id)
    return ReplayedOut(await operations.replay_span(tx, actor.account_id, target, asking.span_of(params)))


@delivery_routes.get(actors=ADMINISTRATOR)
async def list_deliveries(db: Db, actor: Actor, params: DeliveriesParams) -> DeliveriesOut:
    """What was sent or is to be, newest first: of a webhook or an API inbox, a conversation, a message, an event."""
    size = asking.page_size(params.per_page)
    found = await deliveries.list_deliveries(
        db, actor.account_id, asking.filter_of(params), before=asking.read_cursor(params.cursor), limit=size + 1
    )
    shown = found[:size]
    cursor = asking.cursor_behind(shown[-1]) if len(found) > size else None
    return DeliveriesOut([delivery_out(each) for each in shown], cursor)


@delivery_routes.get("/{delivery_id}", actors=ADMINISTRATOR)
async def show_delivery(db: Db, actor: Actor, delivery_id: str) -> DeliveryDetailOut:
    """One delivery: what was sent, and each try with what came back."""
    delivery = await access.load_delivery(db, actor, delivery_id)
    body = await deliveries.find_body(db, actor.account_id, delivery)
    attempts = await deliveries.list_attempts(db, actor.account_id, delivery)
    return DeliveryDetailOut(
        delivery=delivery_out(delivery),
        payload=None if body is None else msgspec.Raw(body),
        attempts=[attempt_out(attempt) for attempt in attempts],
    )


@delivery_routes.post("/{delivery_id}/replay", actors=ADMINISTRATOR)
async def replay_delivery(tx: Tx, actor: Actor, delivery_id: str) -> DeliveryOut:
    """Send it once more, under the same id, whatever became of it before."""
    await operations.replay(tx, actor.account_id, await access.load_delivery(tx, actor, delivery_id))
    return delivery_out(await access.load_delivery(tx, actor, delivery_id))


def _reply(webhook: Webhook, keyring: Keyring) -> WebhookReply:
    return WebhookReply(WebhookPayloadOut(_out(webhook, keyring)))


def _out(webhook: Webhook, keyring: Keyring) -> WebhookOut:
    return webhook_out(webhook, operations.open_secret(keyring, webhook))


async def _health(db: Db, actor: Actor, target: str) -> HealthOut:
    return health_out(await deliveries.find_health(db, actor.account_id, target, since=clock.now() - LATELY))


async def _target_of_inbox(db: Db, actor: Actor, inbox_id: int) -> str:
    inbox = await inboxes.load_inbox(db, actor, inbox_id)
    if inbox.channel_type != API:
        raise NotFound
    return inbox_target(inbox.id)
