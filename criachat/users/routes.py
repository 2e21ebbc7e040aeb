"""People, over HTTP: the team of an account, and the caller themself."""

from __future__ import annotations

from criachat.kit.actors import AGENT, PERSON, Actor
from criachat.kit.choices import chosen
from criachat.kit.db import Db, Tx
from criachat.kit.errors import Unprocessable
from criachat.kit.http.routes import Routes
from criachat.users import access, operations
from criachat.users.schemas import (
    ActiveAccountParams,
    AgentOut,
    AutoOfflineParams,
    AvailabilityParams,
    ProfileOut,
    ProfileParams,
    agent_out,
    profile_out,
)
from criachat.users.shown import Shown
from criachat.users.snapshots import Availability

# By their numbers, which some clients send.
AVAILABILITIES: tuple[Availability, ...] = ("online", "offline", "busy")

agent_routes = Routes("/api/v1/accounts/{account_id}/agents", tag="Agents", scope="agents")
profile_routes = Routes("/api/v1/profile", tag="Profile", scope="profile")


@agent_routes.get(actors=AGENT)
async def list_agents(db: Db, actor: Actor, shown: Shown) -> list[AgentOut]:
    """The members of the account by name."""
    return [agent_out(colleague, shown) for colleague in await access.list_colleagues(db, actor)]


@profile_routes.get(actors=PERSON)
async def show_profile(db: Db, actor: Actor, shown: Shown) -> ProfileOut:
    """The caller, their accounts, and the token they came with."""
    return await _profile(db, actor, shown)


@profile_routes.update(actors=PERSON, wrapper="profile", files=("avatar",))
async def change_profile(tx: Tx, actor: Actor, shown: Shown, params: ProfileParams) -> ProfileOut:
    """Change name, signature, settings, e-mail, picture or, with the current one, the password."""
    await operations.change_profile(tx, actor.user_id or 0, params, files=shown.files)
    return await _profile(tx, actor, shown)


@profile_routes.post("/availability", actors=PERSON, wrapper="profile")
async def choose_availability(tx: Tx, actor: Actor, shown: Shown, params: AvailabilityParams) -> ProfileOut:
    """Be online, busy or offline in an account."""
    await operations.choose_availability(
        tx, account_id=params.account_id, user_id=actor.user_id or 0, availability=_availability(params.availability)
    )
    return await _profile(tx, actor, shown)


@profile_routes.post("/auto_offline", actors=PERSON, wrapper="profile")
async def choose_auto_offline(tx: Tx, actor: Actor, shown: Shown, params: AutoOfflineParams) -> ProfileOut:
    """Count as offline, or not, while there is no sign of life."""
    await operations.choose_auto_offline(
        tx, account_id=params.account_id, user_id=actor.user_id or 0, auto_offline=params.auto_offline
    )
    return await _profile(tx, actor, shown)


@profile_routes.update("/set_active_account", actors=PERSON, wrapper="profile")
async def set_active_account(tx: Tx, actor: Actor, params: ActiveAccountParams) -> None:
    """Work in this account from now on."""
    await operations.use_account(tx, account_id=params.account_id, user_id=actor.user_id or 0)


@profile_routes.delete("/avatar", actors=PERSON)
async def remove_avatar(tx: Tx, actor: Actor, shown: Shown) -> ProfileOut:
    """Show no picture any more."""
    await operations.remove_avatar(tx, actor.user_id or 0)
    return await _profile(tx, actor, shown)


def _availability(said: str | int) -> Availability:
    availability = chosen(said, AVAILABILITIES)
    if availability is None:
        raise Unprocessable(f"availability must be one of {', '.join(AVAILABILITIES)}")
    return availability


async def _profile(db: Db, actor: Actor, shown: Shown) -> ProfileOut:
    user = await access.load_user(db, actor)
    memberships = await access.list_memberships(db, user.id)
    return profile_out(user, memberships, shown, access_token=actor.access_token)
