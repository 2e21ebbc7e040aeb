"""What channels do when something was said in one of their inboxes."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.conversations.snapshots import OUTGOING, TEMPLATE
from criachat.inboxes.models import API
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.messages.events import MessageCreated, MessageUpdated
from criachat.messages.operations.changing import report_delivery

listeners = Listeners("channels")

# Whoever has an inbox with an API channel is told by webhook, and says themselves what became of a message.
CONNECTED = frozenset((API,))
NOT_CONNECTED = "channel not connected"
SENT_AGAIN = ["failed", "sent"]


@listeners.on(MessageCreated, MessageUpdated)
async def fail_what_nobody_sends(tx: Tx, events: Sequence[MessageCreated | MessageUpdated]) -> None:
    """Say of what was to go out, also when it is tried again, that no channel takes it anywhere."""
    for event in events:
        if _is_to_go_out(event) and event.snapshot.conversation.inbox.channel_type not in CONNECTED:
            await report_delivery(
                tx,
                event.account_id,
                event.snapshot.message.id,
                has_failed=True,
                error=NOT_CONNECTED,
                cause=f"event:{event.id}",
            )


def _is_to_go_out(event: MessageCreated | MessageUpdated) -> bool:
    """What came with an id of the channel's own was sent elsewhere already."""
    message = event.snapshot.message
    is_new = isinstance(event, MessageCreated) or (event.changes or {}).get("status") == SENT_AGAIN
    is_for_them = message.message_type in (OUTGOING, TEMPLATE) and not message.private
    return is_new and is_for_them and not message.source_id
