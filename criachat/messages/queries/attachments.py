"""The SQL of attachments and their files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import AttachmentSnapshot
from criachat.kit import clock
from criachat.kit.db import Db, Tx

RESERVE_ATTACHMENT_IDS = "SELECT nextval('attachments_id_seq') FROM generate_series(1, $1)"
# The files have their message now, and are not removed any more.
INSERT_ATTACHMENTS = """
WITH claimed AS (
    DELETE FROM files_to_remove WHERE account_id = $1 AND file_key = ANY($6::text[])
)
INSERT INTO attachments (account_id, message_id, conversation_id, created_at, id, file_type, file_key, filename,
    content_type, byte_size, width, height)
SELECT $1, $2, $3, $4, new.*
FROM unnest($5::bigint[], $7::text[], $6::text[], $8::text[], $9::text[], $10::bigint[], $11::integer[],
    $12::integer[]) AS new (id, file_type, file_key, filename, content_type, byte_size, width, height)
"""
# A trigger puts their files among those to be removed, as it does when whole conversations go.
DELETE_ATTACHMENTS = "DELETE FROM attachments WHERE account_id = $1 AND message_id = $2"
LIST_ATTACHMENTS = """
SELECT id, message_id, account_id, file_type, file_key, filename, content_type, extension, byte_size, width, height,
    external_url, coordinates_lat, coordinates_long, fallback_title, meta
FROM attachments
WHERE account_id = $1 AND conversation_id = $2
ORDER BY id DESC
LIMIT $3 OFFSET $4
"""
COUNT_ATTACHMENTS = "SELECT count(*) FROM attachments WHERE account_id = $1 AND conversation_id = $2"
INSERT_FILES_TO_REMOVE = """
INSERT INTO files_to_remove (account_id, file_key, remove_at)
SELECT $1, file_key, $3 FROM unnest($2::text[]) AS file_key
"""
# Across accounts: a schedule looks after all of them. What is to be removed is claimed or removed within hours, so that
# there is little of it, that of accounts that are gone included; of uploads there is much, and each account's are
# looked up by themselves.
LIST_ACCOUNTS_WITH_FILES_TO_REMOVE = """
SELECT account_id FROM files_to_remove WHERE remove_at <= $1
UNION
SELECT accounts.id
FROM accounts
CROSS JOIN LATERAL (
    (SELECT FROM uploads WHERE uploads.account_id = accounts.id AND uploads.expires_at <= $1 LIMIT 1)
    UNION ALL
    (
        SELECT FROM upload_reservations AS reserved
        WHERE reserved.account_id = accounts.id AND reserved.expires_at <= $1
        LIMIT 1
    )
) AS expired
ORDER BY account_id
"""
LIST_FILES_TO_REMOVE = """
SELECT file_key FROM files_to_remove WHERE account_id = $1 AND remove_at <= $2 ORDER BY remove_at LIMIT $3
"""
SET_REMOVE_AT = "UPDATE files_to_remove SET remove_at = $3 WHERE account_id = $1 AND file_key = $2"
DELETE_FILES_TO_REMOVE = "DELETE FROM files_to_remove WHERE account_id = $1 AND file_key = ANY($2::text[])"
FIND_FILE = """
SELECT file_key, filename, content_type, byte_size
FROM attachments
WHERE account_id = $1 AND id = $2 AND file_key IS NOT NULL
"""


class KeptFile(msgspec.Struct, frozen=True):
    """Where an attachment's bytes are."""

    file_key: str
    filename: str
    content_type: str
    byte_size: int


async def reserve_attachment_ids(db: Db, count: int) -> list[int]:
    """As many ids as there are attachments."""
    return await db.fetch_values(RESERVE_ATTACHMENT_IDS, count)


async def insert_attachments(tx: Tx, conversation: Conversation, attachments: Sequence[AttachmentSnapshot]) -> None:
    """Write the attachments of a new message."""
    await tx.execute(
        INSERT_ATTACHMENTS,
        conversation.account_id,
        attachments[0].message_id,
        conversation.id,
        clock.now(),
        [each.id for each in attachments],
        [each.file_key for each in attachments],
        [each.file_type for each in attachments],
        [each.filename for each in attachments],
        [each.content_type for each in attachments],
        [each.byte_size for each in attachments],
        [each.width for each in attachments],
        [each.height for each in attachments],
    )


async def delete_attachments(tx: Tx, account_id: int, message_id: int) -> None:
    """Remove a message's attachments; their files go soon."""
    await tx.execute(DELETE_ATTACHMENTS, account_id, message_id)


async def insert_files_to_remove(tx: Tx, account_id: int, keys: Sequence[str], remove_at: datetime) -> None:
    """Have these files removed then, unless a message takes them."""
    await tx.execute(INSERT_FILES_TO_REMOVE, account_id, keys, remove_at)


async def list_accounts_with_files_to_remove(db: Db) -> list[int]:
    """The accounts that have files whose time has come, or uploads whose time is over."""
    return await db.fetch_values(LIST_ACCOUNTS_WITH_FILES_TO_REMOVE, clock.now())


async def list_files_to_remove(db: Db, account_id: int, *, limit: int) -> list[str]:
    """The keys of files whose time has come."""
    return await db.fetch_values(LIST_FILES_TO_REMOVE, account_id, clock.now(), limit)


async def set_remove_at(tx: Tx, account_id: int, key: str, remove_at: datetime) -> None:
    """Have this file removed then, not now."""
    await tx.execute(SET_REMOVE_AT, account_id, key, remove_at)


async def delete_files_to_remove(tx: Tx, account_id: int, keys: Sequence[str]) -> None:
    """These files are gone."""
    await tx.execute(DELETE_FILES_TO_REMOVE, account_id, keys)


async def find_file(db: Db, account_id: int, attachment_id: int) -> KeptFile | None:
    """Where an attachment's bytes are, or None."""
    return await db.fetch_one_or_none(KeptFile, FIND_FILE, account_id, attachment_id)


async def list_attachments(
    db: Db, account_id: int, conversation_id: int, *, limit: int, offset: int
) -> list[AttachmentSnapshot]:
    """A page of a conversation's attachments, newest first."""
    return await db.fetch_all(AttachmentSnapshot, LIST_ATTACHMENTS, account_id, conversation_id, limit, offset)


async def count_attachments(db: Db, account_id: int, conversation_id: int) -> int:
    """How many attachments a conversation has."""
    return await db.fetch_value(COUNT_ATTACHMENTS, account_id, conversation_id)
