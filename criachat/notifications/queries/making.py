"""The SQL that finds out whom something concerns, and tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.notifications.models import (
    ABOUT_NEW_CONVERSATIONS,
    Addressee,
    Made,
    Notification,
    Occasion,
    Participant,
    Place,
    Subscriber,
    Unread,
)
from criachat.notifications.queries.reading import COLUMNS
from criachat.notifications.queries.sight import IN_ITS_TEAM, ROLE, SEES_INBOX, SHOWN_BY_ROLE

MOST_COUNTED: Final = 100

LIST_PARTICIPANTS = """
SELECT conversation_id, user_id FROM conversation_participants
WHERE account_id = $1 AND conversation_id = ANY($2::bigint[])
LIMIT 10000
"""
LIST_SUBSCRIBERS = """
SELECT inbox_members.inbox_id, inbox_members.user_id
FROM inbox_members
JOIN notification_settings AS settings ON settings.account_id = $1 AND settings.user_id = inbox_members.user_id
    AND (settings.email_flags && $3 OR settings.push_flags && $3)
WHERE inbox_members.account_id = $1 AND inbox_members.inbox_id = ANY($2::bigint[])
LIMIT 10000
"""
# Whoever cannot open the conversation is told nothing of it. Of two occasions in one conversation the newer one stays:
# the row becomes another notification, with an id of its own, because clients keep them by their ids.
UPSERT_NOTIFICATIONS: LiteralString = (
    """
WITH news AS (
    SELECT occasions.user_id, occasions.kind, occasions.conversation_id, occasions.message_id, occasions.person_id,
        occasions.event_id
    FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[])
        AS occasions (user_id, kind, conversation_id, message_id, person_id, event_id, is_mentioned)
    JOIN conversations ON conversations.account_id = $1 AND conversations.id = occasions.conversation_id
    JOIN account_users ON account_users.account_id = $1 AND account_users.user_id = occasions.user_id
    """
    + ROLE
    + "    CROSS JOIN LATERAL (SELECT "
    + SEES_INBOX
    + """ AS sees_inbox) AS sight
    WHERE ((sees_inbox AND NOT is_mentioned) OR (NOT sees_inbox AND """
    + IN_ITS_TEAM
    + "))\n    AND "
    + SHOWN_BY_ROLE
    + """
), before AS (
    SELECT kept.id, kept.user_id, kept.conversation_id
    FROM news
    JOIN notifications AS kept ON kept.account_id = $1 AND kept.user_id = news.user_id
        AND kept.conversation_id = news.conversation_id
), made AS (
    INSERT INTO notifications AS kept (account_id, user_id, notification_type, conversation_id, message_id, person_id,
        event_id, last_activity_at, created_at, updated_at)
    SELECT $1, news.user_id, news.kind, news.conversation_id, news.message_id, news.person_id, news.event_id, $9, $9, $9
    FROM news
    ORDER BY news.user_id, news.conversation_id
    ON CONFLICT (account_id, user_id, conversation_id) DO UPDATE
    SET id = excluded.id, notification_type = excluded.notification_type, message_id = excluded.message_id,
        person_id = excluded.person_id, event_id = excluded.event_id, read_at = NULL, snoozed_until = NULL, meta = '{}',
        last_activity_at = excluded.last_activity_at, created_at = excluded.created_at, updated_at = excluded.updated_at
    WHERE kept.event_id < excluded.event_id
    RETURNING kept.id, kept.user_id, kept.conversation_id
)
SELECT made.id, made.user_id, made.conversation_id, before.id AS replaced_id, accounts.locale, users.name,
    users.display_name, users.email, users.avatar_key, account_users.availability, account_users.auto_offline
FROM made
JOIN users ON users.id = made.user_id
JOIN accounts ON accounts.id = $1
JOIN account_users ON account_users.account_id = $1 AND account_users.user_id = made.user_id
LEFT JOIN before ON before.user_id = made.user_id AND before.conversation_id = made.conversation_id
ORDER BY made.id
"""
)
# Counted for every message that somebody is told of, so only as far as anybody looks.
COUNT_UNREAD = """
SELECT people.user_id, unread.count
FROM unnest($2::bigint[]) AS people (user_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM notifications
        WHERE account_id = $1 AND user_id = people.user_id AND read_at IS NULL AND snoozed_until IS NULL
        LIMIT $3
    ) AS first
) AS unread
"""
# Across accounts: whatever is due, whosever it is.
LIST_DUE = """
SELECT account_id, id FROM notifications
WHERE snoozed_until <= $1
ORDER BY snoozed_until, account_id, id
LIMIT $2
"""
LOCK_DUE: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM notifications
WHERE account_id = $1 AND id = $2 AND snoozed_until <= $3
FOR UPDATE
"""
)
# Across accounts: what nobody looks at any more, in batches.
DELETE_OLD = """
DELETE FROM notifications WHERE (account_id, id) IN (
    SELECT account_id, id FROM notifications WHERE last_activity_at < $1 AND snoozed_until IS NULL
    ORDER BY last_activity_at LIMIT $2
)
"""
# Across accounts: who has more than the newest so many, each asked by themself.
LIST_OVERFULL = """
SELECT account_id, user_id FROM account_users
WHERE EXISTS (
    SELECT FROM notifications
    WHERE notifications.account_id = account_users.account_id AND notifications.user_id = account_users.user_id
    ORDER BY last_activity_at DESC, id DESC
    OFFSET $1 LIMIT 1
)
"""
DELETE_SURPLUS = """
DELETE FROM notifications WHERE account_id = $1 AND id IN (
    SELECT id FROM notifications WHERE account_id = $1 AND user_id = $2
    ORDER BY last_activity_at DESC, id DESC
    OFFSET $3 LIMIT $4
)
"""


