"""People on the wire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.kit.texts import Long, Short
from criachat.kit.times import iso, iso_or_none
from criachat.users.models import Colleague, CustomRole, Membership, User
from criachat.users.presence import Presence, availability
from criachat.users.shown import Shown


class ProfileParams(msgspec.Struct, kw_only=True):
    """What a person may change about themself; what is not sent stays as it is. `avatar` is a file."""

    avatar: Any = None
    name: Short | UnsetType = UNSET
    display_name: Short | UnsetType | None = UNSET
    email: Short | UnsetType = UNSET
    message_signature: Long | UnsetType | None = UNSET
    ui_settings: dict[str, Any] | UnsetType = UNSET
    phone_number: Short | UnsetType | None = UNSET
    current_password: str | None = None
    password: str | None = None
    password_confirmation: str | None = None


class AgentParams(msgspec.Struct, kw_only=True):
    """A member of the team; on a change, what is not sent stays as it is and the address is passed over."""

    email: Short | UnsetType = UNSET
    name: Short | UnsetType = UNSET
    role: str | int | UnsetType = UNSET
    availability: str | int | UnsetType = UNSET
    auto_offline: bool | UnsetType = UNSET
    custom_role_id: int | UnsetType | None = UNSET


class CustomRoleParams(msgspec.Struct, kw_only=True):
    """A role of the account; on a change, what is not sent stays as it is."""

    name: Short | UnsetType = UNSET
    description: Long | UnsetType | None = UNSET
    permissions: Annotated[list[Short], Meta(max_length=50)] | UnsetType = UNSET


class AgentsParams(msgspec.Struct, kw_only=True):
    """Addresses of people; what cannot be one, and who is a member already, is passed over."""

    emails: Annotated[list[str], Meta(max_length=100)]


class AvailabilityParams(msgspec.Struct, kw_only=True):
    """What to be in which account."""

    account_id: int
    availability: str | int


class AutoOfflineParams(msgspec.Struct, kw_only=True):
    """Whether to count as offline without a sign of life."""

    account_id: int
    auto_offline: bool = False


class ActiveAccountParams(msgspec.Struct, kw_only=True):
    """The account to work in."""

    account_id: int


class AgentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the account; role and availability are null for people who left."""

    id: int
    account_id: int
    availability_status: str | None
    auto_offline: bool | None
    confirmed: bool
    email: str
    provider: str
    available_name: str
    custom_attributes: dict[str, Any] | UnsetType = UNSET
    name: str
    role: str | None
    thumbnail: str = ""
    custom_role_id: int | UnsetType | None = UNSET


class CustomRoleOut(msgspec.Struct, frozen=True, kw_only=True):
    """A role the account made."""

    id: int
    name: str
    description: str | None
    permissions: list[str]
    created_at: str
    updated_at: str


class RoleOfMemberOut(msgspec.Struct, frozen=True, kw_only=True):
    """The role of somebody who has one that the account made."""

    id: int
    name: str
    description: str | None
    permissions: list[str]


class MembershipOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account a person belongs to."""

    id: int
    name: str
    status: str
    active_at: str | None
    role: str
    permissions: list[str]
    availability: str
    availability_status: str
    auto_offline: bool
    custom_role_id: int | None
    custom_role: RoleOfMemberOut | None


class ProfileOut(msgspec.Struct, frozen=True, kw_only=True):
    """The caller. `access_token` is the token this very request was made with.

    `pubsub_token` opens sockets, which know no scopes: for a token that may not do everything it is null.
    """

    access_token: str | None
    account_id: int | None
    accounts: list[MembershipOut]
    available_name: str
    avatar_url: str
    confirmed: bool
    custom_attributes: dict[str, Any] | UnsetType
    display_name: str | None
    email: str
    id: int
    inviter_id: int | None
    message_signature: str | None
    name: str
    provider: str
    pubsub_token: str | None
    role: str | None
    type: str | None
    ui_settings: dict[str, Any]
    uid: str


def agent_out(colleague: Colleague, shown: Shown) -> AgentOut:
    """A member of the account, with whether they are there."""
    return AgentOut(
        id=colleague.id,
        account_id=colleague.account_id,
        availability_status=availability(
            colleague.availability,
            auto_offline=colleague.auto_offline,
            is_present=shown.presence.is_user_present(colleague.account_id, colleague.id),
        ),
        auto_offline=colleague.auto_offline,
        confirmed=colleague.is_confirmed,
        email=colleague.email,
        provider=colleague.provider,
        available_name=colleague.available_name,
        custom_attributes=colleague.custom_attributes or UNSET,
        name=colleague.name,
        role=colleague.role,
        thumbnail=shown.files.avatar_url(colleague.avatar_key),
        custom_role_id=colleague.custom_role_id,
    )


def custom_role_out(role: CustomRole) -> CustomRoleOut:
    """The role as administrators see it."""
    return CustomRoleOut(
        id=role.id,
        name=role.name,
        description=role.description,
        permissions=role.permissions,
        created_at=iso(role.created_at),
        updated_at=iso(role.updated_at),
    )


def profile_out(
    user: User, memberships: list[Membership], shown: Shown, *, access_token: str | None, may_listen: bool = True
) -> ProfileOut:
    """The caller with their accounts, the one last used first; what opens sockets only if they `may_listen`."""
    active = memberships[0] if memberships else None
    return ProfileOut(
        access_token=access_token,
        account_id=active.account_id if active else None,
        accounts=[_membership_out(user, membership, shown.presence) for membership in memberships],
        available_name=user.available_name,
        avatar_url=shown.files.avatar_url(user.avatar_key),
        confirmed=user.confirmed_at is not None,
        custom_attributes=user.custom_attributes or UNSET,
        display_name=user.display_name,
        email=user.email,
        id=user.id,
        inviter_id=active.inviter_id if active else None,
        message_signature=user.message_signature,
        name=user.name,
        provider=user.provider,
        pubsub_token=user.pubsub_token if may_listen else None,
        role=active.role if active else None,
        type=user.type,
        ui_settings=user.ui_settings,
        uid=user.email,
    )


def _custom_role_out(membership: Membership) -> RoleOfMemberOut | None:
    if membership.custom_role_id is None:
        return None
    return RoleOfMemberOut(
        id=membership.custom_role_id,
        name=membership.custom_role_name or "",
        description=membership.custom_role_description,
        permissions=membership.custom_role_permissions or [],
    )


def _membership_out(user: User, membership: Membership, presence: Presence) -> MembershipOut:
    custom_role = _custom_role_out(membership)
    return MembershipOut(
        id=membership.account_id,
        name=membership.name,
        status=membership.status,
        active_at=iso_or_none(membership.active_at),
        role=membership.role,
        permissions=[membership.role] if custom_role is None else [*custom_role.permissions, "custom_role"],
        availability=membership.availability,
        availability_status=availability(
            membership.availability,
            auto_offline=membership.auto_offline,
            is_present=presence.is_user_present(membership.account_id, user.id),
        ),
        auto_offline=membership.auto_offline,
        custom_role_id=membership.custom_role_id,
        custom_role=custom_role,
    )
