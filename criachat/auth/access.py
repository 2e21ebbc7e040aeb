"""The ways to get an access token on somebody's behalf."""

from __future__ import annotations

from criachat.auth import queries
from criachat.auth.models import AccessToken
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing


async def list_own_tokens(db: Db, actor: Actor) -> list[AccessToken]:
    """The caller's own living tokens, newest first."""
    return await queries.list_tokens_of_person(db, actor.user_id or 0)


async def list_account_tokens(db: Db, actor: Actor) -> list[AccessToken]:
    """The living tokens of the services and bots of the caller's account, newest first."""
    return await queries.list_tokens_of_account(db, actor.account_id)


async def find_callers_token(tx: Tx, actor: Actor) -> AccessToken | None:
    """The access token the caller came with, kept from changing; None when they signed in."""
    if actor.token_id is None:
        return None
    return await queries.lock_token_of_person(tx, actor.user_id or 0, actor.token_id)


async def load_own_token_to_change(tx: Tx, actor: Actor, token_id: int) -> AccessToken:
    """A living token of the caller's own; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_token_of_person(tx, actor.user_id or 0, token_id))


async def load_account_token_to_change(tx: Tx, actor: Actor, token_id: int) -> AccessToken:
    """A living token of a service or bot of the caller's account; nobody else changes it meanwhile."""
    return existing(await queries.lock_token_of_account(tx, actor.account_id, token_id))
