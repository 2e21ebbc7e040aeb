"""What operators' apps send and read."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.accounts.models import OperatedAccount
from criachat.agent_bots.models import AgentBot, token_context
from criachat.agent_bots.schemas import BotParams, ShownBots
from criachat.kit.files import Files
from criachat.kit.texts import Short
from criachat.kit.times import iso, iso_or_none
from criachat.users.models import Membership, MembershipRow, User


class UserParams(msgspec.Struct, kw_only=True):
    """A person; on a change, what is not sent stays as it is, and custom attributes are merged one by one."""

    name: Short | UnsetType = UNSET
    email: Short | UnsetType = UNSET
    password: str | UnsetType | None = UNSET
    display_name: Short | UnsetType | None = UNSET
    custom_attributes: dict[str, Any] | UnsetType = UNSET

    def sent(self) -> dict[str, Any]:
        """What is to be written as it was sent."""
        fields: dict[str, Any] = {"name": self.name, "email": self.email, "display_name": self.display_name}
        fields["custom_attributes"] = self.custom_attributes
        return {name: value for name, value in fields.items() if value is not UNSET}


class PageParams(msgspec.Struct, kw_only=True):
    """Which thousand to list."""

    page: Any = None


class MemberParams(msgspec.Struct, kw_only=True):
    """Who is to belong to an account, in which role."""

    user_id: int
    role: str | int | UnsetType | None = UNSET


class LeaverParams(msgspec.Struct, kw_only=True):
    """Who is to belong to an account no more."""

    user_id: int


class PlatformBotParams(BotParams, kw_only=True):
    """A bot; without `account_id` it is one of the installation, which every account may connect."""

    account_id: int | None = None


class PlaceOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account a person belongs to."""

    id: int
    name: str
    active_at: str | None
    role: str


class PlatformUserOut(msgspec.Struct, frozen=True, kw_only=True):
    """A person. Of whom the app may not act for, `access_token` and `pubsub_token` are absent."""

    access_token: str | UnsetType
    account_id: int | None
    accounts: list[PlaceOut]
    available_name: str
    avatar_url: str
    confirmed: bool
    custom_attributes: dict[str, Any] | UnsetType
    display_name: str | None
    email: str
    id: int
    message_signature: str | None
    name: str
    provider: str
    pubsub_token: str | UnsetType
    role: str | None
    ui_settings: dict[str, Any]
    uid: str


class TokenHolderOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token it is."""

    id: int
    name: str
    display_name: str | None
    email: str
    pubsub_token: str


class UserTokenOut(msgspec.Struct, frozen=True, kw_only=True):
    """The token the app has for a person; it does not expire."""

    access_token: str
    expiry: str | None
    user: TokenHolderOut


class LoginOut(msgspec.Struct, frozen=True):
    """Where a person signs in without a password: once, within five minutes."""

    url: str


class PlatformAccountOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account; `features` names only those that are on."""

    id: int
    name: str
    locale: str
    domain: str | None
    support_email: str | None
    features: dict[str, bool]
    custom_attributes: dict[str, Any]
    limits: dict[str, Any]
    status: str


class AccountUserOut(msgspec.Struct, frozen=True, kw_only=True):
    """A membership."""

    id: int
    account_id: int
    user_id: int
    role: str
    inviter_id: int | None
    created_at: str
    updated_at: str
    active_at: str | None
    availability: str
    auto_offline: bool
    custom_role_id: int | None
    agent_capacity_policy_id: int | None = None


class PlatformBotOut(msgspec.Struct, frozen=True, kw_only=True):
    """A bot, with its token."""

    id: int
    name: str | None
    description: str | None
    outgoing_url: str | None
    account_id: int | None
    access_token: str | None


def user_out(user: User, memberships: list[Membership], files: Files, *, access_token: str | None) -> PlatformUserOut:
    """The person, the account last used first; without a token as one the app may not act for."""
    active = memberships[0] if memberships else None
    return PlatformUserOut(
        access_token=UNSET if access_token is None else access_token,
        account_id=active.account_id if active else None,
        accounts=[
            PlaceOut(id=each.account_id, name=each.name, active_at=iso_or_none(each.active_at), role=each.role)
            for each in memberships
        ],
        available_name=user.available_name,
        avatar_url=files.avatar_url(user.avatar_key),
        confirmed=user.confirmed_at is not None,
        custom_attributes=user.custom_attributes or UNSET,
        display_name=user.display_name,
        email=user.email,
        id=user.id,
        message_signature=user.message_signature,
        name=user.name,
        provider=user.provider,
        pubsub_token=UNSET if access_token is None else user.pubsub_token,
        role=active.role if active else None,
        ui_settings=user.ui_settings,
        uid=user.email,
    )


def token_out(user: User, access_token: str) -> UserTokenOut:
    """The token the app has for the person."""
    holder = TokenHolderOut(
        id=user.id,
        name=user.name,
        display_name=user.display_name,
        email=user.email,
        pubsub_token=user.pubsub_token,
    )
    return UserTokenOut(access_token=access_token, expiry=None, user=holder)


def account_out(account: OperatedAccount) -> PlatformAccountOut:
    """The account as its operator sees it."""
    return PlatformAccountOut(
        id=account.id,
        name=account.name,
        locale=account.locale,
        domain=account.domain,
        support_email=account.support_email,
        features=dict.fromkeys(account.features, True),
        custom_attributes=account.custom_attributes,
        limits=account.limits,
        status=account.status,
    )


def account_user_out(row: MembershipRow) -> AccountUserOut:
    """The membership."""
    return AccountUserOut(
        id=row.id,
        account_id=row.account_id,
        user_id=row.user_id,
        role=row.role,
        inviter_id=row.inviter_id,
        created_at=iso(row.created_at),
        updated_at=iso(row.updated_at),
        active_at=iso_or_none(row.active_at),
        availability=row.availability,
        auto_offline=row.auto_offline,
        custom_role_id=row.custom_role_id,
    )


def bot_out(bot: AgentBot, shown: ShownBots) -> PlatformBotOut:
    """The bot as the app that made it sees it."""
    return PlatformBotOut(
        id=bot.id,
        name=bot.name or None,
        description=bot.description,
        outgoing_url=bot.outgoing_url,
        account_id=bot.account_id,
        access_token=shown.opened(bot.access_token, token_context(bot.id)),
    )
