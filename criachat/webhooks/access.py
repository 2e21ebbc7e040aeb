"""The ways to get a webhook or a delivery on somebody's behalf."""

from __future__ import annotations

from uuid import UUID

from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound, existing
from criachat.webhooks.models import Delivery, Webhook
from criachat.webhooks.queries import deliveries, webhooks


async def load_webhook(db: Db, actor: Actor, webhook_id: int) -> Webhook:
    """The webhook of the caller's account."""
    return existing(await webhooks.find_webhook(db, actor.account_id, webhook_id))


async def load_webhook_to_change(tx: Tx, actor: Actor, webhook_id: int) -> Webhook:
    """The same, and nobody else changes it until this transaction ends."""
    await webhooks.lock_webhook(tx, actor.account_id, webhook_id)
    return await load_webhook(tx, actor, webhook_id)


async def list_webhooks(db: Db, actor: Actor) -> list[Webhook]:
    """The webhooks of the caller's account, oldest first."""
    return await webhooks.list_webhooks(db, actor.account_id)


async def load_delivery(db: Db, actor: Actor, delivery_id: str) -> Delivery:
    """The delivery of the caller's account with this id, as receivers see it."""
    try:
        key = UUID(delivery_id)
    except ValueError as failure:
        raise NotFound from failure
    return existing(await deliveries.find_delivery(db, actor.account_id, key))
