"""Canned responses as rows."""

from __future__ import annotations

from datetime import datetime

import msgspec


class CannedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. Variables in it are filled in when a message is made of it."""

    id: int
    account_id: int
    short_code: str
    content: str
    created_at: datetime
    updated_at: datetime
