"""The SQL of tokens for one use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from criachat.auth.models import OneTime
from criachat.kit import clock
from criachat.kit.db import Tx

Purpose = Literal["password", "confirmation", "sign_in_link", "second_factor"]

INSERT_ONE_TIME = """
INSERT INTO one_time_tokens (digest, purpose, user_id, email, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
# Locked: of two who use it at once, the second finds it used.
LOCK_ONE_TIME = """
SELECT user_id, email, used_at FROM one_time_tokens WHERE digest = $1 AND purpose = $2 AND expires_at > $3 FOR UPDATE
"""
SET_USED = "UPDATE one_time_tokens SET used_at = $2 WHERE digest = $1"
DELETE_UNUSED = """
DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = ANY($2::text[]) AND used_at IS NULL
"""
PRUNE_ONE_TIME = "DELETE FROM one_time_tokens WHERE expires_at < $1"


async def insert_one_time(
    tx: Tx, *, digest: bytes, purpose: Purpose, user_id: int, email: str | None, expires_at: datetime
) -> None:
    """A token for one use, known by its digest."""
    await tx.execute(INSERT_ONE_TIME, digest, purpose, user_id, email, expires_at, clock.now())


async def lock_one_time(tx: Tx, digest: bytes, purpose: Purpose) -> OneTime | None:
    """The token that is still good, used or not; nobody else uses it before this transaction ends."""
    return await tx.fetch_one_or_none(OneTime, LOCK_ONE_TIME, digest, purpose, clock.now())


async def set_used(tx: Tx, digest: bytes) -> None:
    """Note that it was used."""
    await tx.execute(SET_USED, digest, clock.now())


async def delete_unused(tx: Tx, user_id: int, purposes: Sequence[Purpose]) -> None:
    """End what was given out for these before."""
    await tx.execute(DELETE_UNUSED, user_id, purposes)


async def prune_one_time(tx: Tx) -> None:
    """Forget tokens whose time is over."""
    await tx.execute(PRUNE_ONE_TIME, clock.now())
