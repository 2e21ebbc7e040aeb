"""Teams and their members, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.teams import access, operations, queries
from criachat.teams.schemas import MembersParams, TeamOut, TeamParams, team_out
from criachat.users import access as users
from criachat.users.schemas import AgentOut, agent_out
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}/teams", tag="Teams", scope="teams")


@routes.get(actors=AGENT)
async def list_teams(db: Db, actor: Actor) -> list[TeamOut]:
    """All teams of the account by name."""
    return [team_out(team) for team in await access.list_teams(db, actor)]


@routes.get("/{team_id}", actors=AGENT)
async def show_team(db: Db, actor: Actor, team_id: int) -> TeamOut:
    """One team."""
    return team_out(await access.load_team(db, actor, team_id))


@routes.post(actors=ADMINISTRATOR, wrapper="team")
async def create_team(tx: Tx, actor: Actor, params: TeamParams) -> TeamOut:
    """A new team without members. Its name is kept in small letters."""
    return team_out(await operations.create_team(tx, params, actor=actor))


@routes.update("/{team_id}", actors=ADMINISTRATOR, wrapper="team")
async def change_team(tx: Tx, actor: Actor, team_id: int, params: TeamParams) -> TeamOut:
    """Rename or describe a team, or say whether its conversations are handed out to its members."""
    team = await access.load_team_to_change(tx, actor, team_id)
    return team_out(await operations.change_team(tx, team, params, actor=actor))


@routes.delete("/{team_id}", actors=ADMINISTRATOR)
async def delete_team(tx: Tx, actor: Actor, team_id: int) -> None:
    """Remove a team; its conversations lose it."""
    await operations.delete_team(tx, await access.load_team_to_change(tx, actor, team_id), actor=actor)


@routes.get("/{team_id}/team_members", actors=AGENT)
async def list_members(db: Db, actor: Actor, shown: Shown, team_id: int) -> list[AgentOut]:
    """Who is in the team, by name."""
    team = await access.load_team(db, actor, team_id)
    return await _agents(db, actor, shown, await queries.list_member_ids(db, team))


@routes.post("/{team_id}/team_members", actors=ADMINISTRATOR)
async def add_members(tx: Tx, actor: Actor, shown: Shown, team_id: int, params: MembersParams) -> list[AgentOut]:
    """Put people into the team; answers those of them who were not in it."""
    team = await access.load_team_to_change(tx, actor, team_id)
    added = await operations.add_members(tx, team, params.user_ids, actor=actor)
    return await _agents(tx, actor, shown, added)


@routes.patch("/{team_id}/team_members", actors=ADMINISTRATOR)
async def set_members(tx: Tx, actor: Actor, shown: Shown, team_id: int, params: MembersParams) -> list[AgentOut]:
    """Have just these people in the team; answers all of them."""
    team = await access.load_team_to_change(tx, actor, team_id)
    await operations.set_members(tx, team, params.user_ids, actor=actor)
    return await _agents(tx, actor, shown, params.user_ids)


@routes.delete("/{team_id}/team_members", actors=ADMINISTRATOR)
async def remove_members(tx: Tx, actor: Actor, team_id: int, params: MembersParams) -> None:
    """Take people out of the team."""
    team = await access.load_team_to_change(tx, actor, team_id)
    await operations.remove_members(tx, team, params.user_ids, actor=actor)


async def _agents(db: Db, actor: Actor, shown: Shown, user_ids: Sequence[int]) -> list[AgentOut]:
    return [agent_out(colleague, shown) for colleague in await users.list_colleagues(db, actor, user_ids)]
