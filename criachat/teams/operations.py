"""What can be done with teams."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from criachat.accounts.operations import invalidate_cache
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.teams import access, queries
from criachat.teams.errors import NameBlank, NameTaken, NotColleagues
from criachat.teams.models import Team
from criachat.users import access as users


async def create_team(
    tx: Tx, *, name: str | None, description: str | None, allow_auto_assign: bool, actor: Actor
) -> Team:
    """A new team without members; names are kept in small letters."""
    title = _name(name)
    team_id = await queries.insert_team(
        tx, actor.account_id, name=title, description=description, allow_auto_assign=allow_auto_assign
    )
    if team_id is None:
        raise NameTaken
    await invalidate_cache(tx, actor.account_id, "team")
    return await access.load_team(tx, actor, team_id)


async def change_team(
    tx: Tx, team: Team, *, name: str | None, description: str | None, allow_auto_assign: bool, actor: Actor
) -> Team:
    """Rename or describe it."""
    changed = msgspec.structs.replace(
        team, name=_name(name), description=description, allow_auto_assign=allow_auto_assign
    )
    if not await queries.save_team(tx, changed):
        raise NameTaken
    await invalidate_cache(tx, actor.account_id, "team")
    return await access.load_team(tx, actor, team.id)


async def delete_team(tx: Tx, team: Team) -> None:
    """Remove it; its conversations lose it."""
    await queries.delete_team(tx, team)
    await invalidate_cache(tx, team.account_id, "team")


async def add_members(tx: Tx, team: Team, user_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Put people into it; those who were not in it before."""
    await _check_colleagues(tx, user_ids, actor)
    added = await queries.insert_members(tx, team, user_ids)
    await invalidate_cache(tx, team.account_id, "team")
    return added


async def set_members(tx: Tx, team: Team, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Have just these people in it."""
    await _check_colleagues(tx, user_ids, actor)
    await queries.delete_other_members(tx, team, user_ids)
    await queries.insert_members(tx, team, user_ids)
    await invalidate_cache(tx, team.account_id, "team")


async def remove_members(tx: Tx, team: Team, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Take people out of it."""
    await _check_colleagues(tx, user_ids, actor)
    await queries.delete_members(tx, team, user_ids)
    await invalidate_cache(tx, team.account_id, "team")


def _name(name: str | None) -> str:
    title = (name or "").strip().lower()
    if not title:
        raise NameBlank
    return title


async def _check_colleagues(tx: Tx, user_ids: Sequence[int], actor: Actor) -> None:
    known = {colleague.id for colleague in await users.list_colleagues(tx, actor, user_ids)}
    if not known.issuperset(user_ids):
        raise NotColleagues
