"""Access tokens as rows, and who they turn out to be."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Interface, IPv6Interface

import msgspec


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of a token, as seen from one account. Where no account was asked for, the account's fields are None."""

    token_id: int
    name: str
    owner_type: str
    owner_id: int
    owner_name: str
    account_id: int | None
    scopes: list[str]
    allowed_addresses: list[IPv4Interface | IPv6Interface]
    allowed_origins: list[str]
    expires_at: datetime | None
    account_status: str | None
    account_locale: str | None
    role: str | None
    display_name: str | None
    email: str | None
    availability: str | None
    auto_offline: bool | None


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as its owner may see it again: never the token itself."""

    id: int
    name: str
    prefix: str
    last_characters: str
    scopes: list[str]
    expires_at: datetime | None
    created_at: datetime
