"""The SQL of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from criachat.kit.db import Db, Tx
from criachat.reports.models import EventName, Filters, Mark, Measure, ReportingEvent

# What is recorded already is left as it is: the same event told of again, or a second hand-off of a conversation.
INSERT_MEASURES = """
INSERT INTO reporting_events (account_id, event_id, name, value, value_in_business_hours, inbox_id, user_id,
    conversation_id, event_start_time, event_end_time, created_at)
SELECT $1, event_id, name, value, value_in_business_hours, inbox_id, user_id, conversation_id, event_start_time,
    event_end_time, created_at
FROM jsonb_to_recordset($2::jsonb) AS new (event_id bigint, name text, value double precision,
    value_in_business_hours double precision, inbox_id bigint, user_id bigint, conversation_id bigint,
    event_start_time timestamptz, event_end_time timestamptz, created_at timestamptz)
ON CONFLICT DO NOTHING
"""
# As it was when each event happened, not as it is when that is told: an event that failed may be told of much later.
LIST_MARKS = """
SELECT asked.conversation_id, earlier.name, max(earlier.event_end_time) AS event_end_time
FROM unnest($2::bigint[], $3::timestamptz[]) AS asked (conversation_id, at)
JOIN reporting_events AS earlier ON earlier.account_id = $1 AND earlier.conversation_id = asked.conversation_id
    AND earlier.name = ANY($4::text[]) AND earlier.event_end_time <= asked.at
GROUP BY asked.conversation_id, asked.at, earlier.name
"""
LIST_SPOKEN_IN = """
SELECT asked.event_id
FROM unnest($2::bigint[], $3::bigint[], $4::timestamptz[]) AS asked (event_id, conversation_id, at)
WHERE EXISTS (SELECT FROM messages
    WHERE messages.account_id = $1 AND messages.conversation_id = asked.conversation_id AND messages.message_type = 1
      AND messages.sender_type = 'User' AND messages.created_at <= asked.at)
"""
COLUMNS: LiteralString = """
    id, account_id, name, value, value_in_business_hours, inbox_id, user_id, conversation_id, event_start_time,
    event_end_time, created_at
"""
LIST_OF_CONVERSATION: LiteralString = (
    "SELECT"
    + COLUMNS
    + "FROM (SELECT"
    + COLUMNS
    + """FROM reporting_events
    WHERE account_id = $1 AND conversation_id = $2
    ORDER BY created_at DESC, id DESC
    LIMIT $3
) AS newest
ORDER BY created_at, id
"""
)
PERIOD: LiteralString = "WHERE account_id = $1 AND created_at >= $2 AND created_at < $3\n"
# Each as it stands without a value, and with one; an index leads with each of the three.
OF_INBOX: tuple[LiteralString, LiteralString] = ("  AND $4::bigint IS NULL\n", "  AND inbox_id = $4\n")
OF_USER: tuple[LiteralString, LiteralString] = ("  AND $5::bigint IS NULL\n", "  AND user_id = $5\n")
OF_NAME: tuple[LiteralString, LiteralString] = ("  AND $6::text IS NULL\n", "  AND name = $6\n")
COUNT: LiteralString = "SELECT count(*) FROM reporting_events\n" + PERIOD
LIST: LiteralString = "SELECT" + COLUMNS + "FROM reporting_events\n" + PERIOD
NEWEST_FIRST: LiteralString = "ORDER BY created_at DESC, id DESC\nLIMIT $7 OFFSET $8"


async def insert_measures(tx: Tx, account_id: int, measures: Sequence[Measure]) -> None:
    """Record them, each once."""
    await tx.execute(INSERT_MEASURES, account_id, measures)


async def list_marks(
    db: Db, account_id: int, conversation_ids: Sequence[int], moments: Sequence[datetime], names: Sequence[EventName]
) -> list[Mark]:
    """When things of these names last ended in each conversation, up to the moment that stands beside it."""
    return await db.fetch_all(Mark, LIST_MARKS, account_id, conversation_ids, moments, names)


async def list_spoken_in(
    db: Db, account_id: int, event_ids: Sequence[int], conversation_ids: Sequence[int], moments: Sequence[datetime]
) -> list[int]:
    """Those of the events before which a person of the team had said something in their conversation."""
    return await db.fetch_values(LIST_SPOKEN_IN, account_id, event_ids, conversation_ids, moments)


async def list_of_conversation(db: Db, account_id: int, conversation_id: int, *, limit: int) -> list[ReportingEvent]:
    """The newest of a conversation, the oldest of them first."""
    return await db.fetch_all(ReportingEvent, LIST_OF_CONVERSATION, account_id, conversation_id, limit)


async def list_page(db: Db, account_id: int, filters: Filters, *, limit: int, offset: int) -> list[ReportingEvent]:
    """One page of what is asked for, the newest first."""
    sql = LIST + _conditions(filters) + NEWEST_FIRST
    return await db.fetch_all(ReportingEvent, sql, account_id, *_values(filters), limit, offset)


async def count(db: Db, account_id: int, filters: Filters) -> int:
    """How many are asked for."""
    return await db.fetch_value(COUNT + _conditions(filters), account_id, *_values(filters))


def _conditions(filters: Filters) -> LiteralString:
    return (
        OF_INBOX[filters.inbox_id is not None]
        + OF_USER[filters.user_id is not None]
        + OF_NAME[filters.name is not None]
    )


def _values(filters: Filters) -> tuple[object, ...]:
    return filters.since, filters.until, filters.inbox_id, filters.user_id, filters.name
