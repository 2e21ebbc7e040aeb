"""Access tokens, sessions and second factors as rows, and who they turn out to be."""

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
    session_id: int | None
    client: str | None
    token_number: int | None
    session_expires_at: datetime | None
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
    screen_locale: str | None
    role: str | None
    permissions: list[str] | None
    display_name: str | None
    email: str | None
    availability: str | None
    auto_offline: bool | None
    avatar_key: str | None


class Credentials(NamedTuple):
    """What whoever signed in sends with each request, or is given to send."""

    access_token: str
    client: str
    uid: str


class Entrant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wants to sign in, and what they have to show for it."""

    id: int
    email: str
    password_hash: str | None
    provider: str
    is_confirmed: bool
    has_second_factor: bool


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser or phone in which somebody signed in: what it carries, and the session's own access token."""

    id: int
    user_id: int
    credentials: Credentials
    expires_at: datetime
    api_token: str


class NextToken(msgspec.Struct, frozen=True, kw_only=True):
    """Which access token of a session is its next."""

    token_number: int
    expires_at: datetime


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is written to, and in which language."""

    id: int
    name: str
    email: str
    unconfirmed_email: str | None
    is_confirmed: bool
    locale: str


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has yet to say that it is them; with a password if they signed up themself."""

    user_id: int
    has_password: bool


class OneTime(msgspec.Struct, frozen=True, kw_only=True):
    """A token for one use: whose it is, and whether it was used."""

    user_id: int
    email: str | None
    used_at: datetime | None


class SecondFactor(msgspec.Struct, frozen=True, kw_only=True):
    """The app that shows somebody codes, its secret sealed. It counts once it is enabled."""

    user_id: int
    secret: bytes
    last_step: int
    enabled_at: datetime | None
    backup_codes: int


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
