"""Bots on the wire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.agent_bots.models import BOT_TYPES, SCOPES_OF_BOTS, AgentBot, token_context
from criachat.kit.actors import Actor
from criachat.kit.files import Files
from criachat.kit.texts import Long, Short
from criachat.kit.tokens import Keyring
from criachat.users.models import bot_secret_context

Address = Annotated[str, Meta(max_length=2048)]


class BotParams(msgspec.Struct, kw_only=True):
    """What a bot is; what is not sent stays as it is. `avatar` is a file, `avatar_url` says where to get one."""

    name: Short | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    outgoing_url: Address | UnsetType | None = UNSET
    bot_type: str | int | UnsetType | None = UNSET
    bot_config: dict[str, Any] | UnsetType | None = UNSET
    avatar: Any = None
    avatar_url: Address | UnsetType | None = UNSET


class InboxBotParams(msgspec.Struct, kw_only=True):
    """The bot that is to answer first in an inbox; none when null or missing."""

    agent_bot: int | None = None


class BotOut(msgspec.Struct, frozen=True, kw_only=True):
    """A bot. Only administrators of its own account see `secret`, and `access_token` unless their own lacks a scope of
    what can be done with it; of a bot of the installation `outgoing_url` is absent too.
    """

    id: int
    name: str | None
    description: str | None
    thumbnail: str
    outgoing_url: str | UnsetType | None
    bot_type: str
    bot_config: dict[str, Any]
    account_id: int | None
    access_token: str | UnsetType | None
    secret: str | UnsetType | None
    system_bot: bool


class InboxBotOut(msgspec.Struct, frozen=True, kw_only=True):
    """The bot that answers first in an inbox; the key is absent when there is none."""

    agent_bot: BotOut | UnsetType


class ShownBots(msgspec.Struct, frozen=True):
    """What it takes to show bots. Handlers ask for it by its type."""

    keyring: Keyring
    files: Files

    def opened(self, sealed: bytes | None, context: str) -> str | None:
        """What was sealed for a bot, if anything was."""
        return None if sealed is None else self.keyring.open(sealed, context=context)


def bot_out(bot: AgentBot, shown: ShownBots, *, actor: Actor) -> BotOut:
    """The bot as a member of its account sees it."""
    shows = actor.is_administrator and not bot.is_system
    may_act = shows and all(map(actor.covers, SCOPES_OF_BOTS))
    return BotOut(
        id=bot.id,
        name=bot.name or None,
        description=bot.description,
        thumbnail=shown.files.avatar_url(bot.avatar_key),
        outgoing_url=UNSET if bot.is_system else bot.outgoing_url,
        bot_type=BOT_TYPES[0],
        bot_config=bot.bot_config,
        account_id=bot.account_id,
        access_token=shown.opened(bot.access_token, token_context(bot.id)) if may_act else UNSET,
        secret=shown.opened(bot.secret, bot_secret_context(bot.id)) if shows else UNSET,
        system_bot=bot.is_system,
    )
