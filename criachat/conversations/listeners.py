"""What conversations do when something happened elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations.jobs import Retag, jobs, retag_conversations
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.labels.events import LabelRenamed

listeners = Listeners("conversations")


@listeners.on(LabelRenamed)
async def have_conversations_retagged(tx: Tx, events: Sequence[LabelRenamed]) -> None:
    """Have those with the label find it under its new title."""
    for event in events:
        params = Retag(event.account_id, event.previous, event.current, f"event:{event.id}")
        await jobs.enqueue(tx, retag_conversations, params, dedupe_key=f"retag:{event.account_id}:{event.id}")
