"""The SQL of what apps are set up with."""

from __future__ import annotations

from typing import LiteralString

from criachat.integrations.models import MOST_HOOKS, Hook, Presence
from criachat.kit import clock
from criachat.kit.db import Db, Tx

HOOK: LiteralString = """
SELECT hooks.id, hooks.account_id, hooks.app_id, hooks.inbox_id, inboxes.name AS inbox_name, hooks.hook_type,
    hooks.is_enabled, hooks.is_only, hooks.settings, hooks.reference_id
FROM integration_hooks AS hooks
LEFT JOIN inboxes ON inboxes.account_id = $1 AND inboxes.id = hooks.inbox_id
WHERE hooks.account_id = $1
"""
LIST_HOOKS: LiteralString = HOOK + "ORDER BY hooks.id\nLIMIT $2"
FIND_HOOK: LiteralString = HOOK + "  AND hooks.id = $2"
LOCK_HOOK: LiteralString = HOOK + "  AND hooks.id = $2\nFOR UPDATE OF hooks"
FIND_PRESENCE = """
SELECT EXISTS (SELECT FROM webhooks WHERE webhooks.account_id = $1) AS has_webhooks,
    EXISTS (SELECT FROM dashboard_apps WHERE dashboard_apps.account_id = $1) AS has_dashboard_apps, features
FROM accounts
WHERE id = $1
"""
RESERVE_ID = "SELECT nextval('integration_hooks_id_seq')"
# Whoever makes one has taken their turn, so that two at once do not both take the last place.
INSERT_HOOK = """
INSERT INTO integration_hooks (account_id, id, app_id, inbox_id, hook_type, is_enabled, is_only, settings, created_at,
    updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9
WHERE (SELECT count(*) FROM integration_hooks WHERE account_id = $1) < $10
ON CONFLICT (account_id, app_id) WHERE is_only DO NOTHING
RETURNING id
"""
COUNT_HOOKS = "SELECT count(*) FROM integration_hooks WHERE account_id = $1"
SAVE_HOOK = """
UPDATE integration_hooks
SET is_enabled = $3, settings = $4, version = version + 1,
    updated_at = greatest($5, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
DELETE_HOOK = "DELETE FROM integration_hooks WHERE account_id = $1 AND id = $2"


async def list_hooks(db: Db, account_id: int) -> list[Hook]:
    """What apps of the account are set up with, oldest first."""
    return await db.fetch_all(Hook, LIST_HOOKS, account_id, MOST_HOOKS)


async def find_hook(db: Db, account_id: int, hook_id: int) -> Hook | None:
    """The hook, or None."""
    return await db.fetch_one_or_none(Hook, FIND_HOOK, account_id, hook_id)


async def lock_hook(tx: Tx, account_id: int, hook_id: int) -> Hook | None:
    """The hook, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Hook, LOCK_HOOK, account_id, hook_id)


async def find_presence(db: Db, account_id: int) -> Presence:
    """What the account has that counts as an app."""
    return await db.fetch_one(Presence, FIND_PRESENCE, account_id)


async def reserve_id(tx: Tx) -> int:
    """The id of the next hook, which its settings are sealed for."""
    return await tx.fetch_value(RESERVE_ID)


async def insert_hook(tx: Tx, hook: Hook) -> bool:
    """A new hook; False when the app is there already, or there are as many as there can be."""
    values = (hook.app_id, hook.inbox_id, hook.hook_type, hook.is_enabled, hook.is_only, hook.settings)
    key = (hook.account_id, hook.id)
    return await tx.fetch_value(INSERT_HOOK, *key, *values, clock.now(), MOST_HOOKS) is not None


async def count_hooks(db: Db, account_id: int) -> int:
    """How many hooks there are."""
    return await db.fetch_value(COUNT_HOOKS, account_id)


async def save_hook(tx: Tx, hook: Hook) -> None:
    """Write what a hook became."""
    await tx.execute(SAVE_HOOK, hook.account_id, hook.id, hook.is_enabled, hook.settings, clock.now())


async def delete_hook(tx: Tx, hook: Hook) -> None:
    """Remove it."""
    await tx.execute(DELETE_HOOK, hook.account_id, hook.id)
