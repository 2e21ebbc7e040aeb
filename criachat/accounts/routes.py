"""Accounts, over HTTP."""

from __future__ import annotations

from criachat.accounts import operations, queries
from criachat.accounts.models import all_cache_keys
from criachat.accounts.schemas import AccountOut, AccountParams, account_out
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing
from criachat.kit.http.answers import Answer
from criachat.kit.http.routes import Routes
from criachat.kit.mail import sender_address
from criachat.kit.settings import Settings

routes = Routes("/api/v1/accounts/{account_id}", tag="Accounts", scope="account")


@routes.get(actors=AGENT, is_hidden=True)
async def show_account(db: Db, settings: Settings, account_id: int) -> AccountOut:
    """The account, what is switched on in it, and its cache keys."""
    account = existing(await queries.find_account(db, account_id))
    return account_out(account, sender=sender_address(settings))


@routes.update(actors=ADMINISTRATOR, is_hidden=True, record_errors=True)
async def change_account(
    tx: Tx, actor: Actor, settings: Settings, account_id: int, params: AccountParams
) -> AccountOut:
    """Change name, language, addresses, attributes and settings of the account."""
    account = existing(await queries.lock_account(tx, account_id))
    changed = await operations.change_account(tx, account, params, actor=actor)
    return account_out(changed, sender=sender_address(settings))


@routes.get("/cache_keys", actors=AGENT, is_hidden=True)
async def show_cache_keys(db: Db, account_id: int) -> Answer:
    """What clients compare to know whether their labels, inboxes and teams are stale."""
    account = existing(await queries.find_account(db, account_id))
    keys = all_cache_keys(account.cache_keys)
    return Answer(
        body={"cache_keys": keys}, headers=(("Cache-Control", "max-age=10, private, stale-while-revalidate=300"),)
    )
