"""The SQL of custom roles."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.users.models import CustomRole

LIST_CUSTOM_ROLES = """
SELECT id, account_id, name, description, permissions, created_at, updated_at
FROM custom_roles
WHERE account_id = $1
ORDER BY id
LIMIT 1000
"""
FIND_CUSTOM_ROLE = """
SELECT id, account_id, name, description, permissions, created_at, updated_at
FROM custom_roles
WHERE account_id = $1 AND id = $2
"""
LOCK_CUSTOM_ROLE = FIND_CUSTOM_ROLE + "FOR NO KEY UPDATE\n"
INSERT_CUSTOM_ROLE = """
INSERT INTO custom_roles (account_id, name, description, permissions, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $5
WHERE (SELECT count(*) FROM custom_roles WHERE account_id = $1) < $6
RETURNING id, account_id, name, description, permissions, created_at, updated_at
"""
SAVE_CUSTOM_ROLE = """
UPDATE custom_roles
SET name = $3, description = $4, permissions = $5, version = version + 1,
    updated_at = greatest($6, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING id, account_id, name, description, permissions, created_at, updated_at
"""
DELETE_CUSTOM_ROLE = "DELETE FROM custom_roles WHERE account_id = $1 AND id = $2"


async def list_custom_roles(db: Db, account_id: int) -> list[CustomRole]:
    """The roles the account made, the oldest first."""
    return await db.fetch_all(CustomRole, LIST_CUSTOM_ROLES, account_id)


async def find_custom_role(db: Db, account_id: int, role_id: int) -> CustomRole | None:
    """The account's role, or None."""
    return await db.fetch_one_or_none(CustomRole, FIND_CUSTOM_ROLE, account_id, role_id)


async def lock_custom_role(tx: Tx, account_id: int, role_id: int) -> CustomRole | None:
    """The role, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(CustomRole, LOCK_CUSTOM_ROLE, account_id, role_id)


async def insert_custom_role(
    tx: Tx, account_id: int, *, name: str, description: str | None, permissions: Sequence[str], at_most: int
) -> CustomRole | None:
    """A new role; None when the account has so many already."""
    values = (name, description, permissions, clock.now(), at_most)
    return await tx.fetch_one_or_none(CustomRole, INSERT_CUSTOM_ROLE, account_id, *values)


async def save_custom_role(tx: Tx, role: CustomRole) -> CustomRole:
    """Write what a role became."""
    values = (role.name, role.description, role.permissions, clock.now())
    return await tx.fetch_one(CustomRole, SAVE_CUSTOM_ROLE, role.account_id, role.id, *values)


async def delete_custom_role(tx: Tx, role: CustomRole) -> None:
    """Remove a role; its agents are agents without one."""
    await tx.execute(DELETE_CUSTOM_ROLE, role.account_id, role.id)
