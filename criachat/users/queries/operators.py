"""The SQL of what operators do with people and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from criachat.kit import clock, tokens
from criachat.kit.db import Db, Tx
from criachat.users.models import MembershipRow, Role, User
from criachat.users.queries import USER

# An operator vouches for an address they change: one that waits to be confirmed gives way to it.
SAVE_BY_OPERATOR = """
UPDATE users
SET name = $2, display_name = $3, email = lower($4), custom_attributes = $5,
    unconfirmed_email = CASE WHEN lower(email) = lower($4) THEN unconfirmed_email END,
    confirmed_at = CASE WHEN lower(email) = lower($4) THEN confirmed_at ELSE coalesce(confirmed_at, $6) END,
    version = version + 1,
    updated_at = greatest($6, updated_at + interval '1 millisecond')
WHERE id = $1 AND NOT EXISTS (SELECT FROM users AS other WHERE lower(other.email) = lower($4) AND other.id <> $1)
RETURNING id
"""
FIND_USER: LiteralString = "SELECT" + USER + "FROM users WHERE id = $1 AND removed_at IS NULL"
# The address is free for somebody else at once; without it and a password nobody comes in as them. What stands in its
# place is no address, so that nobody can have taken it.
SHUT_OUT = """
UPDATE users
SET email = 'removed.' || id, unconfirmed_email = NULL, password_hash = NULL, confirmed_at = NULL, pubsub_token = $2,
    removed_at = $3, version = version + 1,
    updated_at = greatest($3, updated_at + interval '1 millisecond')
WHERE id = $1 AND removed_at IS NULL
"""
DELETE_USER = "DELETE FROM users WHERE id = $1 RETURNING avatar_key"
MEMBERSHIP: LiteralString = """
    id, account_id, user_id, role, inviter_id, created_at, updated_at, active_at, availability,
    auto_offline, custom_role_id
"""
LIST_ROWS: LiteralString = "SELECT " + MEMBERSHIP + "FROM account_users WHERE account_id = $1 ORDER BY id LIMIT 5000"
# A role that is not said, or is theirs already, changes nothing.
PUT_MEMBERSHIP: LiteralString = (
    """
INSERT INTO account_users (account_id, user_id, role, created_at, updated_at)
VALUES ($1, $2, coalesce($3, 'agent'), $4, $4)
ON CONFLICT (account_id, user_id) DO UPDATE
SET role = coalesce($3, account_users.role),
    custom_role_id = CASE WHEN $3 = 'administrator' THEN NULL ELSE account_users.custom_role_id END,
    updated_at = CASE WHEN $3 IS NULL OR $3 = account_users.role THEN account_users.updated_at
        ELSE greatest($4, account_users.updated_at + interval '1 millisecond') END
RETURNING """
    + MEMBERSHIP
)
LOCK_ROLE = "SELECT role FROM account_users WHERE account_id = $1 AND user_id = $2 FOR UPDATE"
# Across accounts: somebody who goes leaves all of them.
LIST_ACCOUNT_IDS = "SELECT account_id FROM account_users WHERE user_id = $1 ORDER BY account_id"


async def find_user(db: Db, user_id: int) -> User | None:
    """The person with this id, unless they are to be forgotten."""
    return await db.fetch_one_or_none(User, FIND_USER, user_id)


async def shut_out(tx: Tx, user_id: int) -> None:
    """Take their address, their password and what opens sockets from somebody who is to be forgotten."""
    await tx.execute(SHUT_OUT, user_id, tokens.random_token(), clock.now())


async def save_by_operator(tx: Tx, user: User, custom_attributes: dict[str, Any]) -> bool:
    """Write what an operator made of a person; False when the address is somebody else's."""
    names = user.name, user.display_name, user.email
    return await tx.fetch_value(SAVE_BY_OPERATOR, user.id, *names, custom_attributes, clock.now()) is not None


async def delete_user(tx: Tx, user_id: int) -> str | None:
    """Remove a person with all of their memberships; the key of their picture, if they had one."""
    return await tx.fetch_value(DELETE_USER, user_id)


async def list_rows(db: Db, account_id: int) -> list[MembershipRow]:
    """The memberships of an account, oldest first."""
    return await db.fetch_all(MembershipRow, LIST_ROWS, account_id)


async def put_membership(tx: Tx, account_id: int, user_id: int, role: Role | None) -> MembershipRow:
    """Make the person a member, or give the member this role; without one, a member keeps theirs."""
    return await tx.fetch_one(MembershipRow, PUT_MEMBERSHIP, account_id, user_id, role, clock.now())


async def lock_role(tx: Tx, account_id: int, user_id: int) -> Role | None:
    """The role of a member, kept from changing until the transaction ends; None for who is none."""
    return await tx.fetch_value(LOCK_ROLE, account_id, user_id)


async def list_account_ids(db: Db, user_id: int) -> Sequence[int]:
    """The accounts somebody belongs to."""
    return await db.fetch_values(LIST_ACCOUNT_IDS, user_id)
