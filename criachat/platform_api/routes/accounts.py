"""Accounts and who belongs to them, for operators' apps."""

from __future__ import annotations

from criachat.accounts.schemas import OperatorAccountParams
from criachat.kit.actors import PLATFORM_APP, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.kit.paging import page_of
from criachat.platform_api import access, operations
from criachat.platform_api.jobs import remove_account_later
from criachat.platform_api.schemas import (
    AccountUserOut,
    LeaverParams,
    MemberParams,
    PageParams,
    PlatformAccountOut,
    account_out,
    account_user_out,
)
from criachat.users import operators as users

routes = Routes("/platform/api/v1/accounts", tag="Platform API", scope="platform")


@routes.get(actors=PLATFORM_APP)
async def list_accounts(db: Db, actor: Actor, params: PageParams) -> list[PlatformAccountOut]:
    """The accounts of the app, oldest first, a thousand to a page."""
    return [account_out(each) for each in await access.list_accounts(db, actor, page=page_of(params.page))]


@routes.post(actors=PLATFORM_APP)
async def create_account(tx: Tx, actor: Actor, params: OperatorAccountParams) -> PlatformAccountOut:
    """A new account; nobody belongs to it yet."""
    return account_out(await operations.open_account(tx, params, actor=actor))


@routes.get("/{account_id}", actors=PLATFORM_APP)
async def show_account(db: Db, actor: Actor, account_id: int) -> PlatformAccountOut:
    """An account of the app."""
    return account_out(await access.load_account(db, actor, account_id))


@routes.update("/{account_id}", actors=PLATFORM_APP)
async def change_account(tx: Tx, actor: Actor, account_id: int, params: OperatorAccountParams) -> PlatformAccountOut:
    """Change what was sent: limits and custom attributes are replaced, features switched one by one."""
    account = await access.load_account_to_change(tx, actor, account_id)
    return account_out(await operations.change_account(tx, account, params))


@routes.delete("/{account_id}", actors=PLATFORM_APP)
async def delete_account(tx: Tx, actor: Actor, account_id: int) -> None:
    """Let nobody into the account any more, and remove it in the background."""
    await access.load_account_to_change(tx, actor, account_id)
    await operations.suspend_account(tx, account_id)
    await remove_account_later(tx, account_id)


@routes.get("/{account_id}/account_users", actors=PLATFORM_APP)
async def list_account_users(db: Db, actor: Actor, account_id: int) -> list[AccountUserOut]:
    """Who belongs to the account, oldest first."""
    await access.load_account(db, actor, account_id)
    return [account_user_out(row) for row in await users.list_memberships(db, account_id)]


@routes.post("/{account_id}/account_users", actors=PLATFORM_APP)
async def put_account_user(tx: Tx, actor: Actor, account_id: int, params: MemberParams) -> AccountUserOut:
    """Have somebody belong to the account, as an agent unless told otherwise; or give a member another role."""
    await access.load_account_to_change(tx, actor, account_id)
    return account_user_out(await operations.put_member(tx, account_id, params, actor=actor))


@routes.delete("/{account_id}/account_users", actors=PLATFORM_APP)
async def remove_account_user(tx: Tx, actor: Actor, account_id: int, params: LeaverParams) -> None:
    """Have somebody belong to the account no more."""
    await access.load_account_to_change(tx, actor, account_id)
    await operations.remove_member(tx, account_id, params.user_id, actor=actor)
