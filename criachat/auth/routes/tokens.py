"""Access tokens of the caller, over HTTP."""

from __future__ import annotations

from criachat.auth import access, operations, rules
from criachat.auth.credentials import credentials_of
from criachat.auth.errors import SessionTokenReset
from criachat.auth.models import Owner
from criachat.auth.operations.sessions import reset_api_token
from criachat.auth.schemas import (
    AccountTokenParams,
    LeakedParams,
    RotationParams,
    TokenOut,
    TokenParams,
    TokensOut,
    made_out,
    token_out,
)
from criachat.kit.actors import ADMINISTRATOR, ANYONE, EVERYTHING, PERSON, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.request import Request
from criachat.kit.http.routes import KnownScopes, Routes
from criachat.kit.tokens import SESSION, Keyring
from criachat.users import access as users
from criachat.users.schemas import ProfileOut, profile_out
from criachat.users.shown import Shown

routes = Routes("/api/v1/profile/access_tokens", tag="Access tokens", scope="tokens")
account_routes = Routes("/api/v1/accounts/{account_id}/access_tokens", tag="Access tokens", scope="tokens")
leak_routes = Routes("/api/v1/tokens", tag="Access tokens")
reset_routes = Routes("/api/v1/profile/reset_access_token", tag="Access tokens", scope="tokens")


@routes.get(actors=PERSON)
async def list_tokens(db: Db, actor: Actor) -> TokensOut:
    """The caller's living access tokens, newest first; never the tokens themselves."""
    found = await access.list_own_tokens(db, actor)
    return TokensOut(payload=[token_out(token, current_id=actor.token_id) for token in found])


@routes.post(actors=PERSON)
async def create_token(tx: Tx, actor: Actor, keyring: Keyring, known: KnownScopes, params: TokenParams) -> TokenOut:
    """A new access token, shown this once.

    With `scopes` it is a service's: it may do that and nothing else. A token cannot make one that may do more than
    itself, lasts longer, or is good from more addresses.
    """
    grant = rules.grant(params, known, actor=actor)
    return made_out(
        await operations.create_own_token(tx, keyring, Owner("user", actor.user_id or 0), grant, actor=actor)
    )


@routes.post("/{token_id}/rotate", actors=PERSON)
async def rotate_token(tx: Tx, actor: Actor, keyring: Keyring, token_id: int, params: RotationParams) -> TokenOut:
    """Another token in place of this one, shown this once; the previous is good for `overlap_hours`, 0 to 168, yet."""
    overlap = rules.overlap(params)
    token = await access.load_own_token_to_change(tx, actor, token_id)
    return made_out(await operations.rotate(tx, keyring, token, actor=actor, overlap=overlap))


@routes.delete("/{token_id}", actors=PERSON)
async def revoke_token(tx: Tx, actor: Actor, token_id: int) -> None:
    """End an access token now."""
    await operations.revoke(tx, (await access.load_own_token_to_change(tx, actor, token_id)).id)


@reset_routes.post(actors=PERSON)
async def reset_token(tx: Tx, actor: Actor, request: Request, keyring: Keyring, shown: Shown) -> ProfileOut:
    """Another token in place of the one this request came with, which ends now; shown as `access_token`.

    Of a session it is the session's own.
    """
    text = await _reset(tx, actor, request, keyring)
    user = await users.load_user(tx, actor)
    memberships = await users.list_memberships(tx, user.id)
    return profile_out(user, memberships, shown, access_token=text, may_listen=actor.covers(EVERYTHING))


async def _reset(tx: Tx, actor: Actor, request: Request, keyring: Keyring) -> str:
    credentials = credentials_of(request)
    if actor.session_id is not None and credentials is not None:
        return await reset_api_token(tx, keyring, actor, credentials)
    if (actor.access_token or "").startswith(SESSION):
        raise SessionTokenReset
    token = await access.load_own_token_to_change(tx, actor, actor.token_id or 0)
    return (await operations.rotate(tx, keyring, token, actor=actor)).text


@account_routes.get(actors=ADMINISTRATOR)
async def list_account_tokens(db: Db, actor: Actor) -> TokensOut:
    """The living access tokens of the account's services and bots, newest first; never the tokens themselves."""
    found = await access.list_account_tokens(db, actor)
    return TokensOut(payload=[token_out(token, current_id=actor.token_id) for token in found])


@account_routes.post(actors=ADMINISTRATOR)
async def create_account_token(
    tx: Tx, actor: Actor, keyring: Keyring, known: KnownScopes, params: AccountTokenParams
) -> TokenOut:
    """A new access token that is good for this account alone, shown this once.

    It is a service's, which acts in the caller's name and ends with their membership, or the bot's that is named.
    """
    grant = rules.grant(params, known, actor=actor)
    owner = await _owner(tx, actor, params.agent_bot_id)
    return made_out(await operations.create_own_token(tx, keyring, owner, grant, actor=actor))


@account_routes.post("/{token_id}/rotate", actors=ADMINISTRATOR)
async def rotate_account_token(
    tx: Tx, actor: Actor, keyring: Keyring, token_id: int, params: RotationParams
) -> TokenOut:
    """Another token in place of this one, shown this once; the previous is good for `overlap_hours`, 0 to 168, yet.

    A service acts in the caller's name from then on.
    """
    overlap = rules.overlap(params)
    token = await access.load_account_token_to_change(tx, actor, token_id)
    return made_out(await operations.rotate(tx, keyring, token, actor=actor, overlap=overlap))


@account_routes.delete("/{token_id}", actors=ADMINISTRATOR)
async def revoke_account_token(tx: Tx, actor: Actor, token_id: int) -> None:
    """End an access token of the account's services and bots now."""
    await operations.revoke(tx, (await access.load_account_token_to_change(tx, actor, token_id)).id)


@leak_routes.post("/revoke", actors=ANYONE, is_idempotent=False)
async def revoke_leaked_token(tx: Tx, keyring: Keyring, params: LeakedParams) -> None:
    """End an access token that leaked: to have it is enough, and no answer tells whether it was one."""
    await operations.revoke_leaked(tx, keyring, params.token.strip())


async def _owner(db: Db, actor: Actor, agent_bot_id: int | None) -> Owner:
    if agent_bot_id is None:
        return Owner("user", actor.user_id or 0, actor.account_id)
    bot = await users.find_bot(db, actor, agent_bot_id)
    if bot is None:
        raise NotFound
    return Owner("agent_bot", bot.id, actor.account_id)
