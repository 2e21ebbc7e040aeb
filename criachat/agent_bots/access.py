"""The ways to get a bot on somebody's behalf."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.agent_bots import queries
from criachat.agent_bots.models import AgentBot
from criachat.inboxes.models import Inbox
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing


async def list_bots(db: Db, actor: Actor) -> list[AgentBot]:
    """The bots of the caller's account and of the installation, oldest first."""
    return await queries.list_bots(db, actor.account_id)


async def load_bot(db: Db, actor: Actor, bot_id: int) -> AgentBot:
    """A bot of the caller's account or of the installation."""
    return existing(await queries.find_bot(db, actor.account_id, bot_id))


async def load_bot_to_change(tx: Tx, actor: Actor, bot_id: int) -> AgentBot:
    """A bot of the caller's own account; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_bot(tx, actor.account_id, bot_id))


async def find_bot_of_inbox(db: Db, inbox: Inbox) -> AgentBot | None:
    """The bot that answers in the inbox, or None."""
    return await queries.find_bot_of_inbox(db, inbox.account_id, inbox.id)


async def list_bots_by_id(db: Db, bot_ids: Sequence[int]) -> list[AgentBot]:
    """Those of these bots that there are, whosever they are; for operators."""
    return await queries.list_bots_by_id(db, bot_ids)


async def find_bot_to_change(tx: Tx, bot_id: int) -> AgentBot | None:
    """The bot with this id, whosever it is, kept from changing; for operators."""
    found = await queries.list_bots_by_id(tx, [bot_id])
    if not found:
        return None
    account_id = found[0].account_id
    if account_id is None:
        return await queries.lock_system_bot(tx, bot_id)
    return await queries.lock_bot(tx, account_id, bot_id)
