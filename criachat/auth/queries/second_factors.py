"""The SQL of second factors."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.auth.models import SecondFactor
from criachat.kit import clock
from criachat.kit.db import Db, Tx

FIND_SECOND_FACTOR = """
SELECT user_id, secret, last_step, enabled_at,
    (SELECT count(*) FROM backup_codes WHERE backup_codes.user_id = second_factors.user_id) AS backup_codes
FROM second_factors
WHERE user_id = $1
"""
LOCK_SECOND_FACTOR = FIND_SECOND_FACTOR + "FOR UPDATE OF second_factors\n"
# One that counts already is not replaced.
SAVE_SECOND_FACTOR = """
INSERT INTO second_factors (user_id, secret, created_at) VALUES ($1, $2, $3)
ON CONFLICT (user_id) DO UPDATE SET secret = $2, last_step = 0, created_at = $3
WHERE second_factors.enabled_at IS NULL
RETURNING user_id
"""
SET_ENABLED = "UPDATE second_factors SET enabled_at = $2 WHERE user_id = $1"
SET_LAST_STEP = "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2"
DELETE_SECOND_FACTOR = "DELETE FROM second_factors WHERE user_id = $1"
DELETE_BACKUP_CODES = "DELETE FROM backup_codes WHERE user_id = $1"
INSERT_BACKUP_CODES = "INSERT INTO backup_codes (user_id, digest) SELECT $1, unnest($2::bytea[])"
DELETE_BACKUP_CODE = "DELETE FROM backup_codes WHERE user_id = $1 AND digest = ANY($2::bytea[])"


async def find_second_factor(db: Db, user_id: int) -> SecondFactor | None:
    """The person's second factor, or None."""
    return await db.fetch_one_or_none(SecondFactor, FIND_SECOND_FACTOR, user_id)


async def lock_second_factor(tx: Tx, user_id: int) -> SecondFactor | None:
    """The same, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(SecondFactor, LOCK_SECOND_FACTOR, user_id)


async def save_second_factor(tx: Tx, user_id: int, secret: bytes) -> bool:
    """A secret that is still to be shown to work; False when another counts already."""
    return await tx.fetch_value(SAVE_SECOND_FACTOR, user_id, secret, clock.now()) is not None


async def set_enabled(tx: Tx, user_id: int) -> None:
    """Have it count from now on."""
    await tx.execute(SET_ENABLED, user_id, clock.now())


async def set_last_step(tx: Tx, user_id: int, step: int) -> bool:
    """Note that the code of this step was used; False when it, or a later one, was before."""
    return await tx.execute(SET_LAST_STEP, user_id, step) > 0


async def delete_second_factor(tx: Tx, user_id: int) -> None:
    """Forget it, backup codes and all."""
    await tx.execute(DELETE_SECOND_FACTOR, user_id)


async def replace_backup_codes(tx: Tx, user_id: int, digests: Sequence[bytes]) -> None:
    """Have just these backup codes."""
    await tx.execute(DELETE_BACKUP_CODES, user_id)
    await tx.execute(INSERT_BACKUP_CODES, user_id, digests)


async def use_backup_code(tx: Tx, user_id: int, digests: Sequence[bytes]) -> bool:
    """Use up a backup code that has one of these digests; False when there is none."""
    return await tx.execute(DELETE_BACKUP_CODE, user_id, digests) > 0
