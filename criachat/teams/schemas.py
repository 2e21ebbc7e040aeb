"""Teams on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.kit.texts import Long, Short
from criachat.kit.times import iso
from criachat.teams.models import Team


class TeamParams(msgspec.Struct, kw_only=True):
    """What a team is; what is not sent stays as it is."""

    name: Short | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    allow_auto_assign: Annotated[
        bool | UnsetType, Meta(description="Give what the team gets to those of its members who are online, in turn.")
    ] = UNSET


class MembersParams(msgspec.Struct, kw_only=True):
    """People by id."""

    user_ids: Annotated[list[int], Meta(max_length=5000)]


class TeamOut(msgspec.Struct, frozen=True, kw_only=True):
    """One team."""

    id: int
    name: str
    description: str | None
    allow_auto_assign: bool
    account_id: int
    is_member: bool


class RawTeamOut(msgspec.Struct, frozen=True, kw_only=True):
    """One team as assignments answer it: the row itself."""

    id: int
    name: str
    description: str | None
    allow_auto_assign: bool
    account_id: int
    created_at: str
    updated_at: str


def team_out(team: Team) -> TeamOut:
    """The team as lists show it."""
    return TeamOut(
        id=team.id,
        name=team.name,
        description=team.description,
        allow_auto_assign=team.allow_auto_assign,
        account_id=team.account_id,
        is_member=team.is_member,
    )


def raw_team_out(team: Team) -> RawTeamOut:
    """The team's row."""
    return RawTeamOut(
        id=team.id,
        name=team.name,
        description=team.description,
        allow_auto_assign=team.allow_auto_assign,
        account_id=team.account_id,
        created_at=iso(team.created_at),
        updated_at=iso(team.updated_at),
    )
