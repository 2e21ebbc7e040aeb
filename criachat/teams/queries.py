"""The SQL of teams and their members."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.teams.models import MOST_TEAMS, Team

# $2 is the person whose membership is asked for.
LIST_TEAMS = """
SELECT id, account_id, name, description, allow_auto_assign, created_at, updated_at,
    EXISTS (SELECT FROM team_members WHERE team_members.account_id = $1 AND team_members.team_id = teams.id
        AND team_members.user_id = $2) AS is_member
FROM teams
WHERE account_id = $1
ORDER BY name
LIMIT $3
"""
FIND_TEAM = """
SELECT id, account_id, name, description, allow_auto_assign, created_at, updated_at,
    EXISTS (SELECT FROM team_members WHERE team_members.account_id = $1 AND team_members.team_id = teams.id
        AND team_members.user_id = $2) AS is_member
FROM teams
WHERE account_id = $1 AND id = $3
"""
LOCK_TEAM = FIND_TEAM + "FOR NO KEY UPDATE OF teams\n"
INSERT_TEAM = """
INSERT INTO teams (account_id, name, description, allow_auto_assign, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (account_id, name) DO NOTHING
RETURNING id, account_id, name, description, allow_auto_assign, created_at, updated_at, false AS is_member
"""
SAVE_TEAM = """
UPDATE teams
SET name = $3, description = $4, allow_auto_assign = $5, version = version + 1,
    updated_at = greatest($6, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
  AND NOT EXISTS (SELECT FROM teams AS other WHERE other.account_id = $1 AND other.name = $3 AND other.id <> $2)
RETURNING id
"""
COUNT_TEAMS = "SELECT count(*) FROM teams WHERE account_id = $1"
DELETE_TEAM = "DELETE FROM teams WHERE account_id = $1 AND id = $2"
LIST_MEMBER_IDS = "SELECT user_id FROM team_members WHERE account_id = $1 AND team_id = $2 ORDER BY user_id"
INSERT_MEMBERS = """
INSERT INTO team_members (account_id, team_id, user_id, created_at)
SELECT $1, $2, account_users.user_id, $4
FROM account_users
WHERE account_users.account_id = $1 AND account_users.user_id = ANY($3::bigint[])
FOR KEY SHARE
ON CONFLICT DO NOTHING
RETURNING user_id
"""
DELETE_MEMBERS = "DELETE FROM team_members WHERE account_id = $1 AND team_id = $2 AND user_id = ANY($3::bigint[])"
DELETE_OTHER_MEMBERS = """
DELETE FROM team_members WHERE account_id = $1 AND team_id = $2 AND NOT user_id = ANY($3::bigint[])
"""


async def list_teams(db: Db, account_id: int, user_id: int | None) -> list[Team]:
    """The account's teams by name."""
    return await db.fetch_all(Team, LIST_TEAMS, account_id, user_id, MOST_TEAMS)


async def count_teams(db: Db, account_id: int) -> int:
    """How many teams the account has."""
    return await db.fetch_value(COUNT_TEAMS, account_id)


async def find_team(db: Db, account_id: int, user_id: int | None, team_id: int) -> Team | None:
    """The team, or None."""
    return await db.fetch_one_or_none(Team, FIND_TEAM, account_id, user_id, team_id)


async def lock_team(tx: Tx, account_id: int, user_id: int | None, team_id: int) -> Team | None:
    """The team, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Team, LOCK_TEAM, account_id, user_id, team_id)


async def insert_team(
    tx: Tx, account_id: int, *, name: str, description: str | None, allow_auto_assign: bool
) -> Team | None:
    """A new team; None when the name is taken."""
    values = (name, description, allow_auto_assign, clock.now())
    return await tx.fetch_one_or_none(Team, INSERT_TEAM, account_id, *values)


async def save_team(tx: Tx, team: Team) -> bool:
    """Write what a team became; False when the name is taken."""
    values = (team.account_id, team.id, team.name, team.description, team.allow_auto_assign, clock.now())
    return await tx.fetch_value(SAVE_TEAM, *values) is not None


async def delete_team(tx: Tx, team: Team) -> None:
    """Remove it; its conversations lose it."""
    await tx.execute(DELETE_TEAM, team.account_id, team.id)


async def list_member_ids(db: Db, team: Team) -> list[int]:
    """Who is in it."""
    return await db.fetch_values(LIST_MEMBER_IDS, team.account_id, team.id)


async def insert_members(tx: Tx, team: Team, user_ids: Sequence[int]) -> list[int]:
    """Add people; those who were not in it before."""
    return await tx.fetch_values(INSERT_MEMBERS, team.account_id, team.id, user_ids, clock.now())


async def delete_members(tx: Tx, team: Team, user_ids: Sequence[int]) -> None:
    """Take people out."""
    await tx.execute(DELETE_MEMBERS, team.account_id, team.id, user_ids)


async def delete_other_members(tx: Tx, team: Team, user_ids: Sequence[int]) -> None:
    """Take everybody else out."""
    await tx.execute(DELETE_OTHER_MEMBERS, team.account_id, team.id, user_ids)
