"""The SQL of threads as they are read: their messages and, with them, what they show of the conversation.

Python takes longer to decode a column than to show it, so nothing is read that is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import LiteralString

import msgspec

from criachat.conversations.heads import HEAD_FOR_ALL, HEAD_FOR_MEMBER, ThreadHead, decode_head
from criachat.conversations.snapshots import AttachmentSnapshot
from criachat.kit.db import Db
from criachat.messages.models import Hanging, Line
from criachat.messages.queries import ATTACHMENT
from criachat.users.roster import SPEAKERS, Speaker, Unknown, decode_speakers

ROW: LiteralString = """
        id, content, inbox_id, message_type, content_type, status, content_attributes, created_at, private, source_id,
        sender_type, sender_id, has_attachments
"""
IN_THREAD: LiteralString = """
        account_id = $1
        AND conversation_id = (SELECT id FROM conversations WHERE account_id = $1 AND display_id = $2)
        AND NOT ($4 AND (private OR message_type = 2))
"""
LATEST: LiteralString = (
    """(
    SELECT"""
    + ROW
    + "    FROM messages WHERE"
    + IN_THREAD
    + """        AND id < $5
    ORDER BY id DESC
    LIMIT 20
)"""
)
# A run of a thread ends at $7 messages, or with the one that makes the answer longer than $8 bytes: beside each stands
# its contact.
RUN: LiteralString = (
    """(
    SELECT"""
    + ROW
    + "    FROM (SELECT"
    + ROW
    + """,
            sum(octet_length(content_attributes::text) + coalesce(octet_length(content), 0) + (
                SELECT 500 + octet_length(contacts.additional_attributes::text)
                    + octet_length(contacts.custom_attributes::text)
                FROM conversations JOIN contacts ON contacts.account_id = $1 AND contacts.id = conversations.contact_id
                WHERE conversations.account_id = $1 AND conversations.display_id = $2
            )) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier_bytes
        FROM messages WHERE"""
    + IN_THREAD
    + """        AND id >= $6 AND id < $5
        ORDER BY id
        LIMIT $7
    ) AS earliest
    WHERE coalesce(earlier_bytes, 0) < $8
)"""
)


def thread_of(lines: LiteralString, head: LiteralString) -> LiteralString:
    """These messages, and one row more for the head, which is no message: its id is 0."""
    return (
        """
SELECT id, content, inbox_id, message_type, content_type, status,
    nullif(content_attributes, '{}')::json AS content_attributes,
    trunc(date_part('epoch', created_at))::bigint AS created_at, private, source_id, sender_type, sender_id,
    has_attachments, NULL::json AS head
FROM """
        + lines
        + """ AS lines
UNION ALL
SELECT 0::bigint, NULL::text, 0::bigint, 0::smallint, ''::text, ''::text, NULL::json, 0::bigint, false, NULL::text,
    NULL::text, NULL::bigint, false,
    """
        + head
    )


LIST_LATEST: LiteralString = thread_of(LATEST, HEAD_FOR_ALL)
LIST_LATEST_FOR_MEMBER: LiteralString = thread_of(LATEST, HEAD_FOR_MEMBER)
LIST_RUN: LiteralString = thread_of(RUN, HEAD_FOR_ALL)
LIST_RUN_FOR_MEMBER: LiteralString = thread_of(RUN, HEAD_FOR_MEMBER)
# What hangs on a thread, where there is any: the files of the messages $4, and whoever speaks in it and is not known.
FIND_HANGING: LiteralString = (
    """
SELECT (SELECT json_agg("""
    + ATTACHMENT
    + """ ORDER BY id)
    FROM attachments WHERE account_id = $1 AND message_id = ANY($4::bigint[])
) AS files, """
    + SPEAKERS
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which thread, for whom when they have to belong there, and which messages of it: those before an id."""

    account_id: int
    display_id: int
    member_id: int | None
    without_internal: bool
    before: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """From one id on, as far as the limits allow."""

    first: int
    limit: int
    limit_bytes: int


async def list_thread(db: Db, asked: Asked, run: Run | None) -> tuple[ThreadHead | None, list[Line]]:
    """The head, None where there is no such conversation; and the newest 20 messages, or those of the run, oldest
    first."""
    values = (asked.account_id, asked.display_id, asked.member_id, asked.without_internal, asked.before)
    if run is None:
        sql = LIST_LATEST if asked.member_id is None else LIST_LATEST_FOR_MEMBER
        rows = await db.fetch_all(Line, sql, *values)
    else:
        sql = LIST_RUN if asked.member_id is None else LIST_RUN_FOR_MEMBER
        rows = await db.fetch_all(Line, sql, *values, run.first, run.limit, run.limit_bytes)
    rows.sort(key=attrgetter("id"))
    if not rows or rows[0].head is None:
        return None, []
    return decode_head(rows[0].head), rows[1:]


async def find_hanging(
    db: Db, account_id: int, message_ids: Sequence[int], unknown: Unknown
) -> tuple[list[AttachmentSnapshot], list[Speaker]]:
    """The attachments of these messages, in their order; and these speakers, those that there are."""
    values = (unknown.people, unknown.bots, message_ids)
    found = await db.fetch_one(Hanging, FIND_HANGING, account_id, *values)
    speakers = [speaker for raw in (found.people, found.bots) if raw is not None for speaker in decode_speakers(raw)]
    return [] if found.files is None else _decode_files(found.files), speakers


_decode_files = msgspec.json.Decoder(list[AttachmentSnapshot]).decode
