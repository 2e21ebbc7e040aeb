"""What an operator's app may get at: what does not exist is not found, what it did not make is refused."""

from __future__ import annotations

from criachat.accounts import operators as accounts
from criachat.accounts.models import OperatedAccount
from criachat.agent_bots import access as agent_bots
from criachat.agent_bots.models import AgentBot
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NoSuchPage
from criachat.platform_api import queries
from criachat.platform_api.errors import NonPermissible
from criachat.platform_api.models import Kind
from criachat.users import operators as users
from criachat.users.models import User

PER_PAGE = 1000


def app_id(actor: Actor) -> int:
    """The app that asks."""
    return actor.id or 0


async def load_user(tx: Tx, actor: Actor, user_id: int) -> tuple[User, bool]:
    """A person the app made or found, and whether it may act for them.

    It may for whom it made, and for those who belong to its own accounts alone: whoever knows an address does not get
    to be somebody.
    """
    user = await users.find(tx, user_id)
    if user is None:
        raise NoSuchPage
    is_made = await queries.lock_permit(tx, app_id(actor), "user", user_id)
    if is_made is None:
        raise NonPermissible
    return user, is_made or await queries.is_ours_alone(tx, app_id(actor), user_id)


async def load_user_to_act_for(tx: Tx, actor: Actor, user_id: int) -> User:
    """A person the app may act for."""
    user, may_act = await load_user(tx, actor, user_id)
    if not may_act:
        raise NonPermissible
    return user


async def load_account(db: Db, actor: Actor, account_id: int) -> OperatedAccount:
    """An account of the app."""
    found = await accounts.list_accounts(db, [account_id])
    if not found:
        raise NoSuchPage
    await _check(db, actor, "account", account_id)
    return found[0]


async def load_account_to_change(tx: Tx, actor: Actor, account_id: int) -> OperatedAccount:
    """An account of the app; nobody else changes it before this transaction ends."""
    account = await accounts.load_account_to_change(tx, account_id)
    await _check(tx, actor, "account", account_id)
    return account


async def list_accounts(db: Db, actor: Actor, *, page: int) -> list[OperatedAccount]:
    """The accounts of the app, a page of them."""
    offset = PER_PAGE * (page - 1)
    ids = await queries.list_permits(db, app_id(actor), "account", limit=PER_PAGE, offset=offset)
    return await accounts.list_accounts(db, ids)


async def load_bot(db: Db, actor: Actor, bot_id: int) -> AgentBot:
    """A bot of the app."""
    found = await agent_bots.list_bots_by_id(db, [bot_id])
    if not found:
        raise NoSuchPage
    await _check(db, actor, "agent_bot", bot_id)
    return found[0]


async def load_bot_to_change(tx: Tx, actor: Actor, bot_id: int) -> AgentBot:
    """A bot of the app; nobody else changes it before this transaction ends."""
    bot = await agent_bots.find_bot_to_change(tx, bot_id)
    if bot is None:
        raise NoSuchPage
    await _check(tx, actor, "agent_bot", bot_id)
    return bot


async def list_bots(db: Db, actor: Actor) -> list[AgentBot]:
    """The bots of the app."""
    ids = await queries.list_permits(db, app_id(actor), "agent_bot", limit=PER_PAGE, offset=0)
    return await agent_bots.list_bots_by_id(db, ids)


async def _check(db: Db, actor: Actor, kind: Kind, object_id: int) -> None:
    if await queries.find_permit(db, app_id(actor), kind, object_id) is None:
        raise NonPermissible
