"""What the product says by itself: greetings, surveys, and what happened to a conversation."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.kit import actors
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.messages.models import OURS, Draft, Said
from criachat.messages.operations.saying import SEQUENCE, say

# Nobody floods a conversation with these: one event makes a handful at most.
UNLIMITED = 2**31 - 1

Write = Callable[[Conversation], Draft | None]


async def say_by_itself(tx: Tx, account_id: int, display_id: int, write: Write, *, cause: str) -> Said | None:
    """Say what `write` makes of the conversation as it is now, if anything; None also when it is gone.

    The draft has a `client_message_id`, so that a second delivery of the same event says nothing twice; it is kept
    apart from those that callers choose.
    """
    actor = actors.system(account_id)

    async def load() -> Conversation:
        return await conversations.load_conversation_and_reserve(tx, actor, display_id, sequence=SEQUENCE)

    try:
        conversation = await load()
    except NotFound:
        return None
    draft = write(conversation)
    if draft is None:
        return None
    draft = msgspec.structs.replace(draft, client_message_id=f"{OURS}{draft.client_message_id}")
    return await say(tx, load, draft, actor=actor, limit_per_minute=UNLIMITED, first=conversation, cause=cause)
