"""The SQL of what operators' apps may touch, and of the tokens they have for people."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.platform_api.models import Kind, UserToken

PERMIT = """
INSERT INTO permissible_objects (platform_app_id, kind, object_id, is_made, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
FIND_PERMIT = "SELECT is_made FROM permissible_objects WHERE platform_app_id = $1 AND kind = $2 AND object_id = $3"
# Of two requests that want the token of one person at once, the second finds what the first made.
LOCK_PERMIT = """
SELECT is_made FROM permissible_objects WHERE platform_app_id = $1 AND kind = $2 AND object_id = $3 FOR UPDATE
"""
LIST_PERMITS = """
SELECT object_id FROM permissible_objects
WHERE platform_app_id = $1 AND kind = $2
ORDER BY object_id
LIMIT $3 OFFSET $4
"""
FORGET = "DELETE FROM permissible_objects WHERE kind = $1 AND object_id = $2"
# Across accounts: an app may act for whoever belongs to its own accounts alone.
IS_OURS_ALONE = """
SELECT count(*) > 0 AND count(*) = count(permissible_objects.object_id)
FROM account_users
LEFT JOIN permissible_objects ON permissible_objects.platform_app_id = $1 AND permissible_objects.kind = 'account'
    AND permissible_objects.object_id = account_users.account_id
WHERE account_users.user_id = $2
"""
# Across accounts: of people an app found and did not make, those who belong to an account that is not the app's.
LIST_OUT_OF_REACH = """
SELECT kept.access_token_id
FROM platform_user_tokens AS kept
JOIN permissible_objects AS found ON found.platform_app_id = kept.platform_app_id AND found.kind = 'user'
    AND found.object_id = kept.user_id AND NOT found.is_made
WHERE kept.user_id = ANY($1::bigint[])
  AND EXISTS (
      SELECT FROM account_users
      WHERE account_users.user_id = kept.user_id AND NOT EXISTS (
          SELECT FROM permissible_objects AS ours
          WHERE ours.platform_app_id = kept.platform_app_id AND ours.kind = 'account'
            AND ours.object_id = account_users.account_id
      )
  )
"""
IS_MEMBER = "SELECT EXISTS (SELECT FROM account_users WHERE account_id = $1 AND user_id = $2)"
FIND_KEPT = """
SELECT kept.access_token_id, kept.access_token,
    access_tokens.id IS NOT NULL AND access_tokens.revoked_at IS NULL
        AND (access_tokens.expires_at IS NULL OR access_tokens.expires_at > $3) AS is_good
FROM platform_user_tokens AS kept
LEFT JOIN access_tokens ON access_tokens.id = kept.access_token_id
WHERE kept.platform_app_id = $1 AND kept.user_id = $2
"""
KEEP = """
INSERT INTO platform_user_tokens (platform_app_id, user_id, access_token_id, access_token, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (platform_app_id, user_id) DO UPDATE
SET access_token_id = excluded.access_token_id, access_token = excluded.access_token, created_at = excluded.created_at
"""


async def permit(tx: Tx, app_id: int, kind: Kind, object_id: int, *, is_made: bool = True) -> None:
    """Let the app at this, which it made, or found."""
    await tx.execute(PERMIT, app_id, kind, object_id, is_made, clock.now())


async def find_permit(db: Db, app_id: int, kind: Kind, object_id: int) -> bool | None:
    """Whether the app made this; None when it may not touch it at all."""
    return await db.fetch_value(FIND_PERMIT, app_id, kind, object_id)


async def lock_permit(tx: Tx, app_id: int, kind: Kind, object_id: int) -> bool | None:
    """The same, and other requests of the app for it wait until the transaction ends."""
    return await tx.fetch_value(LOCK_PERMIT, app_id, kind, object_id)


async def list_permits(db: Db, app_id: int, kind: Kind, *, limit: int, offset: int) -> list[int]:
    """The ids of what the app may touch of a kind, in their order."""
    return await db.fetch_values(LIST_PERMITS, app_id, kind, limit, offset)


async def forget(tx: Tx, kind: Kind, object_id: int) -> None:
    """Note for every app that this is gone."""
    await tx.execute(FORGET, kind, object_id)


async def is_ours_alone(db: Db, app_id: int, user_id: int) -> bool:
    """Whether all the accounts of this person are the app's, and there is one."""
    return await db.fetch_value(IS_OURS_ALONE, app_id, user_id)


async def is_member(db: Db, account_id: int, user_id: int) -> bool:
    """Whether the person belongs to the account."""
    return await db.fetch_value(IS_MEMBER, account_id, user_id)


async def list_tokens_out_of_reach(db: Db, user_ids: Sequence[int]) -> list[int]:
    """The tokens apps have for those of these people for whom they may not act any more."""
    return await db.fetch_values(LIST_OUT_OF_REACH, user_ids)


async def find_token(db: Db, app_id: int, user_id: int) -> UserToken | None:
    """The token the app has for the person, or None."""
    return await db.fetch_one_or_none(UserToken, FIND_KEPT, app_id, user_id, clock.now())


async def keep_token(tx: Tx, app_id: int, user_id: int, *, token_id: int, sealed: bytes) -> None:
    """Have this be the token the app has for the person."""
    await tx.execute(KEEP, app_id, user_id, token_id, sealed, clock.now())
