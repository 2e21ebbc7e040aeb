"""People, over HTTP: the team of an account, and the caller themself."""

from __future__ import annotations

from criachat.kit.actors import ADMINISTRATOR, AGENT, EVERYTHING, PERSON, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.users import access, operations, roles, team
from criachat.users.preparing import Invitations
from criachat.users.schemas import (
    ActiveAccountParams,
    AgentOut,
    AgentParams,
    AgentsParams,
    AutoOfflineParams,
    AvailabilityParams,
    CustomRoleOut,
    CustomRoleParams,
    ProfileOut,
    agent_out,
    custom_role_out,
    profile_out,
)
from criachat.users.shown import Shown

agent_routes = Routes("/api/v1/accounts/{account_id}/agents", tag="Agents", scope="agents")
role_routes = Routes("/api/v1/accounts/{account_id}/custom_roles", tag="Custom roles", scope="agents")
activity_routes = Routes("/api/v1/accounts/{account_id}/update_active_at", tag="Accounts", scope="profile")
profile_routes = Routes("/api/v1/profile", tag="Profile", scope="profile")


@agent_routes.get(actors=AGENT)
async def list_agents(db: Db, actor: Actor, shown: Shown) -> list[AgentOut]:
    """The members of the account by name."""
    return [agent_out(colleague, shown) for colleague in await access.list_colleagues(db, actor)]


@agent_routes.post(actors=ADMINISTRATOR, wrapper="agent", beside=("custom_role_id",))
async def create_agent(tx: Tx, actor: Actor, shown: Shown, params: AgentParams, invitations: Invitations) -> AgentOut:
    """Make somebody a member of the account. Who is known already by this address keeps their name."""
    invitations.check()
    return await _agent(tx, actor, shown, await team.invite(tx, params, actor=actor))


@agent_routes.post("/bulk_create", actors=ADMINISTRATOR)
async def create_agents(tx: Tx, actor: Actor, params: AgentsParams, invitations: Invitations) -> None:
    """Make many people agents, by their addresses; what is no address, and who is a member, is passed over."""
    invitations.check()
    await team.invite_all(tx, params.emails, actor=actor)


@agent_routes.update("/{user_id}", actors=ADMINISTRATOR, wrapper="agent", beside=("custom_role_id",))
async def change_agent(tx: Tx, actor: Actor, shown: Shown, user_id: int, params: AgentParams) -> AgentOut:
    """Change name, role or availability of a member. The last administrator stays one."""
    await team.change_member(tx, user_id, params, actor=actor)
    return await _agent(tx, actor, shown, user_id)


@agent_routes.delete("/{user_id}", actors=ADMINISTRATOR)
async def remove_agent(tx: Tx, actor: Actor, user_id: int) -> None:
    """End a membership: they leave teams and inboxes, and their conversations are nobody's."""
    await team.remove_member(tx, user_id, actor=actor)


@role_routes.get(actors=ADMINISTRATOR)
async def list_custom_roles(db: Db, actor: Actor) -> list[CustomRoleOut]:
    """The roles the account made for itself."""
    return [custom_role_out(role) for role in await access.list_custom_roles(db, actor)]


@role_routes.get("/{role_id}", actors=ADMINISTRATOR)
async def show_custom_role(db: Db, actor: Actor, role_id: int) -> CustomRoleOut:
    """One role of the account."""
    return custom_role_out(await access.load_custom_role(db, actor, role_id))


@role_routes.post(actors=ADMINISTRATOR, wrapper="custom_role")
async def create_custom_role(tx: Tx, actor: Actor, params: CustomRoleParams) -> CustomRoleOut:
    """A role that agents can be given: what they may do beside what every agent may."""
    return custom_role_out(await roles.create_custom_role(tx, params, actor=actor))


@role_routes.update("/{role_id}", actors=ADMINISTRATOR, wrapper="custom_role")
async def change_custom_role(tx: Tx, actor: Actor, role_id: int, params: CustomRoleParams) -> CustomRoleOut:
    """Rename or describe a role, or give it other permissions."""
    role = await access.load_custom_role_to_change(tx, actor, role_id)
    return custom_role_out(await roles.change_custom_role(tx, role, params, actor=actor))


@role_routes.delete("/{role_id}", actors=ADMINISTRATOR)
async def delete_custom_role(tx: Tx, actor: Actor, role_id: int) -> None:
    """Remove a role; its agents are agents without one."""
    role = await access.load_custom_role_to_change(tx, actor, role_id)
    await roles.delete_custom_role(tx, role, actor=actor)


@activity_routes.post(actors=AGENT, is_hidden=True)
async def note_activity(tx: Tx, actor: Actor, account_id: int) -> None:
    """Work in this account from now on."""
    await operations.use_account(tx, account_id=account_id, user_id=actor.user_id or 0)


@profile_routes.get(actors=PERSON)
async def show_profile(db: Db, actor: Actor, shown: Shown) -> ProfileOut:
    """The caller, their accounts, and the token they came with."""
    return await _profile(db, actor, shown)


@profile_routes.post("/availability", actors=PERSON, wrapper="profile")
async def choose_availability(tx: Tx, actor: Actor, shown: Shown, params: AvailabilityParams) -> ProfileOut:
    """Be online, busy or offline in an account."""
    availability = team.availability_of(params.availability)
    await team.change_own_place(tx, params.account_id, actor=actor, availability=availability)
    return await _profile(tx, actor, shown)


@profile_routes.post("/auto_offline", actors=PERSON, wrapper="profile")
async def choose_auto_offline(tx: Tx, actor: Actor, shown: Shown, params: AutoOfflineParams) -> ProfileOut:
    """Count as offline, or not, while there is no sign of life."""
    await team.change_own_place(tx, params.account_id, actor=actor, auto_offline=params.auto_offline)
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


async def _agent(db: Db, actor: Actor, shown: Shown, user_id: int) -> AgentOut:
    return agent_out(await access.load_colleague(db, actor, user_id), shown)


async def _profile(db: Db, actor: Actor, shown: Shown) -> ProfileOut:
    user = await access.load_user(db, actor)
    memberships = await access.list_memberships(db, user.id)
    may_listen = actor.covers(EVERYTHING)
    return profile_out(user, memberships, shown, access_token=actor.access_token, may_listen=may_listen)
