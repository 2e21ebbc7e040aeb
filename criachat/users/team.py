"""What can be done with the members of an account."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from criachat.kit.actors import Actor
from criachat.kit.choices import chosen
from criachat.kit.db import Tx
from criachat.kit.events import by, emit
from criachat.kit.upkeep import remove_file_later
from criachat.users import queries
from criachat.users.addresses import is_address, kept_address
from criachat.users.errors import (
    AlreadyMember,
    AvailabilityUnknown,
    LastAdministrator,
    NameBlank,
    NotYourself,
    RoleUnknown,
)
from criachat.users.events import AgentAdded, AgentRemoved
from criachat.users.models import Colleague, Place, Role
from criachat.users.schemas import AgentParams
from criachat.users.snapshots import Availability

# By their numbers, which some clients send.
AVAILABILITIES: tuple[Availability, ...] = ("online", "offline", "busy")
ROLES: tuple[Role, ...] = ("agent", "administrator")


async def invite(tx: Tx, params: AgentParams, *, actor: Actor) -> int:
    """Make somebody a member, whether they are known already or not; their id."""
    email = kept_address("" if params.email is UNSET else params.email)
    place = _place(Place(role="agent", inviter_id=actor.user_id), params)
    names = [_name(params) or email.partition("@")[0]]
    joined = await _join(tx, names, [email], place, actor=actor)
    if not joined:
        raise AlreadyMember
    return joined[0]


async def invite_all(tx: Tx, emails: Sequence[str], *, actor: Actor) -> None:
    """Make all of these agents; what is no address and who is a member already is passed over."""
    kept = list(dict.fromkeys(email.strip().lower() for email in emails if is_address(email)))
    names = [email.partition("@")[0] for email in kept]
    await _join(tx, names, kept, Place(role="agent", inviter_id=actor.user_id), actor=actor)


async def change_member(tx: Tx, member: Colleague, params: AgentParams) -> None:
    """Change what was sent. The last administrator stays one."""
    before = Place(role=member.role, availability=member.availability, auto_offline=member.auto_offline)
    after = _place(before, params)
    if member.role == "administrator" != after.role:
        await _check_not_last(tx, member)
    if after != before:
        await queries.save_membership(tx, member.account_id, member.id, after)
    name = _name(params)
    if name is not None:
        await queries.rename_user(tx, member.id, name)


async def remove_member(tx: Tx, member: Colleague, *, actor: Actor) -> None:
    """End their membership: they leave teams and inboxes, and their conversations are nobody's.

    Whoever belongs to no account afterwards is forgotten.
    """
    if member.id == actor.user_id:
        raise NotYourself
    if member.role == "administrator":
        await _check_not_last(tx, member)
    if not await queries.delete_membership(tx, member.account_id, member.id):
        return
    await emit(tx, AgentRemoved(account_id=member.account_id, user_id=member.id, **by(actor)))
    avatar_key = await queries.delete_stray_user(tx, member.id)
    if avatar_key is not None:
        await remove_file_later(tx, avatar_key)


async def _join(tx: Tx, names: Sequence[str], emails: Sequence[str], place: Place, *, actor: Actor) -> list[int]:
    await queries.insert_users(tx, names, emails)
    joined = await queries.insert_memberships(tx, actor.account_id, emails, place)
    await emit(tx, *[AgentAdded(account_id=actor.account_id, user_id=user_id, **by(actor)) for user_id in joined])
    return joined


async def _check_not_last(tx: Tx, member: Colleague) -> None:
    if await queries.lock_administrators(tx, member.account_id) == [member.id]:
        raise LastAdministrator


def _place(before: Place, params: AgentParams) -> Place:
    after = before
    if params.role is not UNSET:
        role = chosen(params.role, ROLES)
        if role is None:
            raise RoleUnknown
        after = msgspec.structs.replace(after, role=role)
    if params.availability is not UNSET:
        after = msgspec.structs.replace(after, availability=availability_of(params.availability))
    if params.auto_offline is not UNSET:
        after = msgspec.structs.replace(after, auto_offline=params.auto_offline)
    return after


def availability_of(said: str | int) -> Availability:
    """What was chosen, by its name or its number."""
    availability = chosen(said, AVAILABILITIES)
    if availability is None:
        raise AvailabilityUnknown
    return availability


def _name(params: AgentParams) -> str | None:
    if params.name is UNSET:
        return None
    if not params.name.strip():
        raise NameBlank
    return params.name.strip()
