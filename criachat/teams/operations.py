"""What can be done with teams."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import invalidate_cache, take_turn, tell_of_change
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.teams import queries
from criachat.teams.errors import NameBlank, NameTaken, NotColleagues, TooManyTeams
from criachat.teams.models import MOST_TEAMS, Team
from criachat.teams.schemas import TeamParams
from criachat.users import access as users

RECORD = "Team"
RECORD_OF_MEMBERS = "TeamMember"


async def create_team(tx: Tx, params: TeamParams, *, actor: Actor) -> Team:
    """A new team without members; names are kept in small letters."""
    name = _name(params.name or None)
    await take_turn(tx, actor.account_id)
    if await queries.count_teams(tx, actor.account_id) >= MOST_TEAMS:
        raise TooManyTeams
    team = await queries.insert_team(
        tx,
        actor.account_id,
        name=name,
        description=params.description or None,
        allow_auto_assign=params.allow_auto_assign is not False,
    )
    if team is None:
        raise NameTaken
    await tell_of_change(tx, actor, RECORD, team.id, before=None, after=_told(team))
    await invalidate_cache(tx, team.account_id, "team")
    return team


async def change_team(tx: Tx, team: Team, params: TeamParams, *, actor: Actor) -> Team:
    """Change what was sent."""
    changed = msgspec.structs.replace(
        team,
        name=team.name if params.name is UNSET else _name(params.name),
        description=team.description if params.description is UNSET else params.description or None,
        allow_auto_assign=(team.allow_auto_assign if params.allow_auto_assign is UNSET else params.allow_auto_assign),
    )
    if changed == team:
        return team
    if not await queries.save_team(tx, changed):
        raise NameTaken
    await tell_of_change(tx, actor, RECORD, team.id, before=_told(team), after=_told(changed))
    await invalidate_cache(tx, team.account_id, "team")
    return changed


async def delete_team(tx: Tx, team: Team, *, actor: Actor) -> None:
    """Remove it; its conversations lose it."""
    await queries.delete_team(tx, team)
    await tell_of_change(tx, actor, RECORD, team.id, before=_told(team), after=None)
    await invalidate_cache(tx, team.account_id, "team")


async def add_members(tx: Tx, team: Team, user_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Put people into it; those who were not in it before."""
    await _check_colleagues(tx, user_ids, actor)
    before = await queries.list_member_ids(tx, team)
    added = await queries.insert_members(tx, team, user_ids)
    await _tell_of_members(tx, team, before, {*before, *added}, actor=actor)
    return added


async def set_members(tx: Tx, team: Team, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Have just these people in it."""
    await _check_colleagues(tx, user_ids, actor)
    before = await queries.list_member_ids(tx, team)
    await queries.delete_other_members(tx, team, user_ids)
    await queries.insert_members(tx, team, user_ids)
    await _tell_of_members(tx, team, before, user_ids, actor=actor)


async def remove_members(tx: Tx, team: Team, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Take people out of it; those who are not in it are passed over."""
    await _check_colleagues(tx, user_ids, actor)
    before = await queries.list_member_ids(tx, team)
    await queries.delete_members(tx, team, user_ids)
    await _tell_of_members(tx, team, before, set(before) - set(user_ids), actor=actor)


async def _tell_of_members(
    tx: Tx, team: Team, before: Collection[int], after: Collection[int], *, actor: Actor
) -> None:
    """Have clients read teams again, and say who came and went; the team is locked meanwhile."""
    views = [{"team_id": team.id, "user_ids": sorted(set(ids))} for ids in (before, after)]
    await tell_of_change(tx, actor, RECORD_OF_MEMBERS, team.id, before=views[0], after=views[1])
    await invalidate_cache(tx, team.account_id, "team")


def _told(team: Team) -> dict[str, object]:
    return {"name": team.name, "description": team.description, "allow_auto_assign": team.allow_auto_assign}


def _name(name: str | None) -> str:
    kept = (name or "").strip().lower()
    if not kept:
        raise NameBlank
    return kept


async def _check_colleagues(tx: Tx, user_ids: Sequence[int], actor: Actor) -> None:
    known = {colleague.id for colleague in await users.list_colleagues(tx, actor, user_ids)}
    if not known.issuperset(user_ids):
        raise NotColleagues
