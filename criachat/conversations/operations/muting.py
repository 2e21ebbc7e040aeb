"""Hearing no more of a contact, and hearing of them again."""

from __future__ import annotations

import msgspec

from criachat.contacts import access as contacts
from criachat.contacts import operations as contact_operations
from criachat.contacts.schemas import ContactParams
from criachat.conversations.events import ConversationMuted, ConversationUnmuted
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import facts, save
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import emit


async def mute(tx: Tx, conversation: Conversation, *, actor: Actor, cause: str | None = None) -> Conversation:
    """Resolve the conversation and block its contact, which mutes all of their conversations."""
    resolved = (await save(tx, conversation, lambda _: {"status": "resolved"}, actor=actor, cause=cause)).after
    return await _block(tx, resolved, is_blocked=True, actor=actor, cause=cause)


async def unmute(tx: Tx, conversation: Conversation, *, actor: Actor) -> Conversation:
    """Hear of the contact again; what they are muted in stays resolved."""
    return await _block(tx, conversation, is_blocked=False, actor=actor, cause=None)


async def _block(
    tx: Tx, conversation: Conversation, *, is_blocked: bool, actor: Actor, cause: str | None
) -> Conversation:
    contact = await contacts.load_contact_to_change(tx, actor, conversation.contact_id)
    after = msgspec.structs.replace(conversation, contact_blocked=is_blocked)
    if contact.blocked == is_blocked:
        return after
    await contact_operations.change_contact(tx, contact, ContactParams(blocked=is_blocked), actor=actor)
    kind = ConversationMuted if is_blocked else ConversationUnmuted
    await emit(tx, kind(**facts(after, actor=actor, cause=cause)))
    return after
