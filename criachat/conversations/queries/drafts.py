"""The SQL of what somebody began to write."""

from __future__ import annotations

from criachat.conversations.models import Conversation
from criachat.kit import clock
from criachat.kit.db import Db, Tx

FIND_DRAFT = "SELECT message FROM conversation_drafts WHERE account_id = $1 AND conversation_id = $2"
SET_DRAFT = """
INSERT INTO conversation_drafts (account_id, conversation_id, message, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, conversation_id) DO UPDATE SET message = excluded.message, updated_at = excluded.updated_at
"""
DELETE_DRAFT = "DELETE FROM conversation_drafts WHERE account_id = $1 AND conversation_id = $2"


async def find_draft(db: Db, conversation: Conversation) -> str | None:
    """What was begun, or None."""
    return await db.fetch_value(FIND_DRAFT, conversation.account_id, conversation.id)


async def set_draft(tx: Tx, conversation: Conversation, message: str) -> None:
    """Keep what was begun, instead of what was kept before."""
    await tx.execute(SET_DRAFT, conversation.account_id, conversation.id, message, clock.now())


async def delete_draft(tx: Tx, conversation: Conversation) -> None:
    """Forget what was begun."""
    await tx.execute(DELETE_DRAFT, conversation.account_id, conversation.id)
