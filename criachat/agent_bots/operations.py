"""What can be done with bots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import take_turn
from criachat.agent_bots import queries
from criachat.agent_bots.errors import (
    AvatarUrlInvalid,
    BotConfigTooLong,
    BotTypeUnknown,
    OutgoingUrlInvalid,
    TooManyBots,
)
from criachat.agent_bots.models import BOT_TYPES, MOST_BOTS, AgentBot, token_context
from criachat.agent_bots.schemas import BotParams
from criachat.auth import operations as auth
from criachat.auth.models import Owner
from criachat.inboxes import operations as inboxes
from criachat.inboxes.models import Inbox
from criachat.kit import installation, tokens
from criachat.kit.avatars import KeptAvatar
from criachat.kit.choices import chosen
from criachat.kit.db import Tx
from criachat.kit.outside import InvalidUrl, check_url
from criachat.kit.tokens import Keyring
from criachat.kit.upkeep import remove_file_later
from criachat.users.models import bot_secret_context
from criachat.users.operations import CHANGED_TOPIC

LARGEST_CONFIG_BYTES = 64 * 1024
# Pictures of what belongs to no account.
NO_ACCOUNT = 0
NO_AVATAR = KeptAvatar()


async def create_bot(
    tx: Tx, keyring: Keyring, params: BotParams, *, account_id: int | None, avatar: KeptAvatar = NO_AVATAR
) -> AgentBot:
    """A new bot with its token and secret; without an account it is one of the installation."""
    if account_id is None:
        # Or an account that is made at the same moment would never hear of it.
        await installation.hold(tx)
    else:
        await take_turn(tx, account_id)
        if await queries.count_bots(tx, account_id) >= MOST_BOTS:
            raise TooManyBots
    bot_id = await queries.reserve_id(tx)
    blank = AgentBot(
        id=bot_id,
        account_id=account_id,
        name="",
        description=None,
        outgoing_url=None,
        bot_config={},
        avatar_key=None,
        secret=keyring.seal(tokens.random_secret(), context=bot_secret_context(bot_id)),
        access_token=None,
        access_token_id=None,
    )
    wanted = await _with_avatar(tx, _changed(blank, params), avatar)
    bot = await _with_new_token(tx, keyring, wanted)
    await queries.insert_bot(tx, bot)
    return bot


async def change_bot(tx: Tx, bot: AgentBot, params: BotParams, *, avatar: KeptAvatar) -> AgentBot:
    """Change what was sent: all of it, or nothing. What waits for it goes to its new address."""
    return await _save(tx, bot, await _with_avatar(tx, _changed(bot, params), avatar))


async def change_avatar(tx: Tx, bot: AgentBot, avatar_key: str | None) -> AgentBot:
    """Show another picture, or none."""
    return await _save(tx, bot, msgspec.structs.replace(bot, avatar_key=avatar_key))


async def delete_bot(tx: Tx, bot: AgentBot) -> None:
    """Remove it: nobody answers first where it did, its conversations are nobody's, its tokens end."""
    for connected in await queries.list_connections(tx, bot.id):
        await inboxes.mark_bot(tx, connected.account_id, connected.inbox_ids, has_active_bot=False)
    await queries.delete_bot(tx, bot)
    tx.wake(CHANGED_TOPIC, f"agent_bot:{bot.id}")
    await auth.revoke_all(tx, Owner("agent_bot", bot.id))
    if bot.avatar_key is not None:
        await remove_file_later(tx, bot.avatar_key)


async def reset_token(tx: Tx, keyring: Keyring, bot: AgentBot) -> AgentBot:
    """Another access token; the one before ends now."""
    if bot.access_token_id is not None:
        await auth.revoke(tx, bot.access_token_id)
    return await _save(tx, bot, await _with_new_token(tx, keyring, bot))


async def reset_secret(tx: Tx, keyring: Keyring, bot: AgentBot) -> AgentBot:
    """Sign what it is told with another secret from now on."""
    secret = keyring.seal(tokens.random_secret(), context=bot_secret_context(bot.id))
    return await _save(tx, bot, msgspec.structs.replace(bot, secret=secret))


async def connect(tx: Tx, inbox: Inbox, bot: AgentBot | None) -> None:
    """Have this bot answer first in the inbox, or none: new conversations start pending where one does."""
    if bot is not None:
        await queries.connect(tx, inbox.account_id, inbox.id, bot.id)
        tx.wake(CHANGED_TOPIC, f"agent_bot:{bot.id}")
    else:
        await queries.disconnect(tx, inbox.account_id, [inbox.id])
    await inboxes.mark_bot(tx, inbox.account_id, [inbox.id], has_active_bot=bot is not None)


async def disconnect(tx: Tx, account_id: int, inbox_ids: Sequence[int]) -> None:
    """Have no bot answer in inboxes that are gone."""
    await queries.disconnect(tx, account_id, inbox_ids)


async def introduce_system_bots(tx: Tx, account_ids: Sequence[int]) -> None:
    """Make the bots of the installation known in new accounts."""
    await installation.hold(tx)
    await queries.introduce_system_bots(tx, account_ids)


async def _save(tx: Tx, before: AgentBot, after: AgentBot) -> AgentBot:
    if after != before:
        await queries.save_bot(tx, after)
        tx.wake(CHANGED_TOPIC, f"agent_bot:{after.id}")
    if before.avatar_key is not None and before.avatar_key != after.avatar_key:
        await remove_file_later(tx, before.avatar_key)
    return after


async def _with_new_token(tx: Tx, keyring: Keyring, bot: AgentBot) -> AgentBot:
    owner = Owner("agent_bot", bot.id, bot.account_id)
    made = await auth.create_bot_token(tx, keyring, owner, name=bot.name or "Bot")
    sealed = keyring.seal(made.text, context=token_context(bot.id))
    return msgspec.structs.replace(bot, access_token=sealed, access_token_id=made.token.id)


async def _with_avatar(tx: Tx, bot: AgentBot, avatar: KeptAvatar) -> AgentBot:
    """The bot with the picture that was sent, if one was; refused last, when nothing else is."""
    key = await avatar.taken(tx)
    return bot if key is None else msgspec.structs.replace(bot, avatar_key=key)


def _changed(bot: AgentBot, params: BotParams) -> AgentBot:
    changes: dict[str, Any] = {}
    if params.name is not UNSET:
        changes["name"] = (params.name or "").strip()
    if params.description is not UNSET:
        changes["description"] = params.description
    if params.outgoing_url is not UNSET:
        changes["outgoing_url"] = _address(params.outgoing_url, OutgoingUrlInvalid)
    if params.bot_config is not UNSET:
        changes["bot_config"] = _config(params.bot_config or {})
    if params.avatar_url is not UNSET:
        _address(params.avatar_url, AvatarUrlInvalid)
    if params.bot_type is not UNSET and params.bot_type is not None and chosen(params.bot_type, BOT_TYPES) is None:
        raise BotTypeUnknown
    return msgspec.structs.replace(bot, **changes)


def _address(text: str | None, refusal: type[OutgoingUrlInvalid | AvatarUrlInvalid]) -> str | None:
    address = (text or "").strip()
    if not address:
        return None
    try:
        check_url(address)
    except InvalidUrl as failure:
        raise refusal from failure
    return address


def _config(config: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(config)) > LARGEST_CONFIG_BYTES:
        raise BotConfigTooLong
    return config
