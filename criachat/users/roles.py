"""What can be done with the roles an account makes for itself."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import take_turn, tell_of_change
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.users.errors import NameBlank, PermissionsUnknown, TooManyRoles
from criachat.users.models import PERMISSIONS, CustomRole
from criachat.users.operations import CHANGED_TOPIC
from criachat.users.queries import roles as queries
from criachat.users.schemas import CustomRoleParams

MOST_ROLES = 200
RECORD = "CustomRole"


async def create_custom_role(tx: Tx, params: CustomRoleParams, *, actor: Actor) -> CustomRole:
    """A new role, of nobody yet."""
    name = _name("" if params.name is UNSET else params.name)
    permissions = _permissions([] if params.permissions is UNSET else params.permissions)
    await take_turn(tx, actor.account_id)
    role = await queries.insert_custom_role(
        tx,
        actor.account_id,
        name=name,
        description=None if params.description is UNSET else params.description,
        permissions=permissions,
        at_most=MOST_ROLES,
    )
    if role is None:
        raise TooManyRoles
    await tell_of_change(tx, actor, RECORD, role.id, before=None, after=_told(role))
    return role


async def change_custom_role(tx: Tx, role: CustomRole, params: CustomRoleParams, *, actor: Actor) -> CustomRole:
    """Change what was sent; its agents may do so from now on."""
    changed = msgspec.structs.replace(
        role,
        name=role.name if params.name is UNSET else _name(params.name),
        description=role.description if params.description is UNSET else params.description,
        permissions=role.permissions if params.permissions is UNSET else _permissions(params.permissions),
    )
    if changed == role:
        return role
    await tell_of_change(tx, actor, RECORD, role.id, before=_told(role), after=_told(changed))
    tx.wake(CHANGED_TOPIC)
    return await queries.save_custom_role(tx, changed)


async def delete_custom_role(tx: Tx, role: CustomRole, *, actor: Actor) -> None:
    """Remove it; its agents may do what every agent may."""
    await queries.delete_custom_role(tx, role)
    tx.wake(CHANGED_TOPIC)
    await tell_of_change(tx, actor, RECORD, role.id, before=_told(role), after=None)


def _told(role: CustomRole) -> dict[str, object]:
    return {"name": role.name, "description": role.description, "permissions": role.permissions}


def _name(name: str) -> str:
    if not name.strip():
        raise NameBlank
    return name.strip()


def _permissions(permissions: Sequence[str]) -> list[str]:
    if not set(permissions) <= set(PERMISSIONS):
        raise PermissionsUnknown
    return list(dict.fromkeys(permissions))
