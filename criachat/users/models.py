"""People and their memberships as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from criachat.users.snapshots import Availability, UserSnapshot

Role = Literal["agent", "administrator"]
# What a custom role may give its agents. Clients know them by these names.
PERMISSIONS: Final = (
    "conversation_manage",
    "conversation_unassigned_manage",
    "conversation_participating_manage",
    "contact_manage",
    "report_manage",
    "knowledge_base_manage",
)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person, wherever they belong."""

    id: int
    name: str
    display_name: str | None
    email: str
    unconfirmed_email: str | None
    provider: str
    type: str | None
    confirmed_at: datetime | None
    message_signature: str | None
    pubsub_token: str
    ui_settings: dict[str, Any]
    custom_attributes: dict[str, Any]
    avatar_key: str | None
    created_at: datetime

    @property
    def available_name(self) -> str:
        """What customers see."""
        return self.display_name or self.name


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """A person as a member of one account."""

    id: int
    account_id: int
    name: str
    display_name: str | None
    email: str
    provider: str
    is_confirmed: bool
    custom_attributes: dict[str, Any]
    avatar_key: str | None
    role: Role
    custom_role_id: int | None
    availability: Availability
    auto_offline: bool

    @property
    def available_name(self) -> str:
        """What customers see."""
        return self.display_name or self.name

    def snapshot(self) -> UserSnapshot:
        """The person as events show them."""
        return UserSnapshot(
            id=self.id,
            name=self.name,
            available_name=self.available_name,
            email=self.email,
            avatar_key=self.avatar_key,
            availability=self.availability,
            auto_offline=self.auto_offline,
        )


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is in an account."""

    role: Role
    custom_role_id: int | None = None
    availability: Availability = "online"
    auto_offline: bool = True
    inviter_id: int | None = None


class MembershipRow(msgspec.Struct, frozen=True, kw_only=True):
    """A membership as it stands in the database."""

    id: int
    account_id: int
    user_id: int
    role: Role
    inviter_id: int | None
    created_at: datetime
    updated_at: datetime
    active_at: datetime | None
    availability: Availability
    auto_offline: bool
    custom_role_id: int | None


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """One account a person belongs to."""

    account_id: int
    name: str
    locale: str
    status: str
    role: Role
    active_at: datetime | None
    availability: Availability
    auto_offline: bool
    inviter_id: int | None
    custom_role_id: int | None
    custom_role_name: str | None
    custom_role_description: str | None
    custom_role_permissions: list[str] | None


class CustomRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role an account made: what its agents may do beside what every agent may."""

    id: int
    account_id: int
    name: str
    description: str | None
    permissions: list[str]
    created_at: datetime
    updated_at: datetime


class Bot(msgspec.Struct, frozen=True, kw_only=True):
    """A bot as a member of the team; what it does with events is another slice's."""

    id: int
    account_id: int
    name: str
    description: str | None
    avatar_key: str | None


def bot_secret_context(bot_id: int) -> str:
    """What the secret is sealed for with which a bot's webhooks are signed."""
    return f"agent_bot:{bot_id}:secret"
