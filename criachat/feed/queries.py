"""The SQL of the feed, beside the kit's own of the log."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.feed.models import Place
from criachat.kit.db import Db
from criachat.kit.events import Cursor

FIND_PLACE = """
SELECT event_epoch.epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xid,
    EXISTS (
        SELECT FROM events
        WHERE account_id = $1 AND epoch = $2 AND xid = $3::xid8 AND id = $4
          AND created_at BETWEEN $5::timestamptz - interval '1 day' AND $5::timestamptz + interval '1 day'
    ) AS is_there
FROM event_epoch
"""
LIST_INBOX_IDS = "SELECT inbox_id FROM inbox_members WHERE account_id = $1 AND user_id = $2"
LIST_PARTICIPATIONS = """
SELECT conversation_id FROM conversation_participants
WHERE account_id = $1 AND user_id = $2 AND conversation_id = ANY($3)
"""


async def find_place(db: Db, account_id: int, cursor: Cursor) -> Place:
    """Where the log stands, and whether this place is in it."""
    return await db.fetch_one(Place, FIND_PLACE, account_id, cursor.epoch, cursor.xid, cursor.id, cursor.at)


async def list_inbox_ids(db: Db, account_id: int, user_id: int) -> list[int]:
    """The inboxes this person is a member of."""
    return await db.fetch_values(LIST_INBOX_IDS, account_id, user_id)


async def list_participations(
    db: Db, account_id: int, user_id: int | None, conversation_ids: Sequence[int]
) -> list[int]:
    """In which of these conversations this person takes part."""
    return await db.fetch_values(LIST_PARTICIPATIONS, account_id, user_id, conversation_ids)
