"""What the client API knows of an inbox before it knows who calls."""

from __future__ import annotations

import msgspec


class KnownInbox(msgspec.Struct, frozen=True, kw_only=True):
    """An API inbox as its identifier leads to it."""

    account_id: int
    account_status: str
    account_locale: str
    inbox_id: int
    hmac_mandatory: bool
