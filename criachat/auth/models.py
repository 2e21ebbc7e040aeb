"""Access tokens as rows, and who they turn out to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Literal, NamedTuple

import msgspec

# A single address, or one with the mask of its network: the driver gives either, as it was written.
Allowed = IPv4Address | IPv6Address | IPv4Interface | IPv6Interface


OwnerType = Literal["user", "agent_bot", "platform_app"]


class Owner(NamedTuple):
    """Who calls with a token, and the one account it is good for, if it is bound to one."""

    type: OwnerType
    id: int
    account_id: int | None = None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of a token, as seen from one account. Where no account was asked for, the account's fields are None.

    `account_id` is the one account the token is good for, if it is bound to one. `is_connected` says of a bot of the
    installation that it answers in an inbox of the account that was asked for.
    """

    token_id: int
    name: str
    owner_type: str
    owner_id: int
    owner_name: str
    account_id: int | None
    is_connected: bool
    scopes: list[str]
    allowed_addresses: list[Allowed]
    allowed_origins: list[str]
    expires_at: datetime | None
    account_status: str | None
    account_locale: str | None
    role: str | None
    permissions: list[str] | None
    display_name: str | None
    email: str | None
    availability: str | None
    auto_offline: bool | None


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as its owner may see it again: never the token itself. One with an account is good there alone."""

    id: int
    name: str
    owner_type: OwnerType
    owner_id: int
    account_id: int | None
    prefix: str
    last_characters: str
    scopes: list[str]
    allowed_addresses: list[Allowed]
    allowed_origins: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is for: no scopes means everything its owner may do, no addresses and origins mean anywhere."""

    name: str = "Access token"
    scopes: Sequence[str] = ()
    allowed_addresses: Sequence[str] = ()
    allowed_origins: Sequence[str] = ()
    expires_at: datetime | None = None


class Made(NamedTuple):
    """A new token, and the text of it that is shown once."""

    token: AccessToken
    text: str
