"""People, for operators' apps."""

from __future__ import annotations

from criachat.auth.operations.one_time import create_sign_in_link
from criachat.kit.actors import PLATFORM_APP, Actor
from criachat.kit.db import Tx
from criachat.kit.files import Files
from criachat.kit.http.routes import Routes
from criachat.kit.tokens import Keyring
from criachat.platform_api import access, operations
from criachat.platform_api.jobs import remove_user_later
from criachat.platform_api.models import LoginPage
from criachat.platform_api.passwords import GivenPassword
from criachat.platform_api.schemas import LoginOut, PlatformUserOut, UserParams, UserTokenOut, token_out, user_out
from criachat.users import access as users

routes = Routes("/platform/api/v1/users", tag="Platform API", scope="platform")


@routes.post(actors=PLATFORM_APP)
async def create_user(
    tx: Tx, actor: Actor, keyring: Keyring, files: Files, password: GivenPassword, params: UserParams
) -> PlatformUserOut:
    """A new person, confirmed without a mail; or whoever has this address, as they are.

    Of somebody who belongs to accounts of others the tokens stay hidden: knowing an address is not enough to be them.
    """
    user = await operations.find_or_create_user(tx, params, password, actor=actor)
    return await _shown(tx, actor, keyring, files, user.id)


@routes.get("/{user_id}", actors=PLATFORM_APP)
async def show_user(tx: Tx, actor: Actor, keyring: Keyring, files: Files, user_id: int) -> PlatformUserOut:
    """A person of the app, with the token it has for them."""
    return await _shown(tx, actor, keyring, files, user_id)


@routes.update("/{user_id}", actors=PLATFORM_APP)
async def change_user(  # noqa: PLR0913 - a person has this many sides
    tx: Tx,
    actor: Actor,
    keyring: Keyring,
    files: Files,
    password: GivenPassword,
    user_id: int,
    params: UserParams,
) -> PlatformUserOut:
    """Change name, address, password or attributes; the address at once."""
    user = await access.load_user_to_act_for(tx, actor, user_id)
    await operations.change_user(tx, user, params, password)
    return await _shown(tx, actor, keyring, files, user_id)


@routes.delete("/{user_id}", actors=PLATFORM_APP)
async def delete_user(tx: Tx, actor: Actor, user_id: int) -> None:
    """End somebody's sessions and tokens now, and forget them in the background; what they said stays."""
    user = await access.load_user_to_act_for(tx, actor, user_id)
    await operations.shut_out_user(tx, user.id)
    await remove_user_later(tx, user.id)


@routes.get("/{user_id}/login", actors=PLATFORM_APP)
async def show_login(tx: Tx, actor: Actor, page: LoginPage, user_id: int) -> LoginOut:
    """Where a person signs in without a password: once, within five minutes."""
    user = await access.load_user_to_act_for(tx, actor, user_id)
    return LoginOut(page.address(user.email, await create_sign_in_link(tx, user.id)))


@routes.post("/{user_id}/token", actors=PLATFORM_APP)
async def show_token(tx: Tx, actor: Actor, keyring: Keyring, user_id: int) -> UserTokenOut:
    """The one token the app has for a person, the same each time."""
    user = await access.load_user_to_act_for(tx, actor, user_id)
    return token_out(user, await operations.token_for(tx, keyring, user, actor=actor))


async def _shown(tx: Tx, actor: Actor, keyring: Keyring, files: Files, user_id: int) -> PlatformUserOut:
    user, may_act = await access.load_user(tx, actor, user_id)
    token = await operations.token_for(tx, keyring, user, actor=actor) if may_act else None
    return user_out(user, await users.list_memberships(tx, user.id), files, access_token=token)
