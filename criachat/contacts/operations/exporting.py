"""Writing contacts to a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

import msgspec

from criachat.contacts.filters import read_conditions
from criachat.contacts.models import Contact, ListFilter
from criachat.contacts.queries import lists, transfers
from criachat.contacts.schemas import ConditionParams
from criachat.contacts.spreadsheets import written
from criachat.contacts.transfers import EXPORTABLE, USUAL_COLUMNS, Export
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Database, Db, Tx
from criachat.kit.files import new_key
from criachat.kit.times import iso
from criachat.labels.titles import label_titles

PAGE: Final = 1000


async def ask_for(
    tx: Tx, *, columns: Sequence[str], conditions: Sequence[ConditionParams], label: str | None, actor: Actor
) -> Export:
    """A file that waits to be written; conditions no list could read are refused."""
    await read_conditions(tx, actor.account_id, conditions)
    now = clock.now()
    wanted = Export(
        account_id=actor.account_id,
        id=0,
        user_id=actor.user_id,
        status="waiting",
        columns=[name for name in EXPORTABLE if name in columns] or [*USUAL_COLUMNS],
        conditions=[msgspec.to_builtins(each) for each in conditions],
        label=label,
        file_key=new_key(actor.account_id, "contacts.csv"),
        exported_rows=None,
        created_at=now,
        updated_at=now,
    )
    return await transfers.insert_export(tx, wanted)


async def filter_of(db: Db, export: Export) -> ListFilter:
    """Whom the file is to show."""
    conditions = msgspec.convert(export.conditions, list[ConditionParams])
    labels = label_titles(export.label) if export.label else None
    return ListFilter(conditions=await read_conditions(db, export.account_id, conditions), labels=labels)


async def pages(database: Database, export: Export, filters: ListFilter) -> AsyncGenerator[list[Contact], None]:
    """Everybody the file is to show, so many at a time; nothing is held in between."""
    after = 0
    while True:
        async with database.reading() as db:
            found = await lists.list_after(db, export.account_id, filters, after=after, limit=PAGE)
        if found:
            yield found
        if len(found) < PAGE:
            return
        after = found[-1].id


def header(export: Export) -> bytes:
    """The first row of the file."""
    return written([export.columns])


def rows(export: Export, contacts: Sequence[Contact]) -> bytes:
    """A row for each of these contacts."""
    return written([[_cell(getattr(contact, name)) for name in export.columns] for contact in contacts])


def _cell(value: Any) -> object:
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value) if hasattr(value, "isoformat") else value
