"""Bots, over HTTP."""

from __future__ import annotations

from msgspec import UNSET

from criachat.agent_bots import access, operations
from criachat.agent_bots.models import AgentBot
from criachat.agent_bots.pictures import fetch_avatar_later
from criachat.agent_bots.schemas import BotOut, BotParams, InboxBotOut, InboxBotParams, ShownBots, bot_out
from criachat.inboxes import access as inboxes
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.avatars import KeptAvatar
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes

routes = Routes("/api/v1/accounts/{account_id}/agent_bots", tag="Bots", scope="agent_bots")
inbox_routes = Routes("/api/v1/accounts/{account_id}/inboxes/{inbox_id}", tag="Bots", scope="agent_bots")


@routes.get(actors=AGENT)
async def list_bots(db: Db, actor: Actor, shown: ShownBots) -> list[BotOut]:
    """The bots of the account and of the installation, oldest first; tokens and secrets only for administrators."""
    return [_out(bot, shown, actor) for bot in await access.list_bots(db, actor)]


@routes.post(actors=ADMINISTRATOR, files=("avatar",), null_text=True)
async def create_bot(tx: Tx, actor: Actor, shown: ShownBots, avatar: KeptAvatar, params: BotParams) -> BotOut:
    """A new bot of the account, told at `outgoing_url` of its inboxes, and answering with its `access_token`."""
    bot = await operations.create_bot(tx, shown.keyring, params, account_id=actor.account_id, avatar=avatar)
    await fetch_avatar_later(tx, bot, params)
    return _out(bot, shown, actor)


@routes.get("/{agent_bot_id}", actors=AGENT)
async def show_bot(db: Db, actor: Actor, shown: ShownBots, agent_bot_id: int) -> BotOut:
    """A bot of the account or of the installation."""
    return _out(await access.load_bot(db, actor, agent_bot_id), shown, actor)


@routes.update("/{agent_bot_id}", actors=ADMINISTRATOR, files=("avatar",), null_text=True)
async def change_bot(
    tx: Tx, actor: Actor, shown: ShownBots, avatar: KeptAvatar, agent_bot_id: int, params: BotParams
) -> BotOut:
    """Change what was sent: all of it, or nothing."""
    bot = await access.load_bot_to_change(tx, actor, agent_bot_id)
    changed = await operations.change_bot(tx, bot, params, avatar=avatar)
    await fetch_avatar_later(tx, changed, params)
    return _out(changed, shown, actor)


@routes.delete("/{agent_bot_id}", actors=ADMINISTRATOR)
async def delete_bot(tx: Tx, actor: Actor, agent_bot_id: int) -> None:
    """Remove a bot: its tokens end, and where it answered first nobody does."""
    await operations.delete_bot(tx, await access.load_bot_to_change(tx, actor, agent_bot_id))


@routes.delete("/{agent_bot_id}/avatar", actors=ADMINISTRATOR)
async def remove_avatar(tx: Tx, actor: Actor, shown: ShownBots, agent_bot_id: int) -> BotOut:
    """Show no picture any more."""
    bot = await access.load_bot_to_change(tx, actor, agent_bot_id)
    return _out(await operations.change_avatar(tx, bot, None), shown, actor)


@routes.post("/{agent_bot_id}/reset_access_token", actors=ADMINISTRATOR)
async def reset_access_token(tx: Tx, actor: Actor, shown: ShownBots, agent_bot_id: int) -> BotOut:
    """Another access token; the one before ends now."""
    bot = await access.load_bot_to_change(tx, actor, agent_bot_id)
    return _out(await operations.reset_token(tx, shown.keyring, bot), shown, actor)


@routes.post("/{agent_bot_id}/reset_secret", actors=ADMINISTRATOR)
async def reset_secret(tx: Tx, actor: Actor, shown: ShownBots, agent_bot_id: int) -> BotOut:
    """Another secret, with which whatever the bot is told is signed from now on."""
    bot = await access.load_bot_to_change(tx, actor, agent_bot_id)
    return _out(await operations.reset_secret(tx, shown.keyring, bot), shown, actor)


@inbox_routes.get("/agent_bot", actors=AGENT)
async def show_inbox_bot(db: Db, actor: Actor, shown: ShownBots, inbox_id: int) -> InboxBotOut:
    """The bot that answers first in the inbox; an empty object when there is none."""
    bot = await access.find_bot_of_inbox(db, await inboxes.load_inbox(db, actor, inbox_id))
    return InboxBotOut(agent_bot=UNSET if bot is None else _out(bot, shown, actor))


@inbox_routes.post("/set_agent_bot", actors=ADMINISTRATOR)
async def set_inbox_bot(tx: Tx, actor: Actor, inbox_id: int, params: InboxBotParams) -> None:
    """Have a bot of the account or of the installation answer first in the inbox, or none."""
    inbox = await inboxes.load_inbox_to_change(tx, actor, inbox_id)
    bot = None if params.agent_bot is None else await access.load_bot(tx, actor, params.agent_bot)
    await operations.connect(tx, inbox, bot)


def _out(bot: AgentBot, shown: ShownBots, actor: Actor) -> BotOut:
    return bot_out(bot, shown, actor=actor)
