"""The SQL of the messages that a search finds in conversations."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations.models import Hit
from criachat.kit.db import Db
from criachat.kit.paging import containing

# The newest 20 of each conversation: nobody reads more before they open it.
LIST_HITS = """
SELECT hits.conversation_id, hits.id, hits.content, hits.message_type, hits.created_at,
    coalesce(users.name, agent_bots.name, contacts.name) AS sender_name
FROM unnest($2::bigint[]) AS wanted (conversation_id)
CROSS JOIN LATERAL (
    SELECT messages.account_id, messages.conversation_id, messages.id, messages.content, messages.message_type,
        messages.created_at, messages.sender_type, messages.sender_id
    FROM messages
    WHERE messages.account_id = $1 AND messages.conversation_id = wanted.conversation_id
        AND messages.message_type IN (0, 1) AND messages.content ILIKE $3
    ORDER BY messages.id DESC
    LIMIT 20
) AS hits
LEFT JOIN users ON hits.sender_type = 'User' AND users.id = hits.sender_id
LEFT JOIN agent_bots ON hits.sender_type = 'AgentBot' AND agent_bots.account_id = $1 AND agent_bots.id = hits.sender_id
LEFT JOIN contacts ON hits.sender_type = 'Contact' AND contacts.account_id = $1 AND contacts.id = hits.sender_id
ORDER BY hits.conversation_id, hits.id
"""


async def list_hits(db: Db, account_id: int, conversation_ids: Sequence[int], words: str) -> list[Hit]:
    """What was said in these conversations with these words in it, in order."""
    return await db.fetch_all(Hit, LIST_HITS, account_id, conversation_ids, containing(words))
