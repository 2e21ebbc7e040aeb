"""Conversations that go."""

from __future__ import annotations

from criachat.conversations.events import ConversationDeleted
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import facts
from criachat.conversations.queries import writes
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.events import emit


async def delete_conversation(tx: Tx, conversation: Conversation, *, actor: Actor) -> None:
    """Remove it with all that was said in it, at once; its files go soon after."""
    if not await writes.delete_conversation(tx, conversation):
        raise NotFound
    await emit(tx, ConversationDeleted(**facts(conversation, actor=actor)))
