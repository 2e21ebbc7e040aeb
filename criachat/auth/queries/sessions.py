"""The SQL of sessions, and of whoever wants to have one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from criachat.auth.models import Entrant, NextToken
from criachat.kit import clock
from criachat.kit.db import Db, Tx

ENTRANT: LiteralString = """
SELECT users.id, users.email, users.password_hash, users.provider, users.confirmed_at IS NOT NULL AS is_confirmed,
    coalesce(second_factors.enabled_at IS NOT NULL, false) AS has_second_factor
FROM users
LEFT JOIN second_factors ON second_factors.user_id = users.id
"""
FIND_ENTRANT: LiteralString = ENTRANT + "WHERE lower(users.email) = lower($1)"
FIND_ENTRANT_BY_ID: LiteralString = ENTRANT + "WHERE users.id = $1"
# With the person locked, or of many who sign in at once more would stay than may. And only while their password is the
# one that was looked at: comparing it takes long, and who changed it meanwhile has ended all sessions there were.
INSERT_SESSION = """
INSERT INTO sessions (user_id, client, digest, expires_at, created_at)
SELECT users.id, $3, $4, $5, $6
FROM users
WHERE users.id = $1 AND users.password_hash IS NOT DISTINCT FROM $2
FOR NO KEY UPDATE
RETURNING id
"""
INSERT_API_TOKEN = """
INSERT INTO access_tokens (digest, prefix, last_characters, name, owner_type, owner_id, session_id, expires_at,
    created_at)
VALUES ($1, $2, $3, $4, 'user', $5, $6, $7, $8)
"""  # noqa: S105
LIST_SURPLUS_SESSIONS = """
SELECT id FROM sessions WHERE user_id = $1 ORDER BY expires_at DESC, id DESC OFFSET $2
"""
LOCK_SESSION = "SELECT id FROM sessions WHERE id = $1 FOR UPDATE"
LIST_OTHER_SESSIONS = "SELECT id FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2"
# The tokens first, for their ids: with the sessions they would go unseen.
END_SESSIONS = """
WITH ended AS (
    DELETE FROM access_tokens WHERE session_id = ANY($1::bigint[]) RETURNING id
), gone AS (
    DELETE FROM sessions WHERE id = ANY($1::bigint[])
)
SELECT id FROM ended
"""
COUNT_ON = """
UPDATE sessions SET token_number = token_number + 1 WHERE id = $1 AND user_id = $2 RETURNING token_number, expires_at
"""
DELETE_API_TOKEN = "DELETE FROM access_tokens WHERE session_id = $1"  # noqa: S105
PRUNE_SESSIONS = "DELETE FROM sessions WHERE expires_at < $1"


async def find_entrant(db: Db, email: str) -> Entrant | None:
    """Whoever has this address, or None."""
    return await db.fetch_one_or_none(Entrant, FIND_ENTRANT, email.strip())


async def find_entrant_by_id(db: Db, user_id: int) -> Entrant | None:
    """The person as one who wants to sign in, or None."""
    return await db.fetch_one_or_none(Entrant, FIND_ENTRANT_BY_ID, user_id)


async def insert_session(tx: Tx, entrant: Entrant, *, client: str, digest: bytes, expires_at: datetime) -> int | None:
    """A new session, known by the digest of what its owner carries; its id, or None when their password is another."""
    values = (entrant.id, entrant.password_hash, client, digest, expires_at, clock.now())
    return await tx.fetch_value(INSERT_SESSION, *values)


async def insert_api_token(
    tx: Tx, user_id: int, session_id: int, *, digest: bytes, shown: tuple[str, str], expires_at: datetime
) -> None:
    """The session's own access token, which dies with it."""
    values = (digest, *shown, "Session", user_id, session_id, expires_at, clock.now())
    await tx.execute(INSERT_API_TOKEN, *values)


async def lock_session(tx: Tx, session_id: int) -> bool:
    """Hold the session until the transaction ends; False when it has ended."""
    return await tx.fetch_value(LOCK_SESSION, session_id) is not None


async def list_surplus_sessions(tx: Tx, user_id: int, *, kept: int) -> list[int]:
    """The sessions past so many of them, those that would end first."""
    return await tx.fetch_values(LIST_SURPLUS_SESSIONS, user_id, kept)


async def list_other_sessions(tx: Tx, user_id: int, session_id: int | None) -> list[int]:
    """All sessions of a person but this one."""
    return await tx.fetch_values(LIST_OTHER_SESSIONS, user_id, session_id)


async def end_sessions(tx: Tx, session_ids: Sequence[int]) -> list[int]:
    """End sessions; the ids of the access tokens that died with them."""
    return await tx.fetch_values(END_SESSIONS, session_ids)


async def end_api_token(tx: Tx, user_id: int, session_id: int) -> NextToken | None:
    """End the session's own access token; which is next, or None without such a session."""
    following = await tx.fetch_one_or_none(NextToken, COUNT_ON, session_id, user_id)
    await tx.execute(DELETE_API_TOKEN, session_id)
    return following


async def prune_sessions(tx: Tx) -> None:
    """Forget sessions that have ended."""
    await tx.execute(PRUNE_SESSIONS, clock.now())
