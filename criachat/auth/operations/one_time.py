"""Tokens for one use: what mails and login links carry. Only their digests are kept."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from criachat.auth.models import OneTime
from criachat.auth.queries import one_time as queries
from criachat.auth.queries.one_time import Purpose
from criachat.kit import clock, tokens
from criachat.kit.db import Tx

PASSWORD_LASTS = timedelta(hours=6)
INVITATION_LASTS = timedelta(days=7)
CONFIRMATION_LASTS = timedelta(days=7)
SIGN_IN_LINK_LASTS = timedelta(minutes=5)
CHALLENGE_LASTS = timedelta(minutes=5)


async def give(tx: Tx, purpose: Purpose, user_id: int, *, lasts: timedelta, email: str | None = None) -> str:
    """A token of this person's, good once and for so long; shown here and nowhere else."""
    text = tokens.one_time_token()
    await queries.insert_one_time(
        tx, digest=_digest(text), purpose=purpose, user_id=user_id, email=email, expires_at=clock.now() + lasts
    )
    return text


async def give_instead(tx: Tx, purpose: Purpose, user_id: int, *, lasts: timedelta, email: str | None = None) -> str:
    """The same in place of those given for it before, which are good no more."""
    await queries.delete_unused(tx, user_id, [purpose])
    return await give(tx, purpose, user_id, lasts=lasts, email=email)


async def leave_address(tx: Tx, user_id: int) -> None:
    """End what was mailed to an address that is the person's no more: others may read what arrives there."""
    await queries.delete_unused(tx, user_id, ["password"])


async def look_at(tx: Tx, purpose: Purpose, text: str) -> OneTime | None:
    """Whose token this is; None when it is over, or never was. Nobody else uses it before the transaction ends."""
    return await queries.lock_one_time(tx, _digest(text), purpose)


async def is_good(tx: Tx, purpose: Purpose, text: str) -> bool:
    """Whether this token can still be used."""
    found = await look_at(tx, purpose, text)
    return found is not None and found.used_at is None


async def use(tx: Tx, purpose: Purpose, text: str) -> OneTime | None:
    """The token, used up by this; None when it is not good any more."""
    found = await look_at(tx, purpose, text)
    if found is None or found.used_at is not None:
        return None
    await queries.set_used(tx, _digest(text))
    return found


async def create_sign_in_link(tx: Tx, user_id: int) -> str:
    """The `sso_auth_token` of a link with which this person signs in: once, within five minutes, without a password."""
    return await give(tx, "sign_in_link", user_id, lasts=SIGN_IN_LINK_LASTS)


def _digest(text: str) -> bytes:
    # Not even an installation's key is needed: nobody guesses 256 random bits.
    return hashlib.sha256(text.encode()).digest()
