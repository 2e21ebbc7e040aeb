"""What notifications listen to."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations.events import (
    AssigneeChanged,
    ConversationBotHandoff,
    ConversationCreated,
    ConversationMentioned,
)
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.messages.events import MessageCreated
from criachat.notifications.occasions import Heard
from criachat.notifications.operations import telling

listeners = Listeners("notifications")


@listeners.on(ConversationCreated, ConversationBotHandoff, AssigneeChanged, MessageCreated, ConversationMentioned)
async def notify(tx: Tx, events: Sequence[Heard]) -> None:
    """Tell people what concerns them. One listener for all of it, so that of a conversation the last word counts."""
    await telling.tell_of(tx, events[0].account_id, events)
