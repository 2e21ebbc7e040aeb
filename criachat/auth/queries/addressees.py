"""The SQL of whoever is written to."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.auth.models import Addressee, Newcomer
from criachat.kit.db import Db

# Across accounts: in the language a person chose, or else that of the account they use.
FIND_ADDRESSEE = """
SELECT users.id, users.name, users.email, users.unconfirmed_email, users.confirmed_at IS NOT NULL AS is_confirmed,
    coalesce(users.ui_settings ->> 'locale', (
        SELECT accounts.locale FROM account_users JOIN accounts ON accounts.id = account_users.account_id
        WHERE account_users.user_id = users.id
        ORDER BY account_users.active_at DESC NULLS LAST, account_users.account_id
        LIMIT 1
    ), 'en') AS locale
FROM users
WHERE users.id = $1
"""
LIST_NEWCOMERS = """
SELECT id AS user_id, password_hash IS NOT NULL AS has_password FROM users
WHERE id = ANY($1::bigint[]) AND confirmed_at IS NULL
"""
FIND_ACCOUNT_NAME = """
SELECT accounts.name
FROM account_users
JOIN accounts ON accounts.id = account_users.account_id
WHERE account_users.account_id = $1 AND account_users.user_id = $2
"""


async def find_addressee(db: Db, user_id: int) -> Addressee | None:
    """The person, and the language they are written to in; or None."""
    return await db.fetch_one_or_none(Addressee, FIND_ADDRESSEE, user_id)


async def list_newcomers(db: Db, user_ids: Sequence[int]) -> list[Newcomer]:
    """Those of these people who have yet to say that it is them."""
    return await db.fetch_all(Newcomer, LIST_NEWCOMERS, user_ids)


async def find_account_name(db: Db, account_id: int, user_id: int) -> str | None:
    """What the account is called that the person belongs to; None when they do not."""
    return await db.fetch_value(FIND_ACCOUNT_NAME, account_id, user_id)
