"""The SQL of how people want to be told, and on which browsers and phones."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.notifications.models import (
    DEFAULT_EMAIL_FLAGS,
    DEFAULT_PUSH_FLAGS,
    MOST_SUBSCRIPTIONS,
    Flags,
    Subscription,
)

FIND_FLAGS = """
SELECT account_users.id, account_users.account_id, account_users.user_id,
    coalesce(settings.email_flags, $3::text[]) AS email_flags, coalesce(settings.push_flags, $4::text[]) AS push_flags
FROM account_users
LEFT JOIN notification_settings AS settings ON settings.account_id = $1 AND settings.user_id = account_users.user_id
WHERE account_users.account_id = $1 AND account_users.user_id = $2
"""
SAVE_FLAGS = """
INSERT INTO notification_settings (account_id, user_id, email_flags, push_flags, updated_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, user_id) DO UPDATE
SET email_flags = excluded.email_flags, push_flags = excluded.push_flags, updated_at = excluded.updated_at
"""
# Kept under an older key of the installation; found from now on under the newest.
RENAME_SUBSCRIPTION = """
UPDATE notification_subscriptions SET identifier_digest = $1
WHERE identifier_digest = ANY($2::bytea[])
  AND NOT EXISTS (SELECT FROM notification_subscriptions WHERE identifier_digest = $1)
"""
# A browser or phone tells one person: whoever signed in there last.
UPSERT_SUBSCRIPTION = """
INSERT INTO notification_subscriptions (user_id, subscription_type, identifier_digest, push_token_digest, attributes,
    created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (identifier_digest) DO UPDATE
SET user_id = excluded.user_id, subscription_type = excluded.subscription_type,
    push_token_digest = excluded.push_token_digest, attributes = excluded.attributes, updated_at = excluded.updated_at
RETURNING id, user_id, subscription_type, created_at, updated_at
"""
DELETE_OLDEST_SUBSCRIPTIONS = """
DELETE FROM notification_subscriptions WHERE id IN (
    SELECT id FROM notification_subscriptions WHERE user_id = $1 ORDER BY updated_at DESC, id DESC OFFSET $2
)
"""
DELETE_SUBSCRIPTION = """
DELETE FROM notification_subscriptions WHERE user_id = $1 AND push_token_digest = ANY($2::bytea[])
"""


async def find_flags(db: Db, account_id: int, user_id: int) -> Flags | None:
    """How the member wants to be told; None for somebody who is none."""
    return await db.fetch_one_or_none(Flags, FIND_FLAGS, account_id, user_id, DEFAULT_EMAIL_FLAGS, DEFAULT_PUSH_FLAGS)


async def save_flags(tx: Tx, flags: Flags) -> None:
    """Write how the member wants to be told."""
    values = (flags.email_flags, flags.push_flags, clock.now())
    await tx.execute(SAVE_FLAGS, flags.account_id, flags.user_id, *values)


async def rename_subscription(tx: Tx, digest: bytes, older: Sequence[bytes]) -> None:
    """Have a subscription found under the newest key."""
    await tx.execute(RENAME_SUBSCRIPTION, digest, older)


async def upsert_subscription(
    tx: Tx, user_id: int, subscription_type: str, *, digest: bytes, token_digest: bytes | None, attributes: bytes
) -> Subscription:
    """A new subscription, or the one that was there, for this person now."""
    values = (digest, token_digest, attributes, clock.now())
    return await tx.fetch_one(Subscription, UPSERT_SUBSCRIPTION, user_id, subscription_type, *values)


async def delete_oldest_subscriptions(tx: Tx, user_id: int) -> None:
    """Forget those of a person that were used longest ago, beyond what anybody has."""
    await tx.execute(DELETE_OLDEST_SUBSCRIPTIONS, user_id, MOST_SUBSCRIPTIONS)


async def delete_subscription(tx: Tx, user_id: int, token_digests: Sequence[bytes]) -> None:
    """Forget the person's subscription with this token."""
    await tx.execute(DELETE_SUBSCRIPTION, user_id, token_digests)
