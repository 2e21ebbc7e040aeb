"""The SQL of access tokens and platform apps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from criachat.auth.models import AccessToken, Grant, Identity, Owner
from criachat.kit import clock
from criachat.kit.db import Db, Tx

# Whoever was invited and has yet to say that it is them is nobody: what calls in their name may be of somebody who had
# signed up with their address.
IDENTITY_HEAD = """
SELECT access_tokens.id AS token_id, sessions.id AS session_id, sessions.client, sessions.token_number,
    sessions.expires_at AS session_expires_at, access_tokens.name, access_tokens.owner_type, access_tokens.owner_id,
    coalesce(users.name, agent_bots.name, system_bots.name, platform_apps.name, '') AS owner_name,
    access_tokens.account_id,
    access_tokens.account_id IS NULL AND EXISTS (
        SELECT FROM agent_bot_inboxes AS connected
        WHERE connected.account_id = $2 AND connected.agent_bot_id = system_bots.id
    ) AS is_connected, access_tokens.scopes, access_tokens.allowed_addresses, access_tokens.allowed_origins,
    access_tokens.expires_at, accounts.status AS account_status, accounts.locale AS account_locale, account_users.role,
    users.ui_settings ->> 'locale' AS screen_locale, custom_roles.permissions, users.display_name, users.email,
    account_users.availability, account_users.auto_offline,
    coalesce(users.avatar_key, agent_bots.avatar_key, system_bots.avatar_key) AS avatar_key
FROM access_tokens
LEFT JOIN sessions ON sessions.id = access_tokens.session_id
LEFT JOIN users ON access_tokens.owner_type = 'user' AND users.id = access_tokens.owner_id
LEFT JOIN agent_bots ON access_tokens.owner_type = 'agent_bot' AND agent_bots.account_id = access_tokens.account_id
    AND agent_bots.id = access_tokens.owner_id
LEFT JOIN system_bots ON access_tokens.owner_type = 'agent_bot' AND access_tokens.account_id IS NULL
    AND system_bots.id = access_tokens.owner_id
LEFT JOIN platform_apps ON access_tokens.owner_type = 'platform_app' AND platform_apps.id = access_tokens.owner_id
LEFT JOIN accounts ON accounts.id = $2
LEFT JOIN account_users ON account_users.account_id = $2 AND account_users.user_id = users.id
LEFT JOIN custom_roles ON custom_roles.account_id = $2 AND custom_roles.id = account_users.custom_role_id
WHERE access_tokens.revoked_at IS NULL
  AND (access_tokens.expires_at IS NULL OR access_tokens.expires_at > $3)
  AND coalesce(users.id, agent_bots.id, system_bots.id, platform_apps.id) IS NOT NULL
  AND (users.id IS NULL OR users.confirmed_at IS NOT NULL OR users.password_hash IS NOT NULL)
"""
FIND_IDENTITY = IDENTITY_HEAD + "  AND access_tokens.digest = ANY($1)\n"
FIND_SESSION_IDENTITY = (
    IDENTITY_HEAD
    + """  AND sessions.digest = ANY($1) AND sessions.client = $4
  AND lower(users.email) = ANY($5::text[])
"""
)
COLUMNS: LiteralString = """
    id, name, owner_type, owner_id, account_id, prefix, last_characters, scopes, allowed_addresses, allowed_origins,
    expires_at, last_used_at, created_at
"""
INSERT_ACCESS: LiteralString = (
    """
INSERT INTO access_tokens (digest, prefix, last_characters, name, owner_type, owner_id, account_id, scopes,
    allowed_addresses, allowed_origins, expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[]::inet[], $10, $11, $12)
RETURNING"""
    + COLUMNS
)
LIST_OF_PERSON: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM access_tokens
WHERE owner_type = 'user' AND owner_id = $1 AND session_id IS NULL AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > $2)
ORDER BY id DESC
LIMIT 1000
"""
)
LIST_OF_ACCOUNT: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM access_tokens
WHERE account_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
ORDER BY id DESC
LIMIT 1000
"""
)
COUNT_ACCESS = """
SELECT count(*) FROM access_tokens
WHERE owner_type = $1 AND owner_id = $2 AND session_id IS NULL AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > $3)
"""
HOLD_OWNER = "SELECT pg_advisory_xact_lock($1, hashtext($2))"
LOCK_OF_PERSON: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM access_tokens
WHERE owner_type = 'user' AND owner_id = $1 AND id = $2 AND session_id IS NULL AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > $3)
FOR UPDATE
"""
)
LOCK_OF_ACCOUNT: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM access_tokens
WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
FOR UPDATE
"""
)
# Never later than it would have ended by itself.
SET_EXPIRES_AT = "UPDATE access_tokens SET expires_at = least(expires_at, $2) WHERE id = $1"
REVOKE_ACCESS = (
    "UPDATE access_tokens SET revoked_at = $2 WHERE id = ANY($1::bigint[]) AND revoked_at IS NULL RETURNING id"
)
REVOKE_BY_DIGEST = """
UPDATE access_tokens SET revoked_at = $2 WHERE digest = ANY($1) AND revoked_at IS NULL RETURNING id
"""
REVOKE_OF_OWNER = """
UPDATE access_tokens SET revoked_at = $3 WHERE owner_type = $1 AND owner_id = $2 AND revoked_at IS NULL RETURNING id
"""
DELETE_ENDED = """
DELETE FROM access_tokens
WHERE id IN (SELECT id FROM access_tokens WHERE least(expires_at, revoked_at) < $1 LIMIT $2)
"""
# What belonged to somebody who is gone lets nobody in already.
DELETE_STRAY = """
DELETE FROM access_tokens
WHERE owner_type = 'user' AND NOT EXISTS (SELECT FROM users WHERE users.id = access_tokens.owner_id)
"""
SET_LAST_USED = """
UPDATE access_tokens SET last_used_at = used.at
FROM unnest($1::bigint[], $2::timestamptz[]) AS used (id, at)
WHERE access_tokens.id = used.id AND (access_tokens.last_used_at IS NULL OR access_tokens.last_used_at < used.at)
"""
INSERT_PLATFORM_APP = "INSERT INTO platform_apps (name, created_at) VALUES ($1, $2) RETURNING id"

OWNER_LOCK = 7_414


async def find_identity(db: Db, digests: Sequence[bytes], account_id: int | None) -> Identity | None:
    """Whose living token has one of these digests, seen from the account; None for nobody's."""
    return await db.fetch_one_or_none(Identity, FIND_IDENTITY, digests, account_id, clock.now())


