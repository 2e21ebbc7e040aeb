"""What contacts do later."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Final, Literal

import msgspec

from criachat.contacts import access, operations
from criachat.contacts.errors import FilterInvalid
from criachat.contacts.mails import EXPORTED, IMPORTED, NOT_IMPORTED
from criachat.contacts.matching import Row, column_of, read_row
from criachat.contacts.models import Contact
from criachat.contacts.operations import exporting, importing
from criachat.contacts.queries import transfers
from criachat.contacts.rules import avatar_url_hash, check_avatar_url
from criachat.contacts.schemas import PicturedContactParams
from criachat.contacts.schemas.transfers import SHOWN_FOR, export_url, rejects_url
from criachat.contacts.spreadsheets import Malformed, read_records, written
from criachat.contacts.transfers import Export, Import
from criachat.custom_attributes.errors import ComparisonInvalid
from criachat.kit import clock
from criachat.kit.avatars import fetch_avatar
from criachat.kit.db import Tx
from criachat.kit.errors import Conflict, NotFound
from criachat.kit.files import new_key
from criachat.kit.jobs import JobContext, Jobs
from criachat.kit.languages import Language, language_of
from criachat.kit.mail import MAIL_RETRY, Mail, Template, send, write
from criachat.kit.times import iso
from criachat.kit.upkeep import keep_file, remove_file_later

HOUR: Final = 3600
# A transaction this long holds back readers of the log no longer than a busy request does.
ROWS_AT_ONCE: Final = 250
# Then another job goes on, so that a long file does not keep others waiting, nor one that dies start from far behind.
ROWS_A_JOB: Final = 10_000
ATTEMPTS: Final = 5
REJECTS_AT_ONCE: Final = 1000
LOOK_AGAIN: Final = timedelta(seconds=5)
A_MINUTE: Final = timedelta(minutes=1)
SILENT_FOR: Final = timedelta(hours=2)

jobs = Jobs("contacts")


class Retag(msgspec.Struct, frozen=True):
    """A label that has another title now."""

    account_id: int
    previous: str
    current: str
    cause: str


@jobs.define(timeout_seconds=HOUR)
async def retag_contacts(context: JobContext, params: Retag) -> None:
    """Tag anew, in batches, who has the label under its previous title; a second run finds nobody left."""
    is_done = False
    while not is_done:
        async with context.database.transaction() as tx:
            is_done = not await operations.retag(
                tx, params.account_id, previous=params.previous, current=params.current, cause=params.cause
            )


class RemoveSessions(msgspec.Struct, frozen=True):
    """An inbox that was deleted."""

    account_id: int
    inbox_id: int


@jobs.define(timeout_seconds=HOUR)
async def remove_sessions(context: JobContext, params: RemoveSessions) -> None:
    """Remove, in batches, the sessions of an inbox with all that was said in them; a second run finds none."""
    place = params.account_id, params.inbox_id
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await operations.remove_sessions(tx, *place)
            if not is_left and await operations.has_sessions(tx, *place):
                await remove_sessions_later(tx, params, execute_after=LOOK_AGAIN)


async def remove_sessions_later(tx: Tx, params: RemoveSessions, *, execute_after: timedelta | None = None) -> None:
    """Have the sessions of an inbox removed, once however often it is asked for."""
    key = f"inbox:{params.account_id}:{params.inbox_id}"
    await jobs.enqueue(tx, remove_sessions, params, execute_after=execute_after, dedupe_key=key)


class FetchAvatar(msgspec.Struct, frozen=True):
    """A picture of a contact, and where to get it."""

    account_id: int
    contact_id: int
    url: str


@jobs.define(timeout_seconds=120)
async def fetch_contact_avatar(context: JobContext, params: FetchAvatar) -> None:
    """Get a contact their picture; the one they have from the same place is not fetched again."""
    async with context.database.reading() as db:
        contact = await access.find_contact(db, params.account_id, params.contact_id)
    if contact is None or contact.additional_attributes.get("avatar_url_hash") == avatar_url_hash(params.url):
        return
    key = await fetch_avatar(context.database, context.outside, context.files, params.url, account_id=params.account_id)
    async with context.database.transaction() as tx:
        contact = await access.find_contact_to_change(tx, params.account_id, params.contact_id)
        if contact is None:
            await remove_file_later(tx, key)
        else:
            await keep_file(tx, key)
            await operations.take_fetched_avatar(tx, contact, key, url=params.url)


async def fetch_avatar_later(tx: Tx, contact: Contact, params: PicturedContactParams) -> None:
    """Have the picture fetched that was sent as an address, at most once a minute; one that was sent itself wins."""
    url = (params.avatar_url or "").strip()
    if not url or params.avatar:
        return
    check_avatar_url(url)
    synced_at = contact.additional_attributes.get("last_avatar_sync_at")
    is_recent = isinstance(synced_at, str) and synced_at > iso(clock.now() - A_MINUTE)
    await jobs.enqueue(
        tx,
        fetch_contact_avatar,
        FetchAvatar(contact.account_id, contact.id, url),
        execute_after=A_MINUTE if is_recent else None,
        dedupe_key=f"{contact.account_id}:{contact.id}:{avatar_url_hash(url)}",
    )


class ImportContacts(msgspec.Struct, frozen=True):
    """A file that is to be taken in, from where it was left."""

    account_id: int
    import_id: int


class ExportContacts(msgspec.Struct, frozen=True):
    """A file that is to be written."""

    account_id: int
    export_id: int


class TellOfFile(msgspec.Struct, frozen=True):
    """Somebody who is to be written to about a file that was taken in or written."""

    account_id: int
    user_id: int
    kind: Literal["import", "export"]
    id: int


async def import_later(tx: Tx, params: ImportContacts) -> None:
    """Have a file taken in, or gone on with."""
    await jobs.enqueue(tx, import_contacts, params, dedupe_key=f"{params.account_id}:{params.import_id}")


async def export_later(tx: Tx, params: ExportContacts) -> None:
    """Have a file written."""
    await jobs.enqueue(tx, export_contacts, params, dedupe_key=f"{params.account_id}:{params.export_id}")


@jobs.define(timeout_seconds=HOUR)
async def import_contacts(context: JobContext, params: ImportContacts) -> None:
    """Take in a part of a file. It is read through before anything of it is, so that a broken one leaves nothing."""
    wanted = await _begun(context, params)
    if wanted is None:
        return
    if not await _take_in_some(context, wanted):
        async with context.database.transaction() as tx:
            await import_later(tx, params)
        return
    await _write_rejects(context, params)
    await _end_import(context, wanted)


async def _begun(context: JobContext, params: ImportContacts) -> Import | None:
    """The import, its columns known; None when it is over, or its file turns out to be none."""
    wanted = await _find_import(context, params)
    if wanted is None or wanted.is_over:
        return None
    try:
        if wanted.columns is None:
            await _read_through(context, wanted)
            wanted = await _find_import(context, params)
    except (Malformed, NotFound) as failure:
        await _end_import(context, wanted, error=str(failure))
        return None
    return wanted


async def _find_import(context: JobContext, params: ImportContacts) -> Import | None:
    async with context.database.reading() as db:
        return await transfers.find_import(db, params.account_id, params.import_id)


async def _read_through(context: JobContext, wanted: Import) -> None:
    columns: list[str] = []
    total_rows = read_bytes = 0
    chunks = await context.files.open(wanted.file_key or "")
    async with aclosing(read_records(chunks, delimiter=wanted.delimiter)) as records:
        async for record in records:
            if columns:
                total_rows += bool(record.cells)
            elif record.cells:
                columns, read_bytes = [column_of(title) for title in record.cells], record.ends_at
    if not columns:
        raise Malformed("The file has no header")
    async with context.database.transaction() as tx:
        await transfers.set_columns(tx, wanted, columns, total_rows=total_rows, read_bytes=read_bytes)


async def _take_in_some(context: JobContext, wanted: Import) -> bool:
    """Take in the next rows; True when there are none left."""
    if wanted.processed_rows == wanted.total_rows:
        return True
    rows: list[Row] = []
    start, first_row, ends_at = wanted.read_bytes, wanted.processed_rows, 0
    chunks = await context.files.open(wanted.file_key or "", start=start)
    async with aclosing(read_records(chunks, delimiter=wanted.delimiter)) as records:
        async for record in records:
            ends_at = record.ends_at
            if record.cells:
                number = wanted.processed_rows + len(rows) + 1
                rows.append(read_row(number, record.cells, wanted.columns or []))
            if len(rows) == ROWS_AT_ONCE:
                wanted = await _take_in(context, wanted, rows, read_bytes=start + ends_at)
                rows = []
                if wanted.processed_rows - first_row >= ROWS_A_JOB:
                    return False
    if rows:
        await _take_in(context, wanted, rows, read_bytes=start + ends_at)
    return True


async def _take_in(context: JobContext, wanted: Import, rows: list[Row], *, read_bytes: int) -> Import:
    """Take in these rows; the import as it is then. Whoever finds another at it leaves it to them."""
    for _ in range(ATTEMPTS):
        with suppress(Conflict):
            async with context.database.transaction() as tx:
                if not await importing.take_in(tx, wanted, rows, read_bytes=read_bytes):
                    break
            return msgspec.structs.replace(
                wanted, read_bytes=read_bytes, processed_rows=wanted.processed_rows + len(rows)
            )
    raise Conflict


async def _write_rejects(context: JobContext, params: ImportContacts) -> None:
    wanted = await _find_import(context, params)
    if wanted is None or wanted.rejected_rows == 0 or wanted.withdrawn_at is not None:
        return
    # The same each time, so that a second run writes over what the first one wrote.
    key = wanted.rejects_key or new_key(wanted.account_id, "rejected_contacts.csv")
    async with context.database.transaction() as tx:
        await transfers.set_rejects_key(tx, wanted, key)
    await context.files.put(key, _rejects(context, wanted))


async def _rejects(context: JobContext, wanted: Import) -> AsyncGenerator[bytes, None]:
    columns = wanted.columns or []
    yield written([[*columns, "errors"]])
    after = 0
    while True:
        async with context.database.reading() as db:
            found = await transfers.list_rejects(db, wanted, after=after, limit=REJECTS_AT_ONCE)
        if not found:
            return
        width = len(columns)
        yield written([[*each.cells[:width], *[""] * (width - len(each.cells)), each.error] for each in found])
        after = found[-1].row_number


async def _end_import(context: JobContext, wanted: Import, *, error: str | None = None) -> None:
    async with context.database.transaction() as tx:
        if not await importing.end(tx, wanted, error=error):
            return
        readers = await transfers.list_administrator_ids(tx, wanted.account_id)
        told = [TellOfFile(wanted.account_id, each, "import", wanted.id) for each in readers]
        await jobs.enqueue_all(tx, tell_of_file, told)
        await jobs.enqueue(tx, forget_rejects, ImportContacts(wanted.account_id, wanted.id))


@jobs.define(timeout_seconds=HOUR)
async def forget_rejects(context: JobContext, params: ImportContacts) -> None:
    """Remove, in batches, the rows that stand in a file of their own now; a second run finds none left."""
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await transfers.delete_rejects(tx, params.account_id, params.import_id, limit=10_000) > 0


@jobs.define(timeout_seconds=HOUR)
async def export_contacts(context: JobContext, params: ExportContacts) -> None:
    """Write contacts to a file; a second run writes over what the first one wrote."""
    async with context.database.transaction() as tx:
        wanted = await transfers.find_export(tx, params.account_id, params.export_id)
        if wanted is None or not await transfers.begin_export(tx, wanted):
            return
    try:
        rows = await _write_export(context, wanted)
    except (FilterInvalid, ComparisonInvalid):
        # It asks for a custom attribute that is not defined any more.
        async with context.database.transaction() as tx:
            await transfers.fail_export(tx, wanted)
        return
    async with context.database.transaction() as tx:
        if not await transfers.end_export(tx, wanted, rows=rows):
            await remove_file_later(tx, wanted.file_key)
        elif wanted.user_id is not None:
            await jobs.enqueue(tx, tell_of_file, TellOfFile(wanted.account_id, wanted.user_id, "export", wanted.id))


async def _write_export(context: JobContext, wanted: Export) -> int:
    async with context.database.reading() as db:
        filters = await exporting.filter_of(db, wanted)
    count = 0

    async def content() -> AsyncGenerator[bytes, None]:
        nonlocal count
        yield exporting.header(wanted)
        async for page in exporting.pages(context.database, wanted, filters):
            count += len(page)
            yield exporting.rows(wanted, page)

    await context.files.put(wanted.file_key, content())
    return count


@jobs.define(retry=MAIL_RETRY)
async def tell_of_file(context: JobContext, params: TellOfFile) -> None:
    """Write to somebody about a file; whoever has left meanwhile is not written to."""
    async with context.database.reading() as db:
        reader = await transfers.find_reader(db, params.account_id, params.user_id)
        imported = exported = None
        if params.kind == "import":
            imported = await transfers.find_import(db, params.account_id, params.id)
        else:
            exported = await transfers.find_export(db, params.account_id, params.id)
    if reader is None:
        return
    language = language_of(reader.locale)
    if imported is not None:
        await send(context.settings, _mail_of_import(context, imported, reader.email, language))
    if exported is not None:
        await send(context.settings, _mail_of_export(context, exported, reader.email, language))


def _mail_of_import(context: JobContext, wanted: Import, address: str, language: Language) -> Mail:
    if wanted.error is not None:
        return write(NOT_IMPORTED[language], to=address, error=wanted.error)
    return _mail(
        IMPORTED,
        language,
        to=address,
        link=rejects_url(wanted, context.files),
        total=wanted.processed_rows,
        taken=wanted.processed_rows - wanted.rejected_rows,
        rejected=wanted.rejected_rows,
    )


def _mail_of_export(context: JobContext, wanted: Export, address: str, language: Language) -> Mail:
    link = export_url(wanted, context.files)
    return _mail(EXPORTED, language, to=address, link=link, rows=wanted.exported_rows or 0)


def _mail(
    templates: Mapping[Language, Template], language: Language, *, to: str, link: str | None, **numbers: int
) -> Mail:
    return write(templates[language], to=to, link=link, **{name: str(number) for name, number in numbers.items()})


@jobs.schedule("23 * * * *")
async def tend_files(context: JobContext) -> None:
    """Remove files that were shown for long enough, and go on with what nobody has gone on with."""
    async with context.database.reading() as db:
        account_ids = await transfers.list_accounts_with_expired_files(db, SHOWN_FOR)
        imports = await transfers.list_stuck_imports(db, SILENT_FOR)
        exports = await transfers.list_stuck_exports(db, SILENT_FOR)
    for account_id in account_ids:
        async with context.database.transaction() as tx:
            for key in await transfers.expire(tx, account_id, SHOWN_FOR):
                await remove_file_later(tx, key)
    async with context.database.transaction() as tx:
        for wanted in imports:
            await import_later(tx, ImportContacts(wanted.account_id, wanted.id))
        for export in exports:
            await export_later(tx, ExportContacts(export.account_id, export.id))
