"""What can be done with access tokens and platform apps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from criachat.auth import queries
from criachat.kit import tokens
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.tokens import Keyring
from criachat.users.models import Bot, User

SHOWN_CHARACTERS = 4


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
    prefix = tokens.SERVICE if scopes else tokens.PERSON
    return await _create(
        tx, keyring, prefix, name=name, owner=("user", user.id, None), scopes=scopes, expires_at=expires_at
    )


async def create_bot_token(tx: Tx, keyring: Keyring, bot: Bot) -> str:
    """A token with which this bot answers. Shown once: here."""
    return await _create(tx, keyring, tokens.BOT, name=bot.name, owner=("agent_bot", bot.id, bot.account_id))


async def create_platform_app(tx: Tx, keyring: Keyring, *, name: str) -> str:
    """A platform app; its token, shown once."""
    app_id = await queries.insert_platform_app(tx, name)
    return await _create(tx, keyring, tokens.PLATFORM, name=name, owner=("platform_app", app_id, None))


async def revoke(tx: Tx, *, user_id: int, token_id: int) -> None:
    """End a token; every process refuses it within five seconds."""
    if not await queries.revoke_token(tx, user_id, token_id):
        raise NotFound


async def _create(  # noqa: PLR0913 - the columns of a token
    tx: Tx,
    keyring: Keyring,
    prefix: str,
    *,
    name: str,
    owner: tuple[str, int, int | None],
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> str:
    token = tokens.make_access_token(prefix)
    owner_type, owner_id, account_id = owner
    await queries.insert_token(
        tx,
        digest=keyring.digest(token),
        prefix=prefix,
        last_characters=token[-SHOWN_CHARACTERS:],
        name=name,
        owner_type=owner_type,
        owner_id=owner_id,
        account_id=account_id,
        scopes=scopes,
        expires_at=expires_at,
    )
    return token
