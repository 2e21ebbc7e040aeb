"""The SQL of files that were sent ahead of what is to carry them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.messages.models import Announcement, Reservation, StoredFile, Upload

COLUMNS: LiteralString = "account_id, id, file_key, filename, content_type, file_type, byte_size, width, height"
RESERVATION_COLUMNS: LiteralString = (
    "account_id, id, file_key, filename, content_type, byte_size, checksum, expires_at, created_at"
)
# The file has its row now, and is not removed any more.
INSERT_UPLOAD: LiteralString = (
    """
WITH claimed AS (
    DELETE FROM files_to_remove WHERE account_id = $1 AND file_key = $2
)
INSERT INTO uploads (account_id, file_key, filename, content_type, file_type, byte_size, width, height, expires_at,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING """
    + COLUMNS
)
LIST_UPLOADS: LiteralString = (
    "SELECT "
    + COLUMNS
    + """
FROM uploads
WHERE account_id = $1 AND id = ANY($2::bigint[])
"""
)
SET_EXPIRY = "UPDATE uploads SET expires_at = $3 WHERE account_id = $1 AND id = ANY($2::bigint[])"
# A trigger puts their files among those to be removed.
DELETE_EXPIRED = """
DELETE FROM uploads
WHERE account_id = $1 AND id IN (
    SELECT id FROM uploads WHERE account_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3
)
"""
# The file's key is to be removed from the beginning: it is named by nothing until it has come.
INSERT_RESERVATION: LiteralString = (
    """
WITH claimed AS (
    INSERT INTO files_to_remove (account_id, file_key, remove_at) VALUES ($1, $2, $8)
)
INSERT INTO upload_reservations (account_id, file_key, filename, content_type, byte_size, checksum, expires_at,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $9)
RETURNING """
    + RESERVATION_COLUMNS
)
FIND_RESERVATION: LiteralString = (
    "SELECT "
    + RESERVATION_COLUMNS
    + """
FROM upload_reservations
WHERE account_id = $1 AND id = $2 AND expires_at > $3
"""
)
# Of two who send the file at once, one finds its reservation here.
INSERT_ARRIVED: LiteralString = (
    """
WITH arrived AS (
    DELETE FROM upload_reservations
    WHERE account_id = $1 AND id = $2 AND expires_at > $9
    RETURNING id, file_key, filename
), claimed AS (
    DELETE FROM files_to_remove WHERE account_id = $1 AND file_key IN (SELECT file_key FROM arrived)
)
INSERT INTO uploads (account_id, id, file_key, filename, content_type, file_type, byte_size, width, height, expires_at,
    created_at)
SELECT $1, id, file_key, filename, $3::text, $4::text, $5::bigint, $6::integer, $7::integer, $8::timestamptz,
    $9::timestamptz
FROM arrived
RETURNING """
    + COLUMNS
)
DELETE_EXPIRED_RESERVATIONS = """
DELETE FROM upload_reservations
WHERE account_id = $1 AND id IN (
    SELECT id FROM upload_reservations WHERE account_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3
)
"""


async def insert_upload(tx: Tx, account_id: int, file: StoredFile, expires_at: datetime) -> Upload:
    """Keep a stored file until then."""
    told = (file.content_type, file.file_type, file.byte_size, file.width, file.height)
    values = (file.file_key, file.filename, *told, expires_at, clock.now())
    return await tx.fetch_one(Upload, INSERT_UPLOAD, account_id, *values)


async def list_uploads(db: Db, account_id: int, upload_ids: Sequence[int]) -> list[Upload]:
    """Those of these uploads that the account has."""
    return await db.fetch_all(Upload, LIST_UPLOADS, account_id, upload_ids)


async def set_expiry(tx: Tx, account_id: int, upload_ids: Sequence[int], expires_at: datetime | None) -> int:
    """Keep these until then, or for good; how many there are."""
    return await tx.execute(SET_EXPIRY, account_id, upload_ids, expires_at)


async def delete_expired(tx: Tx, account_id: int, *, limit: int) -> int:
    """Remove some of those whose time is over; how many."""
    return await tx.execute(DELETE_EXPIRED, account_id, clock.now(), limit)


async def insert_reservation(
    tx: Tx, account_id: int, file_key: str, announced: Announcement, *, expires_at: datetime, remove_at: datetime
) -> Reservation:
    """Keep a place for a file under this key; what may come there is removed at `remove_at` unless it is taken."""
    told = (announced.filename, announced.content_type, announced.byte_size, announced.checksum)
    values = (file_key, *told, expires_at, remove_at, clock.now())
    return await tx.fetch_one(Reservation, INSERT_RESERVATION, account_id, *values)


async def find_reservation(db: Db, account_id: int, reservation_id: int) -> Reservation | None:
    """The place that is kept under this number, unless its time is over or its file has come."""
    return await db.fetch_one_or_none(Reservation, FIND_RESERVATION, account_id, reservation_id, clock.now())


async def insert_arrived(tx: Tx, reservation: Reservation, file: StoredFile, *, expires_at: datetime) -> Upload | None:
    """Make the reservation the upload that it was for; None when it is one already, or its time is over."""
    told = (file.content_type, file.file_type, file.byte_size, file.width, file.height)
    values = (reservation.id, *told, expires_at, clock.now())
    return await tx.fetch_one_or_none(Upload, INSERT_ARRIVED, reservation.account_id, *values)


async def delete_expired_reservations(tx: Tx, account_id: int, *, limit: int) -> int:
    """Let go of some of those whose file did not come in time; how many."""
    return await tx.execute(DELETE_EXPIRED_RESERVATIONS, account_id, clock.now(), limit)
