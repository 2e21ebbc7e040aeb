"""Entries of the audit log, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

PAGE = 15


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change, as an event tells of it."""

    event_id: int
    auditable_type: str
    auditable_id: int
    action: str
    user_type: str | None
    user_id: int | None
    audited_changes: dict[str, Any]
    cause: str | None
    created_at: datetime


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change that was written down."""

    id: int
    account_id: int
    auditable_type: str
    auditable_id: int
    action: str
    user_type: str | None
    user_id: int | None
    username: str | None
    audited_changes: dict[str, Any]
    version: int
    cause: str | None
    created_at: datetime
