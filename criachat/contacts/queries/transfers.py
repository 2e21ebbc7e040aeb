"""The SQL of imports and exports: what is known of each, the rows an import could not take in, and many contacts at
once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import msgspec

from criachat.contacts.models import Contact, Details
from criachat.contacts.queries import COLUMNS as CONTACT_COLUMNS
from criachat.contacts.transfers import Counts, Export, Import, Reader, Reject
from criachat.kit import clock
from criachat.kit.db import Db, Tx

IMPORT_COLUMNS: LiteralString = """
    account_id, id, user_id, status, file_key, columns, delimiter, total_rows, read_bytes, processed_rows,
    created_rows, updated_rows, rejected_rows, rejects_key, withdrawn_at, error, created_at, updated_at
"""
EXPORT_COLUMNS: LiteralString = """
    account_id, id, user_id, status, columns, conditions, label, file_key, exported_rows, created_at, updated_at
"""
INSERT_IMPORT: LiteralString = (
    """
INSERT INTO contact_imports (account_id, user_id, file_key, delimiter, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5)
RETURNING"""
    + IMPORT_COLUMNS
)
LIST_IMPORTS: LiteralString = (
    "SELECT" + IMPORT_COLUMNS + "FROM contact_imports WHERE account_id = $1 ORDER BY id DESC LIMIT 100"
)
FIND_IMPORT: LiteralString = "SELECT" + IMPORT_COLUMNS + "FROM contact_imports WHERE account_id = $1 AND id = $2"
LOCK_IMPORT: LiteralString = FIND_IMPORT + " FOR UPDATE"
SET_COLUMNS = """
UPDATE contact_imports SET status = 'running', columns = $3, total_rows = $4, read_bytes = $5, updated_at = $6
WHERE account_id = $1 AND id = $2 AND status = 'waiting'
"""
ADVANCE_IMPORT = """
UPDATE contact_imports
SET read_bytes = $3, processed_rows = processed_rows + $4, created_rows = created_rows + $5,
    updated_rows = updated_rows + $6, rejected_rows = rejected_rows + $7, updated_at = $8
WHERE account_id = $1 AND id = $2
"""
SET_REJECTS_KEY = "UPDATE contact_imports SET rejects_key = $3 WHERE account_id = $1 AND id = $2"
# One that was withdrawn before its end is so only now: until then a worker may just be writing its file.
END_IMPORT = """
UPDATE contact_imports AS imported
SET status = $3, error = $4, file_key = NULL, updated_at = $5,
    rejects_key = CASE WHEN imported.withdrawn_at IS NULL THEN imported.rejects_key END
FROM (
    SELECT id, rejects_key FROM contact_imports
    WHERE account_id = $1 AND id = $2 AND status IN ('waiting', 'running')
    FOR UPDATE
) AS before
WHERE imported.account_id = $1 AND imported.id = before.id
RETURNING CASE WHEN imported.withdrawn_at IS NOT NULL THEN before.rejects_key END AS withdrawn_key
"""
INSERT_REJECTS = """
INSERT INTO contact_import_rejects (account_id, import_id, row_number, cells, error)
SELECT $1, $2, new.row_number, new.cells::jsonb, new.error
FROM unnest($3::bigint[], $4::text[], $5::text[]) AS new (row_number, cells, error)
"""
LIST_REJECTS = """
SELECT row_number, cells, error
FROM contact_import_rejects
WHERE account_id = $1 AND import_id = $2 AND row_number > $3
ORDER BY row_number
LIMIT $4
"""
DELETE_REJECTS = """
DELETE FROM contact_import_rejects
WHERE account_id = $1 AND import_id = $2 AND row_number IN (
    SELECT row_number FROM contact_import_rejects WHERE account_id = $1 AND import_id = $2 LIMIT $3
)
"""

INSERT_EXPORT: LiteralString = (
    """
