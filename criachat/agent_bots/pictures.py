"""Pictures of bots that are sent as an address: fetched later."""

from __future__ import annotations

import msgspec

from criachat.agent_bots import access, operations
from criachat.agent_bots.models import AgentBot
from criachat.agent_bots.schemas import BotParams
from criachat.kit.avatars import fetch_avatar
from criachat.kit.db import Tx
from criachat.kit.jobs import JobContext, Jobs
from criachat.kit.upkeep import keep_file, remove_file_later

jobs = Jobs("agent_bots")


class FetchAvatar(msgspec.Struct, frozen=True):
    """A picture of a bot, and where to get it."""

    account_id: int | None
    agent_bot_id: int
    url: str


@jobs.define(timeout_seconds=120)
async def fetch_bot_avatar(context: JobContext, params: FetchAvatar) -> None:
    """Get a bot its picture; a second run replaces it by the same."""
    account_id = params.account_id or operations.NO_ACCOUNT
    key = await fetch_avatar(context.database, context.outside, context.files, params.url, account_id=account_id)
    async with context.database.transaction() as tx:
        bot = await access.find_bot_to_change(tx, params.agent_bot_id)
        if bot is None:
            await remove_file_later(tx, key)
        else:
            await keep_file(tx, key)
            await operations.change_avatar(tx, bot, key)


async def fetch_avatar_later(tx: Tx, bot: AgentBot, params: BotParams) -> None:
    """Have the picture fetched that was sent as an address; one that was sent itself wins."""
    if isinstance(params.avatar_url, str) and params.avatar_url.strip() and not params.avatar:
        await jobs.enqueue(tx, fetch_bot_avatar, FetchAvatar(bot.account_id, bot.id, params.avatar_url.strip()))
