"""Imports and exports of contacts on the wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from criachat.contacts.schemas import ConditionParams
from criachat.contacts.transfers import Export, Import
from criachat.kit.files import Blob, Files
from criachat.kit.texts import Short
from criachat.kit.times import iso

# Files hold what people told us in confidence: they are shown this long, then they go.
SHOWN_FOR: Final = timedelta(days=7)
PLACE: Final = "rails/active_storage/contacts"


class ImportParams(msgspec.Struct, kw_only=True):
    """A file of comma separated values with a header, in UTF-8."""

    import_file: Annotated[Any, Meta(description="A file of a multipart request, or the whole body as `text/csv`.")] = (
        None
    )


class ExportParams(msgspec.Struct, kw_only=True):
    """Which columns of whom: all known contacts, or those for whom the conditions hold, or with a label."""

    column_names: Annotated[
        Annotated[list[Short], Meta(max_length=100)] | None,
        Meta(
            description="`id`, `name`, `email` and `phone_number` when it is left out; unknown names are passed over."
        ),
    ] = None
    payload: Annotated[
        list[ConditionParams] | None, Meta(description="Conditions as `/contacts/filter` takes them.")
    ] = None
    label: Short | None = None


class ImportOut(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file has been taken in; `rejects_url` leads to the rows that could not be, for seven days."""

    id: int
    status: str
    total_rows: int | None
    processed_rows: int
    created_rows: int
    updated_rows: int
    rejected_rows: int
    rejects_url: str | None
    error: str | None
    created_at: str
    updated_at: str


class ImportsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The newest imports."""

    payload: list[ImportOut]


class ExportOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was asked for; `download_url` leads to it, once it is written, for seven days."""

    id: int
    status: str
    column_names: list[str]
    exported_rows: int | None
    download_url: str | None
    created_at: str
    updated_at: str


class ExportsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The newest exports."""

    payload: list[ExportOut]


def import_out(wanted: Import, files: Files) -> ImportOut:
    """The import as administrators see it."""
    return ImportOut(
        id=wanted.id,
        status=wanted.status,
        total_rows=wanted.total_rows,
        processed_rows=wanted.processed_rows,
        created_rows=wanted.created_rows,
        updated_rows=wanted.updated_rows,
        rejected_rows=wanted.rejected_rows,
        rejects_url=rejects_url(wanted, files),
        error=wanted.error,
        created_at=iso(wanted.created_at),
        updated_at=iso(wanted.updated_at),
    )


def export_out(wanted: Export, files: Files) -> ExportOut:
    """The export as administrators see it."""
    return ExportOut(
        id=wanted.id,
        status=wanted.status,
        column_names=wanted.columns,
        exported_rows=wanted.exported_rows,
        download_url=export_url(wanted, files),
        created_at=iso(wanted.created_at),
        updated_at=iso(wanted.updated_at),
    )


def rejects_url(wanted: Import, files: Files) -> str | None:
    """Where the rows are found that could not be taken in, if there are any."""
    if wanted.rejects_key is None or not wanted.is_over:
        return None
    blob = Blob(wanted.account_id, wanted.id)
    return files.temporary_url(PLACE, blob, "rejected_contacts.csv", purpose="rejects", valid_for=SHOWN_FOR)


def export_url(wanted: Export, files: Files) -> str | None:
    """Where the file is found, if it is written."""
    if wanted.status != "completed":
        return None
    blob = Blob(wanted.account_id, wanted.id)
    return files.temporary_url(PLACE, blob, "contacts.csv", purpose="export", valid_for=SHOWN_FOR)
