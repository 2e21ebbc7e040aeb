"""Imports and exports of contacts as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

# What an export may have columns of, as the rows of contacts have them.
EXPORTABLE: Final = (
    "id",
    "name",
    "email",
    "phone_number",
    "identifier",
    "account_id",
    "created_at",
    "updated_at",
    "last_activity_at",
    "additional_attributes",
    "custom_attributes",
    "contact_type",
    "middle_name",
    "last_name",
    "location",
    "country_code",
    "blocked",
    "company_id",
)
USUAL_COLUMNS: Final = ("id", "name", "email", "phone_number")


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A file of contacts, and how far it has been taken in."""

    account_id: int
    id: int
    user_id: int | None
    status: Literal["waiting", "running", "completed", "failed"]
    file_key: str | None
    columns: list[str] | None
    delimiter: str
    total_rows: int | None
    read_bytes: int
    processed_rows: int
    created_rows: int
    updated_rows: int
    rejected_rows: int
    rejects_key: str | None
    withdrawn_at: datetime | None
    error: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done with it."""
        return self.status in ("completed", "failed")


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a file that could not be taken in, and why."""

    row_number: int
    cells: list[str]
    error: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What came of some rows of a file."""

    processed: int
    created: int
    updated: int
    rejected: int


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A file of contacts that somebody asked for."""

    account_id: int
    id: int
    user_id: int | None
    status: Literal["waiting", "running", "completed", "failed", "withdrawn"]
    columns: list[str]
    conditions: list[dict[str, Any]]
    label: str | None
    file_key: str
    exported_rows: int | None
    created_at: datetime
    updated_at: datetime


class Reader(msgspec.Struct, frozen=True):
    """Somebody who is written to about a file, and the language of their account."""

    email: str
    locale: str
