"""Keeping webhooks: who is told, of what, signed how."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final, cast
from urllib.parse import urlsplit

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from criachat.accounts.operations import take_turn, tell_of_change
from criachat.kit import clock, tokens
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.outside import check_url
from criachat.kit.tokens import Keyring
from criachat.webhooks.errors import (
    NameTooLong,
    OverlapOutOfRange,
    SubscriptionsInvalid,
    TimeoutOutOfRange,
    TooManyWebhooks,
    UrlTaken,
    UrlTooLong,
)
from criachat.webhooks.models import DEFAULT_SUBSCRIPTIONS, EVENTS, MOST_WEBHOOKS, Span, Webhook, secret_context
from criachat.webhooks.operations.telling import replay_span
from criachat.webhooks.queries import replays, webhooks
from criachat.webhooks.schemas import WebhookParams

RECORD: Final = "Webhook"
LONGEST_NAME: Final = 255
# A key of an index cannot be much longer.
MOST_URL_BYTES: Final = 2048
LONGEST_OVERLAP_HOURS: Final = 7 * 24


async def create_webhook(
    tx: Tx, keyring: Keyring, params: WebhookParams, *, actor: Actor, timeout_seconds: int
) -> Webhook:
    """Have somebody told from now on; they have `timeout_seconds` to answer unless the caller says otherwise."""
    account_id, webhook_id = actor.account_id, await webhooks.reserve_id(tx)
    blank = Webhook(
        account_id=account_id,
        id=webhook_id,
        name=None,
        url="",
        inbox_id=None,
        inbox_name=None,
        subscriptions=list(DEFAULT_SUBSCRIPTIONS),
        secret=keyring.seal(tokens.random_secret(), context=secret_context(account_id, webhook_id)),
        previous_secret=None,
        previous_secret_until=None,
        timeout_seconds=timeout_seconds,
        disabled_at=None,
        disabled_reason=None,
        created_at=clock.now(),
    )
    webhook = await _changed(tx, blank, params)
    await take_turn(tx, account_id)
    if not await webhooks.insert_webhook(tx, webhook):
        is_full = await webhooks.count_webhooks(tx, account_id) >= MOST_WEBHOOKS
        raise TooManyWebhooks if is_full else UrlTaken
    await tell_of_change(tx, actor, RECORD, webhook.id, before=None, after=_told(webhook))
    return await _read_again(tx, webhook)


async def update_webhook(tx: Tx, webhook: Webhook, params: WebhookParams, *, actor: Actor) -> Webhook:
    """Change what was sent. What waits for it goes to the new URL."""
    changed = await _changed(tx, webhook, params)
    if await webhooks.is_url_taken(tx, changed):
        raise UrlTaken
    await webhooks.save_webhook(tx, changed)
    await tell_of_change(tx, actor, RECORD, webhook.id, before=_told(webhook), after=_told(changed))
    return await _read_again(tx, changed)


async def delete_webhook(tx: Tx, webhook: Webhook, *, actor: Actor) -> None:
    """Tell it nothing any more; what still waits for it is cancelled, its log stays."""
    await webhooks.delete_webhook(tx, webhook)
    await replays.cancel_queued(tx, webhook.account_id, webhook.target)
    await tell_of_change(tx, actor, RECORD, webhook.id, before=_told(webhook), after=None)


async def rotate_secret(tx: Tx, keyring: Keyring, webhook: Webhook, *, overlap_hours: int) -> Webhook:
    """Sign with a new secret; the one before signs as well for so long."""
    if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
        raise OverlapOutOfRange
    rotated = replace(
        webhook,
        secret=keyring.seal(tokens.random_secret(), context=secret_context(webhook.account_id, webhook.id)),
        previous_secret=webhook.secret if overlap_hours else None,
        previous_secret_until=clock.now() + timedelta(hours=overlap_hours) if overlap_hours else None,
    )
    await webhooks.set_secret(tx, rotated)
    return rotated


async def revoke_previous_secret(tx: Tx, webhook: Webhook) -> Webhook:
    """Sign with the current secret alone from now on."""
    revoked = replace(webhook, previous_secret=None, previous_secret_until=None)
    await webhooks.set_secret(tx, revoked)
    return revoked


async def enable(tx: Tx, webhook: Webhook, *, wants_replay: bool) -> tuple[Webhook, int]:
    """Tell it again, and with `wants_replay` also what it missed while it failed or was disabled; how much that is."""
    await webhooks.set_enabled(tx, webhook)
    replayed = 0
    if wants_replay:
        replayed = await replay_span(
            tx, webhook.account_id, webhook.target, Span(since=webhook.created_at, until=clock.now())
        )
    return await _read_again(tx, webhook), replayed


def open_secret(keyring: Keyring, webhook: Webhook) -> str:
    """The secret its receiver verifies with."""
    return keyring.open(webhook.secret, context=secret_context(webhook.account_id, webhook.id))


def _told(webhook: Webhook) -> dict[str, Any]:
    """The webhook without its secrets. What stands behind the host often is one, so it is told by a digest."""
    parts = urlsplit(webhook.url)
    rest = hashlib.sha256(f"{parts.path}?{parts.query}".encode()).hexdigest()[:8]
    return {
        "url": f"{parts.scheme}://{parts.hostname}/#{rest}",
        "name": webhook.name,
        "inbox_id": webhook.inbox_id,
        "subscriptions": webhook.subscriptions,
        "timeout_seconds": webhook.timeout_seconds,
    }


def _url(webhook: Webhook, sent: str) -> str:
    url = sent.strip()
    check_url(url)
    if url != webhook.url and len(url.encode()) > MOST_URL_BYTES:
        raise UrlTooLong
    return url


async def _changed(tx: Tx, webhook: Webhook, params: WebhookParams) -> Webhook:
    url = _url(webhook, webhook.url if isinstance(params.url, UnsetType) else params.url or "")
    name = webhook.name if isinstance(params.name, UnsetType) else params.name
    if name is not None and len(name) > LONGEST_NAME:
        raise NameTooLong
    timeout = webhook.timeout_seconds if isinstance(params.timeout_seconds, UnsetType) else params.timeout_seconds
    if timeout is None or not 1 <= timeout <= 30:
        raise TimeoutOutOfRange
    inbox_id = webhook.inbox_id if isinstance(params.inbox_id, UnsetType) else params.inbox_id
    if (
        inbox_id is not None
        and inbox_id != webhook.inbox_id
        and not await webhooks.has_inbox(tx, webhook.account_id, inbox_id)
    ):
        raise NotFound
    return replace(
        webhook,
        url=url,
        name=name,
        timeout_seconds=timeout,
        inbox_id=inbox_id,
        subscriptions=_subscriptions(webhook, params.subscriptions),
    )


def _subscriptions(webhook: Webhook, asked: Any) -> list[str]:
    if asked is UNSET:
        return webhook.subscriptions
    if asked is None:
        return list(DEFAULT_SUBSCRIPTIONS)
    if not isinstance(asked, list) or not asked:
        raise SubscriptionsInvalid
    names = cast(list[object], asked)
    if any(name not in EVENTS for name in names):
        raise SubscriptionsInvalid
    return list(dict.fromkeys(cast(list[str], names)))


async def _read_again(tx: Tx, webhook: Webhook) -> Webhook:
    found = await webhooks.find_webhook(tx, webhook.account_id, webhook.id)
    if found is None:
        raise NotFound
    return found