INSERT INTO contact_exports (account_id, user_id, columns, conditions, label, file_key, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
RETURNING"""
    + EXPORT_COLUMNS
)
LIST_EXPORTS: LiteralString = (
    "SELECT" + EXPORT_COLUMNS + "FROM contact_exports WHERE account_id = $1 ORDER BY id DESC LIMIT 100"
)
FIND_EXPORT: LiteralString = "SELECT" + EXPORT_COLUMNS + "FROM contact_exports WHERE account_id = $1 AND id = $2"
BEGIN_EXPORT = """
UPDATE contact_exports SET status = 'running', updated_at = $3
WHERE account_id = $1 AND id = $2 AND status IN ('waiting', 'running')
"""
END_EXPORT = """
UPDATE contact_exports SET status = 'completed', exported_rows = $3, updated_at = $4
WHERE account_id = $1 AND id = $2 AND status = 'running'
"""

FAIL_EXPORT = """
UPDATE contact_exports SET status = 'failed', updated_at = $3 WHERE account_id = $1 AND id = $2 AND status = 'running'
"""
LIST_ADMINISTRATOR_IDS = """
SELECT user_id FROM account_users WHERE account_id = $1 AND role = 'administrator' ORDER BY user_id LIMIT 100
"""
FIND_READER = """
SELECT users.email, accounts.locale
FROM account_users
JOIN users ON users.id = account_users.user_id
JOIN accounts ON accounts.id = account_users.account_id
WHERE account_users.account_id = $1 AND account_users.user_id = $2
"""
# Files that may show somebody who is gone: what they were made of was read before that.
WITHDRAW_EXPORTS = """
UPDATE contact_exports SET status = 'withdrawn', updated_at = $2
WHERE account_id = $1 AND status IN ('running', 'completed')
RETURNING file_key
"""
# Of a file that is still taken in, what comes of it is shown to nobody when it is done.
WITHDRAW_REJECTS = """
UPDATE contact_imports AS imported
SET withdrawn_at = $3, rejects_key = CASE WHEN before.is_over THEN NULL ELSE before.rejects_key END
FROM (
    SELECT id, rejects_key, status IN ('completed', 'failed') AS is_over FROM contact_imports
    WHERE account_id = $1 AND created_at <= $2 AND withdrawn_at IS NULL
      AND (rejects_key IS NOT NULL OR status IN ('waiting', 'running'))
    ORDER BY id
    FOR UPDATE
) AS before
WHERE imported.account_id = $1 AND imported.id = before.id
RETURNING CASE WHEN before.is_over THEN before.rejects_key END
"""
# Across accounts: a schedule looks after all of them.
LIST_EXPIRED = """
SELECT DISTINCT account_id FROM contact_exports WHERE status = 'completed' AND updated_at < $1
UNION
SELECT DISTINCT account_id FROM contact_imports WHERE rejects_key IS NOT NULL AND updated_at < $1
"""
EXPIRE_EXPORTS = """
UPDATE contact_exports SET status = 'withdrawn'
WHERE account_id = $1 AND status = 'completed' AND updated_at < $2
RETURNING file_key
"""
EXPIRE_REJECTS = """
UPDATE contact_imports AS imported SET rejects_key = NULL
FROM (
    SELECT id, rejects_key FROM contact_imports
    WHERE account_id = $1 AND rejects_key IS NOT NULL AND updated_at < $2 AND status IN ('completed', 'failed')
    FOR UPDATE
) AS before
WHERE imported.account_id = $1 AND imported.id = before.id
RETURNING before.rejects_key
"""
# Across accounts: a schedule looks after all of them.
LIST_STUCK_IMPORTS: LiteralString = (
    "SELECT"
    + IMPORT_COLUMNS
    + "FROM contact_imports WHERE status IN ('waiting', 'running') AND updated_at < $1 LIMIT 100"
)
# Across accounts: a schedule looks after all of them.
LIST_STUCK_EXPORTS: LiteralString = (
    "SELECT"
    + EXPORT_COLUMNS
    + "FROM contact_exports WHERE status IN ('waiting', 'running') AND updated_at < $1 LIMIT 100"
)

# Who is meant by rows of a file, in one trip; in order, so that two files with the same people do not wait for each
# other for ever.
LOCK_MEANT: LiteralString = (
    "SELECT "
    + CONTACT_COLUMNS
    + """FROM contacts
WHERE contacts.account_id = $1 AND contacts.id IN (
    SELECT id FROM contacts
    WHERE account_id = $1 AND lower(email) = ANY (ARRAY(SELECT lower(sent) FROM unnest($2::text[]) AS sent))
    UNION SELECT id FROM contacts WHERE account_id = $1 AND phone_number = ANY ($3::text[])
    UNION SELECT id FROM contacts WHERE account_id = $1 AND identifier = ANY ($4::text[])
)
ORDER BY contacts.id
FOR NO KEY UPDATE OF contacts
"""
)
INSERT_CONTACTS = """
INSERT INTO contacts (account_id, name, email, phone_number, identifier, contact_type, blocked, location, country_code,
    additional_attributes, custom_attributes, created_at, updated_at)
SELECT $1, new.*, $12, $12
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[],
    $10::jsonb[], $11::jsonb[]) AS new
