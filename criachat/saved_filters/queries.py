"""The SQL of saved filters."""

from __future__ import annotations

from typing import LiteralString

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.saved_filters.models import CustomFilter, FilterType

COLUMNS: LiteralString = "account_id, id, user_id, name, filter_type, query, created_at, updated_at"
LIST_FILTERS: LiteralString = (
    "SELECT "
    + COLUMNS
    + """
FROM custom_filters
WHERE account_id = $1 AND user_id = $2 AND filter_type = $3
ORDER BY id
LIMIT 1000
"""
)
FIND_FILTER: LiteralString = (
    "SELECT " + COLUMNS + " FROM custom_filters WHERE account_id = $1 AND user_id = $2 AND id = $3"
)
LOCK_FILTER: LiteralString = FIND_FILTER + " FOR UPDATE"
# Of many who save at once each waits here for the one before, so that the last of them counts them all.
LOCK_OWNER = "SELECT user_id FROM account_users WHERE account_id = $1 AND user_id = $2 FOR NO KEY UPDATE"
INSERT_FILTER: LiteralString = (
    """
INSERT INTO custom_filters (account_id, user_id, name, filter_type, query, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $6
WHERE (SELECT count(*) FROM custom_filters WHERE account_id = $1 AND user_id = $2) < $7
RETURNING """
    + COLUMNS
)
SAVE_FILTER: LiteralString = (
    """
UPDATE custom_filters
SET name = $3, filter_type = $4, query = $5, updated_at = greatest($6, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING """
    + COLUMNS
)
DELETE_FILTER = "DELETE FROM custom_filters WHERE account_id = $1 AND id = $2"


async def list_filters(db: Db, account_id: int, user_id: int, filter_type: FilterType) -> list[CustomFilter]:
    """Somebody's saved filters of one kind, the oldest first."""
    return await db.fetch_all(CustomFilter, LIST_FILTERS, account_id, user_id, filter_type)


async def find_filter(db: Db, account_id: int, user_id: int, filter_id: int) -> CustomFilter | None:
    """Somebody's saved filter, or None."""
    return await db.fetch_one_or_none(CustomFilter, FIND_FILTER, account_id, user_id, filter_id)


async def lock_filter(tx: Tx, account_id: int, user_id: int, filter_id: int) -> CustomFilter | None:
    """The same, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(CustomFilter, LOCK_FILTER, account_id, user_id, filter_id)


async def insert_filter(tx: Tx, wanted: CustomFilter, *, most: int) -> CustomFilter | None:
    """A new saved filter; None when its owner has so many already."""
    await tx.fetch_value(LOCK_OWNER, wanted.account_id, wanted.user_id)
    values = (wanted.name, wanted.filter_type, wanted.query, clock.now(), most)
    return await tx.fetch_one_or_none(CustomFilter, INSERT_FILTER, wanted.account_id, wanted.user_id, *values)


async def save_filter(tx: Tx, changed: CustomFilter) -> CustomFilter:
    """Write what a saved filter became."""
    values = (changed.name, changed.filter_type, changed.query, clock.now())
    return await tx.fetch_one(CustomFilter, SAVE_FILTER, changed.account_id, changed.id, *values)


async def delete_filter(tx: Tx, custom_filter: CustomFilter) -> None:
    """Remove it."""
    await tx.execute(DELETE_FILTER, custom_filter.account_id, custom_filter.id)
