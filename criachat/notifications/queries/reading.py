"""The SQL of one person's notifications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.notifications.models import Notification
from criachat.notifications.queries.sight import IN_ITS_TEAM, ROLE, SEES_INBOX, SHOWN_BY_ROLE

COLUMNS: LiteralString = """
    notifications.id, notifications.account_id, notifications.user_id, notifications.notification_type,
    notifications.conversation_id, notifications.message_id, notifications.person_id, notifications.read_at,
    notifications.snoozed_until, notifications.meta, notifications.last_activity_at, notifications.created_at,
    notifications.updated_at
"""
# Who left an inbox, or has another role now, is told no more of what was in it.
MINE: LiteralString = (
    """
FROM notifications
JOIN conversations ON conversations.account_id = $1 AND conversations.id = notifications.conversation_id
JOIN inboxes ON inboxes.account_id = $1 AND inboxes.id = conversations.inbox_id AND inboxes.deleted_at IS NULL
JOIN account_users ON account_users.account_id = $1 AND account_users.user_id = notifications.user_id
"""
    + ROLE
    + "WHERE notifications.account_id = $1 AND notifications.user_id = $2\n  AND ("
    + SEES_INBOX
    + " OR "
    + IN_ITS_TEAM
    + ")\n  AND "
    + SHOWN_BY_ROLE
    + "\n"
)
UNREAD: LiteralString = "  AND notifications.read_at IS NULL\n"
AWAKE: LiteralString = "  AND notifications.snoozed_until IS NULL\n"
ASCENDING: LiteralString = "ORDER BY notifications.last_activity_at, notifications.id\nLIMIT $3 OFFSET $4"
DESCENDING: LiteralString = "ORDER BY notifications.last_activity_at DESC, notifications.id DESC\nLIMIT $3 OFFSET $4"
SELECTED: LiteralString = "SELECT" + COLUMNS + MINE
COUNTED: LiteralString = (
    "SELECT count(*) FILTER (WHERE notifications.read_at IS NULL) AS unread_count, count(*) AS count" + MINE
)
LIST_ALL_ASCENDING: LiteralString = SELECTED + ASCENDING
LIST_ALL_DESCENDING: LiteralString = SELECTED + DESCENDING
LIST_UNREAD_ASCENDING: LiteralString = SELECTED + UNREAD + ASCENDING
LIST_UNREAD_DESCENDING: LiteralString = SELECTED + UNREAD + DESCENDING
LIST_AWAKE_ASCENDING: LiteralString = SELECTED + AWAKE + ASCENDING
LIST_AWAKE_DESCENDING: LiteralString = SELECTED + AWAKE + DESCENDING
LIST_NEW_ASCENDING: LiteralString = SELECTED + UNREAD + AWAKE + ASCENDING
LIST_NEW_DESCENDING: LiteralString = SELECTED + UNREAD + AWAKE + DESCENDING
COUNT_ALL: LiteralString = COUNTED
COUNT_UNREAD: LiteralString = COUNTED + UNREAD
COUNT_AWAKE: LiteralString = COUNTED + AWAKE
COUNT_NEW: LiteralString = COUNTED + UNREAD + AWAKE
# By whether those read, and those put off, are shown too: counted, oldest first, newest first.
STATEMENTS: dict[tuple[bool, bool], tuple[LiteralString, LiteralString, LiteralString]] = {
    (True, True): (COUNT_ALL, LIST_ALL_ASCENDING, LIST_ALL_DESCENDING),
    (False, True): (COUNT_UNREAD, LIST_UNREAD_ASCENDING, LIST_UNREAD_DESCENDING),
    (True, False): (COUNT_AWAKE, LIST_AWAKE_ASCENDING, LIST_AWAKE_DESCENDING),
    (False, False): (COUNT_NEW, LIST_NEW_ASCENDING, LIST_NEW_DESCENDING),
}
LOCK_NOTIFICATION: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM notifications
WHERE notifications.account_id = $1 AND notifications.user_id = $2 AND notifications.id = $3
FOR UPDATE"""
)
FIND_SHOWN: LiteralString = "SELECT notifications.id" + MINE + "  AND notifications.id = $3"
SAVE_NOTIFICATION: LiteralString = (
    """
UPDATE notifications
SET read_at = $3, snoozed_until = $4, last_activity_at = $5, meta = $6,
    updated_at = greatest($7, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING """
    + COLUMNS
)
DELETE_NOTIFICATION = "DELETE FROM notifications WHERE account_id = $1 AND id = $2"
SET_READ = """
UPDATE notifications SET read_at = $4, updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND user_id = $2 AND read_at IS NULL AND ($3::bigint IS NULL OR conversation_id = $3)
"""
DELETE_ALL = """
DELETE FROM notifications WHERE account_id = $1 AND user_id = $2 AND (NOT $3::boolean OR read_at IS NOT NULL)
"""


class Counts(Struct, frozen=True):
    """How many notifications a list has, and how many of them are unread."""

    unread_count: int
    count: int


class Wanted(Struct, frozen=True, kw_only=True):
    """Which notifications a person asks for: also those they read, also those they put off."""

    with_read: bool = False
    with_snoozed: bool = False


async def list_page(
    db: Db, actor: Actor, wanted: Wanted, *, is_oldest_first: bool, limit: int, offset: int
) -> list[Notification]:
    """One page of the caller's notifications."""
    _, ascending, descending = STATEMENTS[wanted.with_read, wanted.with_snoozed]
    sql = ascending if is_oldest_first else descending
    return await db.fetch_all(Notification, sql, *_caller(actor), limit, offset)


async def count(db: Db, actor: Actor, wanted: Wanted) -> Counts:
    """How many there are."""
    return await db.fetch_one(Counts, STATEMENTS[wanted.with_read, wanted.with_snoozed][0], *_caller(actor))


async def lock_notification(tx: Tx, account_id: int, user_id: int, notification_id: int) -> Notification | None:
    """The person's notification, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Notification, LOCK_NOTIFICATION, account_id, user_id, notification_id)


async def is_shown(db: Db, notification: Notification) -> bool:
    """Whether its person may still open what it is about."""
    key = (notification.account_id, notification.user_id, notification.id)
    return await db.fetch_value(FIND_SHOWN, *key) is not None


async def save_notification(tx: Tx, notification: Notification) -> Notification:
    """Write what a notification became."""
    values = (notification.read_at, notification.snoozed_until, notification.last_activity_at, notification.meta)
    key = (notification.account_id, notification.id)
    return await tx.fetch_one(Notification, SAVE_NOTIFICATION, *key, *values, clock.now())


async def delete_notification(tx: Tx, notification: Notification) -> None:
    """Remove it."""
    await tx.execute(DELETE_NOTIFICATION, notification.account_id, notification.id)


async def set_read(tx: Tx, actor: Actor, conversation_id: int | None, at: datetime) -> None:
    """Mark everything of the caller as read, or what is about one conversation."""
    await tx.execute(SET_READ, actor.account_id, actor.user_id, conversation_id, at)


async def delete_all(tx: Tx, actor: Actor, *, only_read: bool) -> None:
    """Remove the caller's notifications."""
    await tx.execute(DELETE_ALL, actor.account_id, actor.user_id, only_read)


def _caller(actor: Actor) -> Sequence[int | None]:
    return actor.account_id, actor.user_id