ON CONFLICT DO NOTHING
"""
SAVE_CONTACTS: LiteralString = (
    """
UPDATE contacts
SET name = new.name, email = new.email, phone_number = new.phone_number, identifier = new.identifier,
    contact_type = new.contact_type, blocked = new.blocked, location = new.location, country_code = new.country_code,
    additional_attributes = new.additional_attributes, custom_attributes = new.custom_attributes,
    version = version + 1, updated_at = greatest($13, updated_at + interval '1 millisecond')
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[],
    $10::text[], $11::jsonb[], $12::jsonb[]) AS new (id, name, email, phone_number, identifier, contact_type, blocked,
    location, country_code, additional_attributes, custom_attributes)
WHERE contacts.account_id = $1 AND contacts.id = new.id
RETURNING """
    + CONTACT_COLUMNS
)


async def insert_import(tx: Tx, account_id: int, *, user_id: int | None, file_key: str, delimiter: str) -> Import:
    """A file that waits to be taken in."""
    return await tx.fetch_one(Import, INSERT_IMPORT, account_id, user_id, file_key, delimiter, clock.now())


async def list_imports(db: Db, account_id: int) -> list[Import]:
    """The hundred newest imports, newest first."""
    return await db.fetch_all(Import, LIST_IMPORTS, account_id)


async def find_import(db: Db, account_id: int, import_id: int) -> Import | None:
    """The import, or None."""
    return await db.fetch_one_or_none(Import, FIND_IMPORT, account_id, import_id)


async def lock_import(tx: Tx, account_id: int, import_id: int) -> Import | None:
    """The import; nobody else goes on with it until the transaction ends."""
    return await tx.fetch_one_or_none(Import, LOCK_IMPORT, account_id, import_id)


async def set_columns(tx: Tx, wanted: Import, columns: Sequence[str], *, total_rows: int, read_bytes: int) -> None:
    """Begin with the first row behind the columns."""
    values = (columns, total_rows, read_bytes, clock.now())
    await tx.execute(SET_COLUMNS, wanted.account_id, wanted.id, *values)


async def advance_import(tx: Tx, wanted: Import, counts: Counts, *, read_bytes: int) -> None:
    """Note up to where the file has been taken in, and what came of it."""
    values = (counts.processed, counts.created, counts.updated, counts.rejected, clock.now())
    await tx.execute(ADVANCE_IMPORT, wanted.account_id, wanted.id, read_bytes, *values)


async def set_rejects_key(tx: Tx, wanted: Import, key: str) -> None:
    """Note where the rows are kept that could not be taken in."""
    await tx.execute(SET_REJECTS_KEY, wanted.account_id, wanted.id, key)


class Ended(msgspec.Struct, frozen=True):
    """A file that is done with; with the key of its rejected rows when nobody may see them."""

    withdrawn_key: str | None


async def end_import(tx: Tx, wanted: Import, *, error: str | None) -> Ended | None:
    """Be done with a file, well or not; None when that was so already."""
    status = "completed" if error is None else "failed"
    return await tx.fetch_one_or_none(Ended, END_IMPORT, wanted.account_id, wanted.id, status, error, clock.now())


async def insert_rejects(tx: Tx, wanted: Import, rejects: Sequence[Reject]) -> None:
    """Keep rows that could not be taken in."""
    numbers, errors = [each.row_number for each in rejects], [each.error for each in rejects]
    # As texts: a list of lists would be taken for a table.
    cells = [msgspec.json.encode(each.cells).decode() for each in rejects]
    await tx.execute(INSERT_REJECTS, wanted.account_id, wanted.id, numbers, cells, errors)


async def list_rejects(db: Db, wanted: Import, *, after: int, limit: int) -> list[Reject]:
    """So many of the rows that could not be taken in, in order."""
    return await db.fetch_all(Reject, LIST_REJECTS, wanted.account_id, wanted.id, after, limit)


async def delete_rejects(tx: Tx, account_id: int, import_id: int, *, limit: int) -> int:
    """Remove so many of them; how many there were."""
    return await tx.execute(DELETE_REJECTS, account_id, import_id, limit)


async def insert_export(tx: Tx, wanted: Export) -> Export:
    """A file that waits to be written."""
    asked = (wanted.columns, wanted.conditions, wanted.label, wanted.file_key, wanted.created_at)
    return await tx.fetch_one(Export, INSERT_EXPORT, wanted.account_id, wanted.user_id, *asked)


async def list_exports(db: Db, account_id: int) -> list[Export]:
    """The hundred newest exports, newest first."""
    return await db.fetch_all(Export, LIST_EXPORTS, account_id)


async def find_export(db: Db, account_id: int, export_id: int) -> Export | None:
    """The export, or None."""
    return await db.fetch_one_or_none(Export, FIND_EXPORT, account_id, export_id)


async def begin_export(tx: Tx, wanted: Export) -> bool:
    """Begin to write it; False when it was written or withdrawn."""
    return await tx.execute(BEGIN_EXPORT, wanted.account_id, wanted.id, clock.now()) > 0


async def end_export(tx: Tx, wanted: Export, *, rows: int) -> bool:
    """Be done with it; False when it was withdrawn meanwhile."""
    return await tx.execute(END_EXPORT, wanted.account_id, wanted.id, rows, clock.now()) > 0


async def fail_export(tx: Tx, wanted: Export) -> None:
    """Note that it cannot be written."""
    await tx.execute(FAIL_EXPORT, wanted.account_id, wanted.id, clock.now())


async def list_administrator_ids(db: Db, account_id: int) -> list[int]:
    """Those who look after the account."""
    return await db.fetch_values(LIST_ADMINISTRATOR_IDS, account_id)


async def find_reader(db: Db, account_id: int, user_id: int) -> Reader | None:
    """Where a member of the account reads mail, or None."""
    return await db.fetch_one_or_none(Reader, FIND_READER, account_id, user_id)


async def withdraw(tx: Tx, account_id: int, *, sent_before: datetime) -> list[str]:
    """Show no file any more that was made up to now, nor what will be left of one that was sent before that time; the
    keys of those that were shown."""
    now = clock.now()
    exports = await tx.fetch_values(WITHDRAW_EXPORTS, account_id, now)
    rejects = await tx.fetch_values(WITHDRAW_REJECTS, account_id, sent_before, now)
    return [*exports, *(key for key in rejects if key is not None)]


async def list_accounts_with_expired_files(db: Db, older_than: timedelta) -> list[int]:
    """The accounts in which some file has been shown for so long."""
    return await db.fetch_values(LIST_EXPIRED, clock.now() - older_than)


async def expire(tx: Tx, account_id: int, older_than: timedelta) -> list[str]:
    """Show no file any more that is so old; the keys of those that were shown."""
    before = clock.now() - older_than
    exports = await tx.fetch_values(EXPIRE_EXPORTS, account_id, before)
    return exports + await tx.fetch_values(EXPIRE_REJECTS, account_id, before)


async def list_stuck_imports(db: Db, silent_for: timedelta) -> list[Import]:
    """Imports that nobody has gone on with for so long."""
    return await db.fetch_all(Import, LIST_STUCK_IMPORTS, clock.now() - silent_for)


async def list_stuck_exports(db: Db, silent_for: timedelta) -> list[Export]:
    """Exports that nobody has gone on with for so long."""
    return await db.fetch_all(Export, LIST_STUCK_EXPORTS, clock.now() - silent_for)


async def lock_meant(tx: Tx, account_id: int, wanted: Sequence[Details]) -> list[Contact]:
    """Whoever has one of the e-mails, phone numbers and identifiers of these; nobody else changes them meanwhile."""
    unique = (
        [each.email for each in wanted],
        [each.phone_number for each in wanted],
        [each.identifier for each in wanted],
    )
    return await tx.fetch_all(Contact, LOCK_MEANT, account_id, *unique)


async def insert_contacts(tx: Tx, account_id: int, wanted: Sequence[Details]) -> int:
    """Many new contacts; how many of them there was room for."""
    return await tx.execute(INSERT_CONTACTS, account_id, *_arrays(wanted), clock.now())


async def save_contacts(tx: Tx, account_id: int, changed: Sequence[tuple[Contact, Details]]) -> list[Contact]:
    """Write what many contacts became; the contacts as they are then."""
    ids = [contact.id for contact, _ in changed]
    arrays = _arrays([details for _, details in changed])
    return await tx.fetch_all(Contact, SAVE_CONTACTS, account_id, ids, *arrays, clock.now())


def _arrays(wanted: Sequence[Details]) -> list[list[Any]]:
    return [
        [each.name for each in wanted],
        [each.email for each in wanted],
        [each.phone_number for each in wanted],
        [each.identifier for each in wanted],
        [each.contact_type for each in wanted],
        [each.blocked for each in wanted],
        [each.location for each in wanted],
        [each.country_code for each in wanted],
        [each.additional_attributes for each in wanted],
        [each.custom_attributes for each in wanted],
    ]
