"""Access tokens of the caller, over HTTP."""

from __future__ import annotations

from datetime import timedelta

from criachat.auth import access, operations, rules
from criachat.auth.schemas import RotationParams, TokenOut, TokenParams, TokensOut, made_out, token_out
from criachat.kit.actors import PERSON, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import KnownScopes, Routes
from criachat.kit.tokens import Keyring
from criachat.users import access as users
from criachat.users.schemas import ProfileOut, profile_out
from criachat.users.shown import Shown

routes = Routes("/api/v1/profile/access_tokens", tag="Access tokens", scope="tokens")
reset_routes = Routes("/api/v1/profile/reset_access_token", tag="Access tokens", scope="tokens")


@routes.get(actors=PERSON)
async def list_tokens(db: Db, actor: Actor) -> TokensOut:
    """The caller's living access tokens, newest first; never the tokens themselves."""
    found = await access.list_own_tokens(db, actor)
    return TokensOut(payload=[token_out(token, current_id=actor.token_id) for token in found])


@routes.post(actors=PERSON)
async def create_token(tx: Tx, actor: Actor, keyring: Keyring, known: KnownScopes, params: TokenParams) -> TokenOut:
    """A new access token, shown this once.

    With `scopes` it is a service's: it may do that and nothing else. A token with scopes cannot make one that may do
    more than itself.
    """
    grant = rules.grant(params, known, actor=actor)
    return made_out(await operations.create_own_token(tx, keyring, actor.user_id or 0, grant))


@routes.post("/{token_id}/rotate", actors=PERSON)
async def rotate_token(tx: Tx, actor: Actor, keyring: Keyring, token_id: int, params: RotationParams) -> TokenOut:
    """Another token in place of this one, shown this once; the previous is good for `overlap_hours`, 0 to 168, yet."""
    overlap = rules.overlap(params)
    token = await access.load_own_token_to_change(tx, actor, token_id)
    return made_out(await operations.rotate(tx, keyring, token, actor=actor, overlap=overlap))


@routes.delete("/{token_id}", actors=PERSON)
async def revoke_token(tx: Tx, actor: Actor, token_id: int) -> None:
    """End an access token now."""
    await operations.revoke(tx, user_id=actor.user_id or 0, token_id=token_id)


@reset_routes.post(actors=PERSON)
async def reset_token(tx: Tx, actor: Actor, keyring: Keyring, shown: Shown) -> ProfileOut:
    """Another token in place of the one this request came with, which ends now; shown as `access_token`."""
    token = await access.load_own_token_to_change(tx, actor, actor.token_id or 0)
    made = await operations.rotate(tx, keyring, token, actor=actor, overlap=timedelta())
    user = await users.load_user(tx, actor)
    memberships = await users.list_memberships(tx, user.id)
    return profile_out(user, memberships, shown, access_token=made.text)
