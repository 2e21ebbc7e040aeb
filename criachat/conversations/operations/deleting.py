"""Conversations that go."""

from __future__ import annotations

from criachat.contacts import operations as contacts
from criachat.conversations.events import ConversationDeleted
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import facts
from criachat.conversations.queries import removing
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.events import emit

BATCH = 100
# As with a contact: more messages than that take longer to remove than a request may.
LONG = 20_000
MESSAGES_BATCH = 2000


async def delete_conversation(tx: Tx, conversation: Conversation, *, actor: Actor) -> None:
    """Remove it with all that was said in it, at once; its files go soon after.

    Of a very long one what was said goes after it: it belongs to nobody from now on, and so is found no more.
    """
    if not await removing.delete_unless_long(tx, conversation, messages=LONG):
        nobody = await contacts.stand_in(tx, conversation.account_id, conversation.inbox_id)
        session = {"contact_id": nobody.contact_id, "contact_inbox_id": nobody.id}
        if not await removing.give_away(tx, conversation, **session):
            raise NotFound
    await emit(tx, ConversationDeleted(**facts(conversation, actor=actor)))


async def remove_some(tx: Tx, account_id: int) -> bool:
    """Remove a batch of the conversations of an account that goes; False when none was left."""
    return await removing.delete_some(tx, account_id, limit=BATCH, messages=MESSAGES_BATCH) > 0


async def remove_some_of_inbox(tx: Tx, account_id: int, inbox_id: int) -> bool:
    """Remove a batch of the conversations of an inbox that goes; False when none was left."""
    limits = {"limit": BATCH, "messages": MESSAGES_BATCH}
    return await removing.delete_some_of_inbox(tx, account_id, inbox_id, **limits) > 0


async def remove_some_of_left_contact(tx: Tx, account_id: int) -> bool:
    """Remove a batch of what is left of a contact who is gone; False when nothing is left of any."""
    contact_id = await contacts.hold_left(tx, account_id)
    if contact_id is None:
        return False
    limits = {"limit": BATCH, "messages": MESSAGES_BATCH}
    if not await removing.delete_some_of_contact(tx, account_id, contact_id, **limits):
        await contacts.forget_some_of_left(tx, account_id, contact_id)
    return True
