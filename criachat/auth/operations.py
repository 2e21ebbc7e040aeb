"""What can be done with access tokens and platform apps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from criachat.auth import queries
from criachat.auth.errors import ScopeNotYours, TooManyTokens
from criachat.auth.models import AccessToken, Grant, Made
from criachat.auth.rules import EVERYTHING
from criachat.kit import clock, tokens
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.tokens import Keyring
from criachat.users.models import Bot, User

SHOWN_CHARACTERS = 4
MOST_TOKENS = 100
# Whoever believes a token listens to this: the ids of those that are good no more.
ENDED_TOPIC = "tokens_ended"


async def create_user_token(
    tx: Tx,
    keyring: Keyring,
    user: User,
    *,
    name: str = "Access token",
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> str:
    """A token with which this person, or a service in their name, calls the Application API. Shown once: here."""
    return (await grant_token(tx, keyring, user.id, Grant(name=name, scopes=scopes, expires_at=expires_at))).text


async def grant_token(tx: Tx, keyring: Keyring, user_id: int, grant: Grant) -> Made:
    """A token of this person for what the grant says; one with scopes is a service's."""
    prefix = tokens.SERVICE if grant.scopes else tokens.PERSON
    return await _create(tx, keyring, prefix, grant, owner=("user", user_id, None))


async def create_own_token(tx: Tx, keyring: Keyring, user_id: int, grant: Grant) -> Made:
    """The same, asked for by themself: so many and no more."""
    if len(await queries.list_tokens(tx, user_id)) >= MOST_TOKENS:
        raise TooManyTokens
    return await grant_token(tx, keyring, user_id, grant)


async def rotate(tx: Tx, keyring: Keyring, token: AccessToken, *, actor: Actor, overlap: timedelta) -> Made:
    """Another token for the same in place of this one, which is good for a while yet."""
    if not all(map(actor.covers, token.scopes or [EVERYTHING])):
        raise ScopeNotYours
    await queries.set_expires_at(tx, token.id, clock.now() + overlap)
    tx.wake(ENDED_TOPIC, str(token.id))
    return await grant_token(tx, keyring, actor.user_id or 0, grant_of(token))


async def revoke(tx: Tx, *, user_id: int, token_id: int) -> None:
    """End a token; every process refuses it within five seconds."""
    if not await queries.revoke_token(tx, user_id, token_id):
        raise NotFound
    tx.wake(ENDED_TOPIC, str(token_id))


def grant_of(token: AccessToken) -> Grant:
    """What a token is for."""
    return Grant(
        name=token.name,
        scopes=token.scopes,
        allowed_addresses=[str(address) for address in token.allowed_addresses],
        allowed_origins=token.allowed_origins,
        expires_at=token.expires_at,
    )


async def create_bot_token(tx: Tx, keyring: Keyring, bot: Bot) -> str:
    """A token with which this bot answers. Shown once: here."""
    owner = ("agent_bot", bot.id, bot.account_id)
    return (await _create(tx, keyring, tokens.BOT, Grant(name=bot.name), owner=owner)).text


async def create_platform_app(tx: Tx, keyring: Keyring, *, name: str) -> str:
    """A platform app; its token, shown once."""
    app_id = await queries.insert_platform_app(tx, name)
    return (await _create(tx, keyring, tokens.PLATFORM, Grant(name=name), owner=("platform_app", app_id, None))).text


async def _create(tx: Tx, keyring: Keyring, prefix: str, grant: Grant, *, owner: tuple[str, int, int | None]) -> Made:
    text = tokens.make_access_token(prefix)
    shown = prefix, text[-SHOWN_CHARACTERS:]
    return Made(await queries.insert_token(tx, grant, digest=keyring.digest(text), shown=shown, owner=owner), text)