async def find_session_identity(
    db: Db, digests: Sequence[bytes], account_id: int | None, *, client: str, uids: Sequence[str]
) -> Identity | None:
    """The same of whoever signed in and carries what has one of these digests."""
    return await db.fetch_one_or_none(
        Identity, FIND_SESSION_IDENTITY, digests, account_id, clock.now(), client, [uid.lower() for uid in uids]
    )


async def insert_token(tx: Tx, grant: Grant, *, digest: bytes, shown: tuple[str, str], owner: Owner) -> AccessToken:
    """A new token, known by its digest; of the token itself its prefix and last characters are shown."""
    places = grant.allowed_addresses, grant.allowed_origins
    values = (digest, *shown, grant.name, *owner, grant.scopes, *places, grant.expires_at)
    return await tx.fetch_one(AccessToken, INSERT_ACCESS, *values, clock.now())


async def list_tokens_of_person(db: Db, user_id: int) -> list[AccessToken]:
    """The living tokens of a person, newest first."""
    return await db.fetch_all(AccessToken, LIST_OF_PERSON, user_id, clock.now())


async def list_tokens_of_account(db: Db, account_id: int) -> list[AccessToken]:
    """The living tokens that are good for this account alone, newest first."""
    return await db.fetch_all(AccessToken, LIST_OF_ACCOUNT, account_id, clock.now())


async def count_tokens(tx: Tx, owner: Owner) -> int:
    """How many living tokens somebody has; nobody makes them another before this transaction ends."""
    await tx.fetch_value(HOLD_OWNER, OWNER_LOCK, f"{owner.type}:{owner.id}")
    return await tx.fetch_value(COUNT_ACCESS, owner.type, owner.id, clock.now())


async def lock_token_of_person(tx: Tx, user_id: int, token_id: int) -> AccessToken | None:
    """A living token of the person, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(AccessToken, LOCK_OF_PERSON, user_id, token_id, clock.now())


async def lock_token_of_account(tx: Tx, account_id: int, token_id: int) -> AccessToken | None:
    """A living token of the account, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(AccessToken, LOCK_OF_ACCOUNT, account_id, token_id, clock.now())


async def set_expires_at(tx: Tx, token_id: int, expires_at: datetime) -> None:
    """Have a token end at this time, or earlier if it was to."""
    await tx.execute(SET_EXPIRES_AT, token_id, expires_at)


async def revoke_tokens(tx: Tx, token_ids: Sequence[int]) -> list[int]:
    """End these tokens; those of them that had not ended."""
    return await tx.fetch_values(REVOKE_ACCESS, token_ids, clock.now())


async def revoke_by_digest(tx: Tx, digests: Sequence[bytes]) -> list[int]:
    """End the token that has one of these digests, whosever it is."""
    return await tx.fetch_values(REVOKE_BY_DIGEST, digests, clock.now())


async def revoke_tokens_of(tx: Tx, owner: Owner) -> list[int]:
    """End all tokens of somebody."""
    return await tx.fetch_values(REVOKE_OF_OWNER, owner.type, owner.id, clock.now())


async def delete_ended(tx: Tx, *, before: datetime, most: int) -> int:
    """Forget tokens that ended before this time; how many."""
    return await tx.execute(DELETE_ENDED, before, most)


async def delete_stray(tx: Tx) -> None:
    """Forget tokens of people who are gone."""
    await tx.execute(DELETE_STRAY)


async def set_last_used(tx: Tx, uses: dict[int, datetime]) -> None:
    """Note when tokens were last used."""
    await tx.execute(SET_LAST_USED, list(uses), list(uses.values()))


async def insert_platform_app(tx: Tx, name: str) -> int:
    """A new platform app; its id."""
    return await tx.fetch_value(INSERT_PLATFORM_APP, name, clock.now())
