"""Access tokens on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.auth.models import AccessToken, Made
from criachat.kit.texts import Short
from criachat.kit.times import iso, iso_or_none

Few = Meta(max_length=50)


class TokenParams(msgspec.Struct, kw_only=True):
    """What a token is for.

    Without `scopes` it may do all that its owner may; without addresses it is good from anywhere; pages of other
    origins may use it only when they are named.
    """

    name: Short = "Access token"
    scopes: Annotated[list[Short], Few] = []
    allowed_addresses: Annotated[list[Short], Few] = []
    allowed_origins: Annotated[list[Short], Few] = []
    expires_at: datetime | None = None


class AccountTokenParams(TokenParams, kw_only=True):
    """A token that is good for one account: of a service in the caller's name, or of the bot that is named."""

    agent_bot_id: int | None = None


class LeakedParams(msgspec.Struct, kw_only=True):
    """The access token that got into the wrong hands."""

    token: Short


class RotationParams(msgspec.Struct, kw_only=True):
    """How long the previous token is good beside the new one."""

    overlap_hours: int = 24


class TokenOut(msgspec.Struct, frozen=True, kw_only=True):
    """An access token as its owner may see it again; `token` itself is there once, when it is made.

    One with an `account_id` is good for that account alone.
    """

    id: int
    name: str
    token: str | UnsetType = UNSET
    owner_type: str
    owner_id: int
    account_id: int | None
    prefix: str
    last_characters: str
    scopes: list[str]
    allowed_addresses: list[str]
    allowed_origins: list[str]
    expires_at: str | None
    last_used_at: str | None
    created_at: str
    is_current: bool


class TokensOut(msgspec.Struct, frozen=True, kw_only=True):
    """Living access tokens, newest first."""

    payload: list[TokenOut]


def token_out(token: AccessToken, *, current_id: int | None, text: str | UnsetType = UNSET) -> TokenOut:
    """The token as its owner sees it."""
    return TokenOut(
        id=token.id,
        name=token.name,
        token=text,
        owner_type=token.owner_type,
        owner_id=token.owner_id,
        account_id=token.account_id,
        prefix=token.prefix,
        last_characters=token.last_characters,
        scopes=token.scopes,
        allowed_addresses=[str(address) for address in token.allowed_addresses],
        allowed_origins=token.allowed_origins,
        expires_at=iso_or_none(token.expires_at),
        last_used_at=iso_or_none(token.last_used_at),
        created_at=iso(token.created_at),
        is_current=token.id == current_id,
    )


def made_out(made: Made) -> TokenOut:
    """A token that was just made, with its text."""
    return token_out(made.token, current_id=None, text=made.text)
