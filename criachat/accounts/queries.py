"""The SQL of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.accounts.models import DEFAULT_FEATURES, Account, OperatedAccount
from criachat.kit import clock
from criachat.kit.db import Db, Tx

ACCOUNT: LiteralString = """
    id, name, locale, domain, support_email, status, features, settings, custom_attributes, cache_keys, created_at
"""
FIND_ACCOUNT: LiteralString = "SELECT" + ACCOUNT + "FROM accounts WHERE id = $1"
LOCK_ACCOUNT: LiteralString = FIND_ACCOUNT + " FOR NO KEY UPDATE"
SAVE_ACCOUNT = """
UPDATE accounts
SET name = $2, locale = $3, domain = $4, support_email = $5, custom_attributes = $6, settings = $7,
    version = version + 1, updated_at = greatest($8, updated_at + interval '1 millisecond')
WHERE id = $1
"""
INSERT_ACCOUNT: LiteralString = (
    """
INSERT INTO accounts (name, locale, features, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4)
RETURNING"""
    + ACCOUNT
)
INSERT_COUNTERS = "INSERT INTO account_counters (account_id) VALUES ($1)"
# The time in seconds, or one more than before: of two changes within one second, both show.
SET_CACHE_KEY = """
UPDATE accounts
SET cache_keys = cache_keys || jsonb_build_object(
    $2::text, greatest($3::bigint, coalesce(cache_keys ->> $2::text, '0')::bigint + 1)::text
)
WHERE id = $1
RETURNING cache_keys
"""
FORGET_REQUIRED_ATTRIBUTE = """
UPDATE accounts
SET settings = jsonb_set(settings, '{conversation_required_attributes}',
        (settings -> 'conversation_required_attributes') - $2::text),
    version = version + 1, updated_at = greatest($3, updated_at + interval '1 millisecond')
WHERE id = $1 AND settings -> 'conversation_required_attributes' ? $2::text
"""
REMOVE_ONBOARDING_STEP = """
UPDATE accounts
SET custom_attributes = custom_attributes - 'onboarding_step', version = version + 1,
    updated_at = greatest($2, updated_at + interval '1 millisecond')
WHERE id = $1 AND custom_attributes ? 'onboarding_step'
"""
OPERATED: LiteralString = """
SELECT id, name, locale, domain, support_email, status, features, limits, custom_attributes
FROM accounts
"""
LIST_OPERATED: LiteralString = OPERATED + "WHERE id = ANY($1::bigint[])\nORDER BY id"
LOCK_OPERATED: LiteralString = OPERATED + "WHERE id = $1\nFOR NO KEY UPDATE"
SAVE_OPERATED = """
UPDATE accounts
SET name = $2, locale = $3, domain = $4, support_email = $5, status = $6, features = $7, limits = $8,
    custom_attributes = $9, version = version + 1, updated_at = greatest($10, updated_at + interval '1 millisecond')
WHERE id = $1
"""
# Where there is a limit, whoever makes one more waits for those who do so at the same time.
LOCK_LIMIT = """
SELECT floor((limits ->> $2::text)::numeric)::bigint FROM accounts
WHERE id = $1 AND jsonb_typeof(limits -> $2::text) = 'number'
FOR NO KEY UPDATE
"""
DELETE_ACCOUNT = "DELETE FROM accounts WHERE id = $1"
LIST_ACCOUNT_IDS = "SELECT id FROM accounts ORDER BY id"


async def find_account(db: Db, account_id: int) -> Account | None:
    """The account, or None."""
    return await db.fetch_one_or_none(Account, FIND_ACCOUNT, account_id)


async def lock_account(tx: Tx, account_id: int) -> Account | None:
    """The account, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Account, LOCK_ACCOUNT, account_id)


async def save_account(tx: Tx, account: Account) -> None:
    """Write what an account became."""
    names = (account.name, account.locale, account.domain, account.support_email)
    await tx.execute(SAVE_ACCOUNT, account.id, *names, account.custom_attributes, account.settings, clock.now())


async def insert_account(tx: Tx, *, name: str, locale: str) -> Account:
    """A new account with its counters at zero."""
    account = await tx.fetch_one(Account, INSERT_ACCOUNT, name, locale, DEFAULT_FEATURES, clock.now())
    await tx.execute(INSERT_COUNTERS, account.id)
    return account


async def set_cache_key(tx: Tx, account_id: int, kind: str, seconds: int) -> dict[str, str]:
    """Move one cache key forward; all of them."""
    return await tx.fetch_value(SET_CACHE_KEY, account_id, kind, seconds)


async def forget_required_attribute(tx: Tx, account_id: int, key: str) -> None:
    """Take the key out of those that must be filled in before a conversation is resolved."""
    await tx.execute(FORGET_REQUIRED_ATTRIBUTE, account_id, key, clock.now())


async def remove_onboarding_step(tx: Tx, account_id: int) -> None:
    """Forget which first step is next."""
    await tx.execute(REMOVE_ONBOARDING_STEP, account_id, clock.now())


async def list_account_ids(db: Db) -> list[int]:
    """Every account, for jobs that go round."""
    return await db.fetch_values(LIST_ACCOUNT_IDS)


async def lock_limit(tx: Tx, account_id: int, name: str) -> int | None:
    """How many of these the account may have, kept from changing until the transaction ends; None when it is any."""
    return await tx.fetch_value(LOCK_LIMIT, account_id, name)


async def list_operated(db: Db, account_ids: Sequence[int]) -> list[OperatedAccount]:
    """Those of these accounts that there are, as operators see them."""
    return await db.fetch_all(OperatedAccount, LIST_OPERATED, account_ids)


async def lock_operated(tx: Tx, account_id: int) -> OperatedAccount | None:
    """The account as operators see it, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(OperatedAccount, LOCK_OPERATED, account_id)


async def save_operated(tx: Tx, account: OperatedAccount) -> None:
    """Write what an operator made of an account."""
    names = account.name, account.locale, account.domain, account.support_email, account.status
    allowed = account.features, account.limits, account.custom_attributes
    await tx.execute(SAVE_OPERATED, account.id, *names, *allowed, clock.now())


async def delete_account(tx: Tx, account_id: int) -> None:
    """Remove the account, with all that still hangs on it."""
    await tx.execute(DELETE_ACCOUNT, account_id)
