"""The SQL of files that were sent ahead of what is to carry them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.messages.models import StoredFile, Upload

# The file has its row now, and is not removed any more.
INSERT_UPLOAD = """
WITH claimed AS (
    DELETE FROM files_to_remove WHERE account_id = $1 AND file_key = $2
)
INSERT INTO uploads (account_id, file_key, filename, content_type, file_type, byte_size, width, height, expires_at,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING account_id, id, file_key, filename, content_type, file_type, byte_size, width, height
"""
LIST_UPLOADS = """
SELECT account_id, id, file_key, filename, content_type, file_type, byte_size, width, height
FROM uploads
WHERE account_id = $1 AND id = ANY($2::bigint[])
"""
SET_EXPIRY = "UPDATE uploads SET expires_at = $3 WHERE account_id = $1 AND id = ANY($2::bigint[])"
# A trigger puts their files among those to be removed.
DELETE_EXPIRED = """
DELETE FROM uploads
WHERE account_id = $1 AND id IN (
    SELECT id FROM uploads WHERE account_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3
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
