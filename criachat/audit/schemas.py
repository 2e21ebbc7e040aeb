"""The audit log on the wire."""

from __future__ import annotations

from typing import Any

import msgspec

from criachat.audit.models import Entry
from criachat.kit.times import unix


class ListParams(msgspec.Struct, kw_only=True):
    """Which page."""

    page: Any = None


class EntryOut(msgspec.Struct, frozen=True, kw_only=True):
    """One change. What it was changed in is not kept beside it, nor where the request came from."""

    id: int
    auditable_id: int
    auditable_type: str
    auditable: dict[str, Any] | None = None
    associated_id: int
    associated_type: str = "Account"
    user_id: int | None
    user_type: str | None
    username: str | None
    action: str
    audited_changes: dict[str, Any]
    version: int
    comment: str | None
    request_uuid: str | None = None
    created_at: int
    remote_address: str | None = None


class EntriesOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of changes, the latest first."""

    per_page: int
    total_entries: int
    current_page: int
    audit_logs: list[EntryOut]


def entry_out(entry: Entry) -> EntryOut:
    """The change as administrators see it."""
    return EntryOut(
        id=entry.id,
        auditable_id=entry.auditable_id,
        auditable_type=entry.auditable_type,
        associated_id=entry.account_id,
        user_id=entry.user_id,
        user_type=entry.user_type,
        username=entry.username,
        action=entry.action,
        audited_changes=entry.audited_changes,
        version=entry.version,
        comment=entry.cause,
        created_at=unix(entry.created_at),
    )
