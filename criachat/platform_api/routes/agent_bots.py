"""Bots, for operators' apps."""

from __future__ import annotations

from criachat.agent_bots import operations as agent_bots
from criachat.agent_bots.pictures import fetch_avatar_later
from criachat.agent_bots.schemas import BotParams, ShownBots
from criachat.kit.actors import PLATFORM_APP, Actor
from criachat.kit.avatars import KeptAvatar
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.platform_api import access, operations
from criachat.platform_api.schemas import PlatformBotOut, PlatformBotParams, bot_out

routes = Routes("/platform/api/v1/agent_bots", tag="Platform API", scope="platform")


@routes.get(actors=PLATFORM_APP)
async def list_bots(db: Db, actor: Actor, shown: ShownBots) -> list[PlatformBotOut]:
    """The bots of the app, oldest first."""
    return [bot_out(bot, shown) for bot in await access.list_bots(db, actor)]


@routes.post(actors=PLATFORM_APP, files=("avatar",), null_text=True)
async def create_bot(
    tx: Tx, actor: Actor, shown: ShownBots, avatar: KeptAvatar, params: PlatformBotParams
) -> PlatformBotOut:
    """A new bot of an account, or without one a bot of the installation, which every account may connect."""
    bot = await operations.create_bot(tx, shown.keyring, params, actor=actor, avatar=avatar)
    await fetch_avatar_later(tx, bot, params)
    return bot_out(bot, shown)


@routes.get("/{agent_bot_id}", actors=PLATFORM_APP)
async def show_bot(db: Db, actor: Actor, shown: ShownBots, agent_bot_id: int) -> PlatformBotOut:
    """A bot of the app."""
    return bot_out(await access.load_bot(db, actor, agent_bot_id), shown)


@routes.update("/{agent_bot_id}", actors=PLATFORM_APP, files=("avatar",), null_text=True)
async def change_bot(
    tx: Tx, actor: Actor, shown: ShownBots, avatar: KeptAvatar, agent_bot_id: int, params: BotParams
) -> PlatformBotOut:
    """Change what was sent: all of it, or nothing. A bot stays where it belongs."""
    bot = await access.load_bot_to_change(tx, actor, agent_bot_id)
    changed = await agent_bots.change_bot(tx, bot, params, avatar=avatar)
    await fetch_avatar_later(tx, changed, params)
    return bot_out(changed, shown)


@routes.delete("/{agent_bot_id}", actors=PLATFORM_APP)
async def delete_bot(tx: Tx, actor: Actor, agent_bot_id: int) -> None:
    """Remove a bot: its tokens end, and where it answered first nobody does."""
    await operations.delete_bot(tx, await access.load_bot_to_change(tx, actor, agent_bot_id))


@routes.delete("/{agent_bot_id}/avatar", actors=PLATFORM_APP)
async def remove_avatar(tx: Tx, actor: Actor, shown: ShownBots, agent_bot_id: int) -> PlatformBotOut:
    """Show no picture any more."""
    bot = await access.load_bot_to_change(tx, actor, agent_bot_id)
    return bot_out(await agent_bots.change_avatar(tx, bot, None), shown)