async def list_participants(db: Db, account_id: int, conversation_ids: Sequence[int]) -> list[Participant]:
    """Who takes part in these conversations."""
    return await db.fetch_all(Participant, LIST_PARTICIPANTS, account_id, conversation_ids)


async def list_subscribers(db: Db, account_id: int, inbox_ids: Sequence[int]) -> list[Subscriber]:
    """Who wants to know of new conversations in these inboxes."""
    return await db.fetch_all(Subscriber, LIST_SUBSCRIBERS, account_id, inbox_ids, ABOUT_NEW_CONVERSATIONS)


async def upsert_notifications(tx: Tx, account_id: int, occasions: Sequence[Occasion]) -> list[Made]:
    """Tell these people, each of a conversation at most once; those who were told now."""
    columns = (
        [each.user_id for each in occasions],
        [each.notification_type for each in occasions],
        [each.subject.conversation.conversation_id for each in occasions],
        [None if each.subject.message is None else each.subject.message.id for each in occasions],
        [None if each.subject.person is None else each.subject.person.id for each in occasions],
        [each.event_id for each in occasions],
        [each.is_mentioned for each in occasions],
    )
    return await tx.fetch_all(Made, UPSERT_NOTIFICATIONS, account_id, *columns, clock.now())


async def count_unread(db: Db, account_id: int, user_ids: Sequence[int]) -> dict[int, int]:
    """How much each of these people has not read, as far as it is counted."""
    found = await db.fetch_all(Unread, COUNT_UNREAD, account_id, user_ids, MOST_COUNTED)
    return {each.user_id: each.count for each in found}


async def list_due(db: Db, *, limit: int) -> list[Place]:
    """What was put off until now."""
    return await db.fetch_all(Place, LIST_DUE, clock.now(), limit)


async def find_due(tx: Tx, account_id: int, notification_id: int) -> Notification | None:
    """This notification, locked; None when it is gone, or is not put off until now."""
    return await tx.fetch_one_or_none(Notification, LOCK_DUE, account_id, notification_id, clock.now())


async def delete_old(tx: Tx, before: object, *, limit: int) -> int:
    """Remove what is older than this; how much it was."""
    return await tx.execute(DELETE_OLD, before, limit)


async def list_overfull(db: Db, *, kept: int) -> list[Addressee]:
    """The people who have more than so many."""
    return await db.fetch_all(Addressee, LIST_OVERFULL, kept)


async def delete_surplus(tx: Tx, whose: Addressee, *, kept: int, limit: int) -> int:
    """Remove what somebody has beyond their newest so many; how much it was."""
    return await tx.execute(DELETE_SURPLUS, whose.account_id, whose.user_id, kept, limit)
