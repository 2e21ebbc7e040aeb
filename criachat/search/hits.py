"""What was found, as it is shown: read in two statements, whatever was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.messages import access as messages
from criachat.messages.schemas import MessageOut, message_out
from criachat.search.models import FoundConversation
from criachat.search.schemas import ConversationHitOut, conversation_hit_out
from criachat.users.shown import Shown


class Known(msgspec.Struct, frozen=True):
    """Conversations and messages by their database ids."""

    by_conversation: Mapping[int, Conversation]
    by_message: Mapping[int, MessageOut]

    def messages(self, message_ids: Sequence[int]) -> list[MessageOut]:
        """These messages, those that are still there."""
        return [self.by_message[message_id] for message_id in message_ids if message_id in self.by_message]

    def conversations(self, found: Sequence[FoundConversation], *, has_attributes: bool) -> list[ConversationHitOut]:
        """These conversations, those that are still there, each with its first message."""
        return [
            conversation_hit_out(
                self.by_conversation[each.id],
                channel_id=each.channel_id,
                message=self.by_message.get(each.first_message_id or 0),
                has_attributes=has_attributes,
            )
            for each in found
            if each.id in self.by_conversation
        ]


async def known_of(
    db: Db, actor: Actor, shown: Shown, found: Sequence[FoundConversation], message_ids: Sequence[int]
) -> Known:
    """Everything that is to be shown of these conversations and messages."""
    first_ids = [each.first_message_id for each in found if each.first_message_id is not None]
    said = await messages.list_messages_by_id(db, actor.account_id, [*message_ids, *first_ids])
    places = {each.id for each in found} | {each.conversation_id for each in said.values()}
    there = await conversations.list_conversations_by_id(db, actor.account_id, [*places])
    return Known(
        there,
        {
            each.id: message_out(each.snapshot(there[each.conversation_id]), shown)
            for each in said.values()
            if each.conversation_id in there
        },
    )
