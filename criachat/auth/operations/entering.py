"""The ways to come in: by password, by link, by second factor."""

from __future__ import annotations

import asyncio
from functools import cache

from criachat.auth.entrance import Entrance
from criachat.auth.errors import ChallengeOver, CodeWrong, NotConfirmed, SignsInElsewhere, WrongCredentials
from criachat.auth.models import Entrant, Session
from criachat.auth.operations import one_time, second_factor
from criachat.auth.operations.sessions import end_everything, enter, open_session
from criachat.auth.queries import sessions as queries
from criachat.kit.db import Tx
from criachat.users import operations as users
from criachat.users import passwords

ELSEWHERE = "saml"


async def by_password(entrance: Entrance, email: str, password: str) -> Session | str:
    """A session of whoever has this address and this password, or the token that asks for their second factor."""
    async with entrance.database.reading() as db:
        entrant = await queries.find_entrant(db, email)
    if entrant is not None and entrant.provider == ELSEWHERE:
        raise SignsInElsewhere
    known = None if entrant is None else entrant.password_hash
    if not await asyncio.to_thread(_matches, password, known) or entrant is None:
        raise WrongCredentials
    if not entrant.is_confirmed:
        raise NotConfirmed(f"Confirm your address first: follow the link that was sent to {entrant.email}")
    async with entrance.database.transaction() as tx:
        return await enter(tx, entrance.keyring, entrant)


def _matches(password: str, password_hash: str | None) -> bool:
    """Whether this is their password; who has none, or does not exist, takes as long to refuse."""
    is_same = passwords.matches(password, password_hash or _nobodys())
    return is_same and password_hash is not None


@cache
def _nobodys() -> str:
    return passwords.hashed(passwords.random_password())


async def by_link(entrance: Entrance, email: str, token: str) -> Session:
    """A session of whoever a login link was made for.

    Its maker vouches for them: no second factor is asked for, and the address is theirs from now on.
    """
    async with entrance.database.transaction() as tx:
        link = await one_time.use(tx, "sign_in_link", token)
        entrant = None if link is None else await queries.find_entrant_by_id(tx, link.user_id)
        if entrant is None or entrant.email.lower() != email.strip().lower():
            raise WrongCredentials
        if not entrant.is_confirmed:
            await end_everything(tx, entrant.id)
            await users.confirm(tx, entrant.id)
        return await open_session(tx, entrance.keyring, entrant)


async def by_second_factor(entrance: Entrance, challenge: str, *, otp_code: str, backup_code: str) -> Session:
    """A session of whoever was asked for a code, and shows the right one."""
    async with entrance.database.transaction() as tx:
        entrant = await _challenged(tx, challenge)
        if not await second_factor.is_shown(tx, entrance.keyring, entrant.id, otp_code, backup_code=backup_code):
            raise CodeWrong
        await one_time.use(tx, "second_factor", challenge)
        return await open_session(tx, entrance.keyring, entrant)


async def find_challenged(entrance: Entrance, challenge: str) -> int:
    """Who was asked for a code with this token."""
    async with entrance.database.transaction() as tx:
        return (await _challenged(tx, challenge)).id


async def _challenged(tx: Tx, challenge: str) -> Entrant:
    asked = await one_time.look_at(tx, "second_factor", challenge)
    entrant = None if asked is None or asked.used_at else await queries.find_entrant_by_id(tx, asked.user_id)
    if entrant is None:
        raise ChallengeOver
    return entrant
