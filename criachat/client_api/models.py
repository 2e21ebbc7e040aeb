"""Who calls the client API, as a row."""

from __future__ import annotations

import msgspec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox found by its identifier, and the session in it with the source id that was named, if there is one."""

    account_id: int
    account_status: str
    account_locale: str
    inbox_id: int
    hmac_mandatory: bool
    contact_id: int | None
    contact_inbox_id: int | None
    is_verified: bool
