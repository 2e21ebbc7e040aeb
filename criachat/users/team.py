"""What can be done with the members of an account."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import finish_onboarding, hold_limit
from criachat.kit.actors import Actor
from criachat.kit.choices import chosen
from criachat.kit.db import Tx, changed
from criachat.kit.errors import NotFound
from criachat.kit.events import by, emit
from criachat.kit.upkeep import remove_file_later
from criachat.users import access, queries
from criachat.users.addresses import is_address, kept_address
from criachat.users.errors import (
    AlreadyMember,
    AvailabilityUnknown,
    CustomRoleUnknown,
    LastAdministrator,
    NameBlank,
    NameTheirs,
    NotYourself,
    RoleUnknown,
    TooManyAgents,
)
from criachat.users.events import AgentAdded, AgentRemoved, AgentUpdated
from criachat.users.models import Colleague, Place, Role
from criachat.users.operations import CHANGED_TOPIC
from criachat.users.queries.roles import find_custom_role
from criachat.users.schemas import AgentParams
from criachat.users.snapshots import Availability

# By their numbers, which some clients send.
AVAILABILITIES: tuple[Availability, ...] = ("online", "offline", "busy")
ROLES: tuple[Role, ...] = ("agent", "administrator")


async def invite(tx: Tx, params: AgentParams, *, actor: Actor) -> int:
    """Make somebody a member, whether they are known already or not; their id."""
    email = kept_address("" if params.email is UNSET else params.email)
    place = await _place(tx, Place(role="agent", inviter_id=actor.user_id), params, actor=actor)
    names = [_name(params) or email.partition("@")[0]]
    joined = await _join(tx, names, [email], place, actor=actor)
    if not joined:
        raise AlreadyMember
    return joined[0]


def addresses_of(emails: Sequence[str]) -> list[str]:
    """The addresses there are among these, each once."""
    return list(dict.fromkeys(email.strip().lower() for email in emails if is_address(email)))


async def invite_all(tx: Tx, emails: Sequence[str], *, actor: Actor) -> None:
    """Make all of these agents; what is no address and who is a member already is passed over."""
    kept = addresses_of(emails)
    names = [email.partition("@")[0] for email in kept]
    await finish_onboarding(tx, actor.account_id)
    await _join(tx, names, kept, Place(role="agent", inviter_id=actor.user_id), actor=actor)


async def change_member(tx: Tx, user_id: int, params: AgentParams, *, actor: Actor) -> None:
    """Change what was sent. The last administrator stays one, and whoever is in other accounts too keeps their name.

    A role of the account's own is for agents: it goes when somebody becomes an administrator, or with null.
    """
    # Always before the member: of two who change each other's role, one waits for the other.
    administrators = [] if params.role is UNSET else await queries.lock_administrators(tx, actor.account_id)
    member = await access.load_colleague_to_change(tx, actor, user_id)
    before = _place_of(member)
    after = await _place(tx, before, params, actor=actor)
    if administrators == [member.id] and after.role != "administrator":
        raise LastAdministrator
    name = _name(params) or member.name
    if after != before:
        await queries.save_membership(tx, member.account_id, member.id, after)
        tx.wake(CHANGED_TOPIC, f"user:{member.id}")
    if name != member.name and await queries.belongs_elsewhere(tx, member.account_id, member.id):
        raise NameTheirs
    if name != member.name:
        await queries.rename_user(tx, member.id, name)
        tx.wake(CHANGED_TOPIC, f"user:{member.id}")
    changes = changed(_shown(before, member.name), _shown(after, name))
    if changes:
        await emit(tx, AgentUpdated(account_id=member.account_id, user_id=member.id, changes=changes, **by(actor)))


async def change_own_place(
    tx: Tx,
    account_id: int,
    *,
    actor: Actor,
    availability: Availability | None = None,
    auto_offline: bool | None = None,
) -> None:
    """What the caller chooses to be in one of their accounts."""
    member = await queries.lock_colleague(tx, account_id, actor.user_id or 0)
    if member is None:
        raise NotFound
    before = _place_of(member)
    after = msgspec.structs.replace(
        before,
        availability=availability or before.availability,
        auto_offline=before.auto_offline if auto_offline is None else auto_offline,
    )
    if after == before:
        return
    await queries.save_membership(tx, account_id, member.id, after)
    tx.wake(CHANGED_TOPIC, f"user:{member.id}")
    changes = changed(_shown(before, member.name), _shown(after, member.name))
    await emit(tx, AgentUpdated(account_id=account_id, user_id=member.id, changes=changes, **by(actor)))


async def remove_member(tx: Tx, user_id: int, *, actor: Actor) -> None:
    """End their membership: they leave teams and inboxes, and their conversations are nobody's.

    Whoever belongs to no account afterwards is forgotten.
    """
    administrators = await queries.lock_administrators(tx, actor.account_id)
    member = await access.load_colleague_to_change(tx, actor, user_id)
    if member.id == actor.user_id:
        raise NotYourself
    if administrators == [member.id]:
        raise LastAdministrator
    await queries.delete_membership(tx, member.account_id, member.id)
    tx.wake(CHANGED_TOPIC, f"user:{member.id}")
    await emit(tx, AgentRemoved(account_id=member.account_id, user_id=member.id, **by(actor)))
    avatar_key = await queries.delete_stray_user(tx, member.id)
    if avatar_key is not None:
        await remove_file_later(tx, avatar_key)


async def _join(tx: Tx, names: Sequence[str], emails: Sequence[str], place: Place, *, actor: Actor) -> list[int]:
    """Make people members; whoever signed up with an address that is not theirs is not let in by that."""
    at_most = await hold_limit(tx, actor.account_id, "agents")
    await queries.insert_users(tx, names, emails)
    joined = await queries.insert_memberships(tx, actor.account_id, emails, place)
    if joined and at_most is not None and await queries.count_members(tx, actor.account_id) > at_most:
        raise TooManyAgents
    await queries.forget_unproved(tx, joined)
    for user_id in joined:
        tx.wake(CHANGED_TOPIC, f"user:{user_id}")
    await emit(tx, *[AgentAdded(account_id=actor.account_id, user_id=user_id, **by(actor)) for user_id in joined])
    return joined


def _place_of(member: Colleague) -> Place:
    return Place(
        role=member.role,
        custom_role_id=member.custom_role_id,
        availability=member.availability,
        auto_offline=member.auto_offline,
    )


def _shown(place: Place, name: str) -> dict[str, object]:
    return {
        "name": name,
        "role": place.role,
        "custom_role_id": place.custom_role_id,
        "availability": place.availability,
        "auto_offline": place.auto_offline,
    }


async def _place(tx: Tx, before: Place, params: AgentParams, *, actor: Actor) -> Place:
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
    return await _with_custom_role(tx, after, params, actor=actor)


async def _with_custom_role(tx: Tx, place: Place, params: AgentParams, *, actor: Actor) -> Place:
    role_id = place.custom_role_id if params.custom_role_id is UNSET else params.custom_role_id
    if params.custom_role_id and await find_custom_role(tx, actor.account_id, params.custom_role_id) is None:
        raise CustomRoleUnknown
    is_kept = place.role != "administrator"
    return msgspec.structs.replace(place, custom_role_id=role_id or None if is_kept else None)


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
