"""The SQL of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import msgspec

from criachat.contacts.snapshots import AccountSnapshot
from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.webhooks.models import MOST_WEBHOOKS, DisabledReason, Subscriber, Webhook

WEBHOOK: LiteralString = """
SELECT webhooks.account_id, webhooks.id, webhooks.name, webhooks.url, webhooks.inbox_id, inboxes.name AS inbox_name,
    webhooks.subscriptions, webhooks.secret, webhooks.previous_secret, webhooks.previous_secret_until,
    webhooks.timeout_seconds, webhooks.disabled_at, webhooks.disabled_reason, webhooks.created_at
FROM webhooks
LEFT JOIN inboxes ON inboxes.account_id = $1 AND inboxes.id = webhooks.inbox_id
WHERE webhooks.account_id = $1
"""
LIST_WEBHOOKS: LiteralString = WEBHOOK + "ORDER BY webhooks.id\nLIMIT $2"
FIND_WEBHOOK: LiteralString = WEBHOOK + "  AND webhooks.id = $2"
FIND_ACCOUNT = "SELECT id, name FROM accounts WHERE id = $1"
FIND_INBOX = "SELECT id FROM inboxes WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL"
RESERVE_ID = "SELECT nextval('webhooks_id_seq')"
# Whoever makes one has taken their turn, so that two at once do not both take the last place.
INSERT_WEBHOOK = """
INSERT INTO webhooks (account_id, id, name, url, inbox_id, subscriptions, secret, timeout_seconds, created_at,
    updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9
WHERE (SELECT count(*) FROM webhooks WHERE account_id = $1) < $10
ON CONFLICT (account_id, url) DO NOTHING
RETURNING id
"""
COUNT_WEBHOOKS = "SELECT count(*) FROM webhooks WHERE account_id = $1"
IS_URL_TAKEN = "SELECT EXISTS (SELECT FROM webhooks WHERE account_id = $1 AND url = $2 AND id <> $3)"
LOCK_WEBHOOK = "SELECT id FROM webhooks WHERE account_id = $1 AND id = $2 FOR UPDATE"
SAVE_WEBHOOK = """
UPDATE webhooks
SET name = $3, url = $4, inbox_id = $5, subscriptions = $6, timeout_seconds = $7, version = version + 1,
    updated_at = greatest($8, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
SET_KEYS = """
UPDATE webhooks
SET secret = $3, previous_secret = $4, previous_secret_until = $5, version = version + 1,
    updated_at = greatest($6, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
DELETE_WEBHOOK = "DELETE FROM webhooks WHERE account_id = $1 AND id = $2"
SET_ENABLED = """
UPDATE webhooks
SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL, failed_tries = 0, version = version + 1,
    updated_at = greatest($3, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
LIST_SUBSCRIBERS = """
SELECT 'webhook:' || id AS target, url, NULL::bigint AS inbox_id, subscriptions, disabled_at IS NOT NULL AS is_disabled
FROM webhooks
WHERE account_id = $1 AND subscriptions && $2::text[]
UNION ALL
SELECT 'api_inbox:' || inboxes.id, api_channels.webhook_url, inboxes.id, NULL, false
FROM inboxes
JOIN api_channels ON api_channels.account_id = $1 AND api_channels.id = inboxes.channel_id
WHERE inboxes.account_id = $1 AND inboxes.id = ANY($3::bigint[]) AND inboxes.channel_type = 'Channel::Api'
  AND inboxes.deleted_at IS NULL AND api_channels.webhook_url <> ''
UNION ALL
SELECT 'agent_bot:' || bots.id, coalesce(system_bots.outgoing_url, bots.outgoing_url), heard.inbox_id, NULL, false
FROM (
    SELECT agent_bot_id, inbox_id FROM agent_bot_inboxes WHERE account_id = $1 AND inbox_id = ANY($3::bigint[])
    UNION ALL
    SELECT assigned.id, NULL FROM unnest($4::bigint[]) AS assigned (id)
) AS heard
JOIN agent_bots AS bots ON bots.account_id = $1 AND bots.id = heard.agent_bot_id
LEFT JOIN system_bots ON system_bots.id = bots.system_bot_id
WHERE coalesce(system_bots.outgoing_url, bots.outgoing_url) IS NOT NULL
"""
# A webhook is disabled at once when its receiver is gone for good, and after five days and twenty tries without a
# single success.
COUNT_FAILURES = """
UPDATE webhooks
SET failing_since = coalesce(webhooks.failing_since, $5),
    failed_tries = webhooks.failed_tries + news.failures,
    disabled_at = CASE WHEN news.is_gone OR is_given_up THEN $5 END,
    disabled_reason = CASE WHEN news.is_gone THEN 'gone' WHEN is_given_up THEN 'failing' END
FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::boolean[]) AS news (account_id, id, failures, is_gone)
JOIN webhooks AS before ON before.account_id = news.account_id AND before.id = news.id
CROSS JOIN LATERAL (
    SELECT before.failing_since <= $5::timestamptz - interval '5 days' AND before.failed_tries + news.failures >= 20
) AS judged (is_given_up)
WHERE webhooks.account_id = news.account_id AND webhooks.id = news.id AND webhooks.disabled_at IS NULL
RETURNING webhooks.account_id, webhooks.id, webhooks.disabled_reason
"""
CLEAR_FAILURES = """
UPDATE webhooks SET failing_since = NULL, failed_tries = 0
FROM unnest($1::bigint[], $2::bigint[]) AS news (account_id, id)
WHERE webhooks.account_id = news.account_id AND webhooks.id = news.id AND failing_since IS NOT NULL
"""


class Counted(msgspec.Struct, frozen=True):
    """A webhook whose failures were counted; with a reason when that disabled it."""

    account_id: int
    id: int
    disabled_reason: DisabledReason | None


async def list_webhooks(db: Db, account_id: int) -> list[Webhook]:
    """The account's webhooks, oldest first."""
    return await db.fetch_all(Webhook, LIST_WEBHOOKS, account_id, MOST_WEBHOOKS)


async def find_webhook(db: Db, account_id: int, webhook_id: int) -> Webhook | None:
    """The account's webhook, or None."""
    return await db.fetch_one_or_none(Webhook, FIND_WEBHOOK, account_id, webhook_id)


async def find_account(db: Db, account_id: int) -> AccountSnapshot:
    """The account as payloads name it."""
    return await db.fetch_one(AccountSnapshot, FIND_ACCOUNT, account_id)


async def has_inbox(db: Db, account_id: int, inbox_id: int) -> bool:
    """Whether the account has this inbox."""
    return await db.fetch_value(FIND_INBOX, account_id, inbox_id) is not None


async def reserve_id(tx: Tx) -> int:
    """The id of the next webhook, for what has to know it beforehand."""
    return await tx.fetch_value(RESERVE_ID)


async def insert_webhook(tx: Tx, webhook: Webhook) -> bool:
    """Write a new webhook; False when its URL is taken, or there are as many as there can be."""
    values = webhook.url, webhook.inbox_id, webhook.subscriptions, webhook.secret, webhook.timeout_seconds
    inserted = await tx.fetch_value(
        INSERT_WEBHOOK, webhook.account_id, webhook.id, webhook.name, *values, webhook.created_at, MOST_WEBHOOKS
    )
    return inserted is not None


async def count_webhooks(db: Db, account_id: int) -> int:
    """How many webhooks there are."""
    return await db.fetch_value(COUNT_WEBHOOKS, account_id)


async def is_url_taken(db: Db, webhook: Webhook) -> bool:
    """Whether another webhook of the account has this URL."""
    return await db.fetch_value(IS_URL_TAKEN, webhook.account_id, webhook.url, webhook.id)


async def lock_webhook(tx: Tx, account_id: int, webhook_id: int) -> None:
    """Hold the row until the transaction ends."""
    await tx.fetch_value(LOCK_WEBHOOK, account_id, webhook_id)


async def save_webhook(tx: Tx, webhook: Webhook) -> None:
    """Write what people may change."""
    values = webhook.name, webhook.url, webhook.inbox_id, webhook.subscriptions, webhook.timeout_seconds
    await tx.execute(SAVE_WEBHOOK, webhook.account_id, webhook.id, *values, clock.now())


async def set_secret(tx: Tx, webhook: Webhook) -> None:
    """Write the secret, and the one before with its end."""
    values = webhook.secret, webhook.previous_secret, webhook.previous_secret_until
    await tx.execute(SET_KEYS, webhook.account_id, webhook.id, *values, clock.now())


async def delete_webhook(tx: Tx, webhook: Webhook) -> None:
    """Remove it."""
    await tx.execute(DELETE_WEBHOOK, webhook.account_id, webhook.id)


async def set_enabled(tx: Tx, webhook: Webhook) -> None:
    """Forget its failures."""
    await tx.execute(SET_ENABLED, webhook.account_id, webhook.id, clock.now())


async def list_subscribers(
    db: Db, account_id: int, event_names: Sequence[str], inbox_ids: Sequence[int], agent_bot_ids: Sequence[int] = ()
) -> list[Subscriber]:
    """Who may want these events: webhooks that subscribed to one of them, the URLs of these API inboxes, and bots that
    are connected to these inboxes or named.
    """
    return await db.fetch_all(Subscriber, LIST_SUBSCRIBERS, account_id, event_names, inbox_ids, agent_bot_ids)


async def count_failures(tx: Tx, failures: Sequence[tuple[int, int, int, bool]], *, now: datetime) -> list[Counted]:
    """Count failed tries of webhooks: (account, webhook, how many, whether the receiver is gone)."""
    columns: list[list[object]] = [list(column) for column in zip(*failures, strict=True)]
    return await tx.fetch_all(Counted, COUNT_FAILURES, *columns, now)


async def clear_failures(tx: Tx, webhooks: Sequence[tuple[int, int]]) -> None:
    """Note that these (account, webhook) take what they are told again."""
    columns: list[list[int]] = [list(column) for column in zip(*webhooks, strict=True)]
    await tx.execute(CLEAR_FAILURES, *columns)
