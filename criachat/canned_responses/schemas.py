"""Canned responses on the wire."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from criachat.canned_responses.models import CannedResponse
from criachat.kit.texts import Long, Short
from criachat.kit.times import iso


class CannedResponseParams(msgspec.Struct, kw_only=True):
    """What an answer is; what is not sent stays as it is."""

    short_code: Short | UnsetType | None = UNSET
    content: Long | UnsetType | None = UNSET


class SearchParams(msgspec.Struct, kw_only=True):
    """What the answers shall contain."""

    search: str | None = None


class CannedResponseOut(msgspec.Struct, frozen=True, kw_only=True):
    """One answer."""

    id: int
    account_id: int
    short_code: str
    content: str
    created_at: str
    updated_at: str


def canned_response_out(canned_response: CannedResponse) -> CannedResponseOut:
    """The answer as everybody sees it."""
    return CannedResponseOut(
        id=canned_response.id,
        account_id=canned_response.account_id,
        short_code=canned_response.short_code,
        content=canned_response.content,
        created_at=iso(canned_response.created_at),
        updated_at=iso(canned_response.updated_at),
    )
