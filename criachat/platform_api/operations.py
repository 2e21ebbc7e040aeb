"""What operators' apps can have done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts import operators as accounts
from criachat.accounts.errors import AttributesTooLong
from criachat.accounts.models import OperatedAccount
from criachat.accounts.operators import LARGEST_ATTRIBUTES_BYTES
from criachat.accounts.schemas import OperatorAccountParams
from criachat.agent_bots import operations as agent_bots
from criachat.agent_bots.models import AgentBot
from criachat.auth import operations as auth
from criachat.auth.models import Grant
from criachat.auth.operations.one_time import leave_address
from criachat.auth.operations.sessions import end_everything, end_other_sessions
from criachat.kit.actors import Actor
from criachat.kit.avatars import KeptAvatar
from criachat.kit.choices import chosen
from criachat.kit.db import Tx
from criachat.kit.errors import NoSuchPage
from criachat.kit.tokens import Keyring
from criachat.platform_api import access, queries
from criachat.platform_api.access import app_id
from criachat.platform_api.errors import AccountMissing, PasswordBlank, UserMissing
from criachat.platform_api.models import token_context
from criachat.platform_api.passwords import GivenPassword
from criachat.platform_api.schemas import MemberParams, PlatformBotParams, UserParams
from criachat.users import operators as users
from criachat.users.access import find_user_by_email
from criachat.users.errors import EmailTaken, RoleUnknown
from criachat.users.models import MembershipRow, Role, User
from criachat.users.team import ROLES


async def find_or_create_user(tx: Tx, params: UserParams, password: GivenPassword, *, actor: Actor) -> User:
    """The person with this address as they are, or a new one who is confirmed; the app may show them from now on."""
    user = await find_user_by_email(tx, params.email) if params.email is not UNSET else None
    is_made = user is None
    if user is None:
        user, is_made = await _register(tx, params, password)
    await queries.permit(tx, app_id(actor), "user", user.id, is_made=is_made)
    return user


async def change_user(tx: Tx, user: User, params: UserParams, password: GivenPassword) -> User:
    """Change what was sent about a person."""
    _check_attributes(params.sent())
    password_hash = password.taken()
    if password_hash is not None and user.confirmed_at is not None:
        await end_other_sessions(tx, user.id, kept=None)
    elif password_hash is not None:
        await end_everything(tx, user.id)
    changed = await users.change(tx, user, params.sent(), password_hash=password_hash)
    if changed.email != user.email:
        await leave_address(tx, user.id)
    return changed


async def shut_out_user(tx: Tx, user_id: int) -> None:
    """End all sessions and tokens of somebody who is to be forgotten, and let nobody begin others."""
    await end_everything(tx, user_id)
    await users.shut_out(tx, user_id)


async def remove_user(tx: Tx, user_id: int) -> None:
    """Forget a person, wherever they belong."""
    await users.remove(tx, user_id)
    await queries.forget(tx, "user", user_id)


async def token_for(tx: Tx, keyring: Keyring, user: User, *, actor: Actor) -> str:
    """The one token this app has for the person; another when that was ended."""
    app = app_id(actor)
    context = token_context(app, user.id)
    known = await queries.find_token(tx, app, user.id)
    if known is not None and known.is_good:
        return keyring.open(known.access_token, context=context)
    made = await auth.grant_token(tx, keyring, user.id, Grant(name=actor.name))
    sealed = keyring.seal(made.text, context=context)
    await queries.keep_token(tx, app, user.id, token_id=made.token.id, sealed=sealed)
    return made.text


async def let_go(tx: Tx, user_ids: Sequence[int]) -> None:
    """End the tokens apps have for those of these people for whom they may not act any more."""
    await auth.revoke_some(tx, await queries.list_tokens_out_of_reach(tx, user_ids))


async def open_account(tx: Tx, params: OperatorAccountParams, *, actor: Actor) -> OperatedAccount:
    """A new account of the app."""
    account = await accounts.open_account(tx, params)
    await queries.permit(tx, app_id(actor), "account", account.id)
    return account


async def change_account(tx: Tx, account: OperatedAccount, params: OperatorAccountParams) -> OperatedAccount:
    """Change what was sent about an account; once it is suspended, nobody is let in any more."""
    changed = await accounts.change_account(tx, account, params)
    if changed.status != account.status:
        auth.doubt_all(tx)
    return changed


async def suspend_account(tx: Tx, account_id: int) -> None:
    """Let nobody into an account that is to be removed."""
    await accounts.suspend(tx, account_id)
    auth.doubt_all(tx)


async def remove_account(tx: Tx, account_id: int) -> None:
    """Remove an account whose contacts are gone."""
    await accounts.remove_account(tx, account_id)
    await queries.forget(tx, "account", account_id)
    auth.doubt_all(tx)


async def put_member(tx: Tx, account_id: int, params: MemberParams, *, actor: Actor) -> MembershipRow:
    """Have somebody the app knows belong to its account, or a member in another role."""
    role = _role(params)
    is_known = await queries.find_permit(tx, app_id(actor), "user", params.user_id) is not None
    if not is_known and not await queries.is_member(tx, account_id, params.user_id):
        raise UserMissing
    if await users.find(tx, params.user_id) is None:
        raise UserMissing
    auth.doubt_all(tx)
    return await users.put_member(tx, account_id, params.user_id, role, actor=actor)


async def remove_member(tx: Tx, account_id: int, user_id: int, *, actor: Actor) -> None:
    """Have somebody belong to an account no more."""
    await users.remove_member(tx, account_id, user_id, actor=actor)
    auth.doubt_all(tx)


async def create_bot(
    tx: Tx, keyring: Keyring, params: PlatformBotParams, *, actor: Actor, avatar: KeptAvatar
) -> AgentBot:
    """A new bot of an account of the app, or of the installation."""
    if params.account_id is not None:
        try:
            await access.load_account(tx, actor, params.account_id)
        except NoSuchPage as failure:
            raise AccountMissing from failure
    bot = await agent_bots.create_bot(tx, keyring, params, account_id=params.account_id, avatar=avatar)
    await queries.permit(tx, app_id(actor), "agent_bot", bot.id)
    return bot


async def delete_bot(tx: Tx, bot: AgentBot) -> None:
    """Remove a bot."""
    await agent_bots.delete_bot(tx, bot)
    await queries.forget(tx, "agent_bot", bot.id)


async def _register(tx: Tx, params: UserParams, password: GivenPassword) -> tuple[User, bool]:
    """A new person, or who was made with this address at the same moment; and whether they are new."""
    sent = {"name": "", "email": "", **params.sent()}
    _check_attributes(sent)
    password_hash = password.taken()
    if password_hash is None:
        raise PasswordBlank
    try:
        return await users.register(tx, sent, password_hash=password_hash), True
    except EmailTaken:
        known = await find_user_by_email(tx, sent["email"])
        if known is None:
            raise
        return known, False


def _role(params: MemberParams) -> Role | None:
    if params.role is UNSET or params.role is None:
        return None
    role = chosen(params.role, ROLES)
    if role is None:
        raise RoleUnknown
    return role


def _check_attributes(sent: dict[str, Any]) -> None:
    if len(msgspec.json.encode(sent.get("custom_attributes"))) > LARGEST_ATTRIBUTES_BYTES:
        raise AttributesTooLong
