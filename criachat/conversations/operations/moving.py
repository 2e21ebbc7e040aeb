"""Conversations that belong to another contact from now on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from criachat.contacts.models import Contact
from criachat.contacts.snapshots import ContactSnapshot
from criachat.conversations.events import ConversationContactChanged
from criachat.conversations.models import Conversation
from criachat.conversations.queries import list_conversations_by_id
from criachat.conversations.queries import moving as queries
from criachat.conversations.snapshots import LastMessages, MessageSnapshot
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import by, emit
from criachat.users.snapshots import snapshot_of

BATCH = 100


async def move_to_contact(
    tx: Tx, account_id: int, conversation_ids: Sequence[int] | None, *, from_id: int, to_id: int
) -> list[int]:
    """Have these conversations of one contact, or all of them, be another's; their database ids."""
    return await queries.move_to_contact(tx, account_id, conversation_ids, from_id=from_id, to_id=to_id)


async def tell_moved(
    tx: Tx, conversation_ids: Sequence[int], *, from_contact_id: int, to: Contact, actor: Actor
) -> None:
    """Tell of conversations that were moved to this contact, as the contact is now."""
    for start in range(0, len(conversation_ids), BATCH):
        batch = conversation_ids[start : start + BATCH]
        moved = await list_conversations_by_id(tx, to.account_id, batch)
        newest = {each.id: _written_by(last, to.snapshot()) for each in moved if (last := each.newest()) is not None}
        await queries.set_last_messages(tx, to.account_id, newest)
        changes = {"contact_id": [from_contact_id, to.id]}
        await emit(tx, *(_told(each, newest.get(each.id), changes, actor) for each in moved))


def _told(
    conversation: Conversation, newest: LastMessages | None, changes: dict[str, list[int]], actor: Actor
) -> ConversationContactChanged:
    return ConversationContactChanged(
        **by(actor),
        account_id=conversation.account_id,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        changes=changes,
        snapshot=conversation.snapshot(last_message=None if newest is None else newest.newest_public),
        performer=snapshot_of(actor),
    )


def _written_by(messages: LastMessages, contact: ContactSnapshot) -> LastMessages:
    """The same messages, with the contact as who wrote what a contact wrote."""

    def written(message: MessageSnapshot | None) -> MessageSnapshot | None:
        if message is None or not isinstance(message.sender, ContactSnapshot):
            return message
        return msgspec.structs.replace(message, sender=contact, sender_id=contact.id)

    return LastMessages(
        newest=written(messages.newest) or messages.newest,
        spoken=written(messages.spoken),
        public=written(messages.public),
    )
