"""The ways to get a team on somebody's behalf."""

from __future__ import annotations

from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing
from criachat.teams import queries
from criachat.teams.models import Team


async def load_team(db: Db, actor: Actor, team_id: int) -> Team:
    """The team of the caller's account."""
    return existing(await find_team(db, actor, team_id))


async def load_team_to_change(tx: Tx, actor: Actor, team_id: int) -> Team:
    """The same; nobody else changes it or its members before this transaction ends."""
    return existing(await queries.lock_team(tx, actor.account_id, actor.user_id, team_id))


async def find_team(db: Db, actor: Actor, team_id: int | None) -> Team | None:
    """The team of the caller's account with this id, or None."""
    return None if team_id is None else await queries.find_team(db, actor.account_id, actor.user_id, team_id)


async def list_teams(db: Db, actor: Actor) -> list[Team]:
    """The teams of the caller's account by name."""
    return await queries.list_teams(db, actor.account_id, actor.user_id)


async def list_member_ids(db: Db, team: Team) -> list[int]:
    """Who is in the team."""
    return await queries.list_member_ids(db, team)
