"""What is looked at before a connection is borrowed: passwords take long, and limits count whatever comes of it."""

from __future__ import annotations

import asyncio

import msgspec

from criachat.kit.actors import Actor
from criachat.kit.db import Database
from criachat.kit.errors import Refused, TooMany
from criachat.kit.shared_limits import SharedLimiter
from criachat.users import passwords, queries, team
from criachat.users.errors import PasswordsDiffer, PasswordTooWeak, WrongPassword
from criachat.users.schemas import AgentParams, AgentsParams, ProfileParams

# Whoever found somebody's page open is not to find their password by trying.
ATTEMPTS = "present-password"


class NewPassword(msgspec.Struct, frozen=True):
    """The hash of a new password, or why it is not taken.

    Handlers ask for it by its type.
    """

    password_hash: str | None = None
    refusal: Refused | None = None

    def taken(self) -> str | None:
        """The hash, or the refusal: when it is its turn."""
        if self.refusal is not None:
            raise self.refusal
        return self.password_hash


class Invitations(msgspec.Struct, frozen=True):
    """Whether so many people may be invited now. Handlers ask for it by its type."""

    refusal: Refused | None = None

    def check(self) -> None:
        """Raise the refusal: when it is its turn."""
        if self.refusal is not None:
            raise self.refusal


async def count_invitations(limits: SharedLimiter, actor: Actor, params: AgentParams | AgentsParams) -> Invitations:
    """Count whom the account invites: who is invited is written to, and may be a stranger."""
    times = len(team.addresses_of(params.emails)) if isinstance(params, AgentsParams) else 1
    try:
        await limits.count_one("invitation", str(actor.account_id), times=times)
    except TooMany as refusal:
        return Invitations(refusal)
    return Invitations()


async def hash_password(database: Database, limits: SharedLimiter, actor: Actor, params: ProfileParams) -> NewPassword:
    """Compare the present password and hash the new one; so often and no more."""
    if not params.password:
        return NewPassword()
    try:
        await limits.count_one(ATTEMPTS, str(actor.user_id))
    except TooMany as refusal:
        return NewPassword(refusal=refusal)
    async with database.reading() as db:
        known = await queries.find_password_hash(db, actor.user_id or 0)
    given = params.current_password or ""
    if known is None or not await asyncio.to_thread(passwords.matches, given, known):
        return NewPassword(refusal=WrongPassword())
    if params.password != params.password_confirmation:
        return NewPassword(refusal=PasswordsDiffer())
    if not passwords.is_strong_enough(params.password):
        return NewPassword(refusal=PasswordTooWeak())
    return NewPassword(await asyncio.to_thread(passwords.hashed, params.password))
