"""The SQL of taking in what was said elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import MessageSnapshot
from criachat.kit import clock
from criachat.kit.db import Db, Tx

LIST_KNOWN = """
SELECT source_id FROM messages
WHERE account_id = $1 AND inbox_id = $2 AND source_id = ANY($4::text[]) AND conversation_id = $3
UNION
SELECT source_id FROM message_source_ids
WHERE account_id = $1 AND inbox_id = $2 AND source_id = ANY($4::text[]) AND $5
"""
RESERVE_IDS = "SELECT nextval('messages_id_seq') FROM generate_series(1, $1)"
INSERT_HISTORY = """
INSERT INTO messages (account_id, conversation_id, inbox_id, updated_at, id, message_type, content, content_attributes,
    private, source_id, sender_type, sender_id, created_at)
SELECT $1, $2, $3, $4, new.*
FROM unnest($5::bigint[], $6::smallint[], $7::text[], $8::jsonb[], $9::boolean[], $10::text[], $11::text[],
    $12::bigint[], $13::timestamptz[]) AS new
"""
INSERT_SOURCE_IDS = """
INSERT INTO message_source_ids (account_id, inbox_id, source_id, message_id)
SELECT $1, $2, new.* FROM unnest($3::text[], $4::bigint[]) AS new
"""


async def list_known(db: Db, conversation: Conversation, source_ids: Sequence[str]) -> set[str]:
    """Those of these external ids that the conversation has already, or its inbox where it takes each once."""
    key = (conversation.account_id, conversation.inbox_id, conversation.id)
    return set(await db.fetch_values(LIST_KNOWN, *key, source_ids, conversation.deduplicates_source_ids))


async def reserve_ids(db: Db, count: int) -> list[int]:
    """As many ids as there are messages, ascending."""
    return sorted(await db.fetch_values(RESERVE_IDS, count))


async def insert_history(tx: Tx, conversation: Conversation, said: Sequence[MessageSnapshot]) -> None:
    """Write these messages, as they were said."""
    await tx.execute(
        INSERT_HISTORY,
        conversation.account_id,
        conversation.id,
        conversation.inbox_id,
        clock.now(),
        [each.id for each in said],
        [each.message_type for each in said],
        [each.content for each in said],
        [each.content_attributes for each in said],
        [each.private for each in said],
        [each.source_id for each in said],
        [each.sender_type for each in said],
        [each.sender_id for each in said],
        [each.created_at for each in said],
    )
    if conversation.deduplicates_source_ids:
        key = (conversation.account_id, conversation.inbox_id)
        await tx.execute(INSERT_SOURCE_IDS, *key, [each.source_id for each in said], [each.id for each in said])
