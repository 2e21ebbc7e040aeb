"""Who is told of what happens in a conversation beside its assignee: participants, and those who are mentioned."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations import access
from criachat.conversations.events import ConversationMentioned, ParticipantsChanged
from criachat.conversations.models import Conversation, Mentions
from criachat.conversations.operations.saving import facts
from criachat.conversations.queries import people
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import emit


async def add_participants(
    tx: Tx, conversation: Conversation, user_ids: Sequence[int], *, actor: Actor, cause: str | None = None
) -> list[int]:
    """Have these people told of it too; who is new.

    Whoever could not see the inbox is passed over.
    """
    added = await people.insert_participants(tx, conversation, user_ids)
    await _tell(tx, conversation, added, [], actor=actor, cause=cause)
    return added


async def set_participants(tx: Tx, conversation: Conversation, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Have just these people told of it.

    The conversation is locked first, so that of two who do this at once one list is what remains, not a mixture.
    """
    await access.lock_conversation(tx, conversation)
    removed = await people.delete_other_participants(tx, conversation, user_ids)
    added = await people.insert_participants(tx, conversation, user_ids)
    await _tell(tx, conversation, added, removed, actor=actor)


async def remove_participants(tx: Tx, conversation: Conversation, user_ids: Sequence[int], *, actor: Actor) -> None:
    """Have these people told of it no more."""
    removed = await people.delete_participants(tx, conversation, user_ids)
    await _tell(tx, conversation, [], removed, actor=actor)


async def mention(tx: Tx, conversation: Conversation, mentions: Mentions, *, actor: Actor, cause: str) -> None:
    """Ask people for a look, as a private note does; they take part from then on.

    Whoever could not see the inbox is passed over. Of one note everybody is told once.
    """
    user_ids = await people.insert_mentions(tx, conversation, mentions)
    if not user_ids:
        return
    told = facts(conversation, actor=actor, cause=cause)
    await emit(tx, ConversationMentioned(**told, message_id=mentions.message_id, user_ids=user_ids))
    await add_participants(tx, conversation, user_ids, actor=actor, cause=cause)


async def _tell(
    tx: Tx,
    conversation: Conversation,
    added: list[int],
    removed: list[int],
    *,
    actor: Actor,
    cause: str | None = None,
) -> None:
    if added or removed:
        told = facts(conversation, actor=actor, cause=cause)
        await emit(tx, ParticipantsChanged(**told, added=added, removed=removed))
