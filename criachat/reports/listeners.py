"""What reports listen to."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations.events import ConversationBotHandoff, ConversationOpened, ConversationResolved
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.messages.events import FirstReplyCreated, ReplyCreated
from criachat.reports import operations
from criachat.reports.measuring import Heard

listeners = Listeners("reports")


@listeners.on(FirstReplyCreated, ReplyCreated, ConversationResolved, ConversationOpened, ConversationBotHandoff)
async def record_durations(tx: Tx, events: Sequence[Heard]) -> None:
    """Record how long it took. One listener for all of it: some of it is measured from what was recorded before."""
    await operations.record(tx, events[0].account_id, events)
