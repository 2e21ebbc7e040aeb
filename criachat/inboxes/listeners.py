"""What inboxes do when something happened to them."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.inboxes.events import InboxDeleted
from criachat.inboxes.jobs import RemoveInbox, enqueue_removal
from criachat.kit.db import Tx
from criachat.kit.events import Listeners

listeners = Listeners("inboxes")


@listeners.on(InboxDeleted)
async def have_inboxes_removed(tx: Tx, events: Sequence[InboxDeleted]) -> None:
    """Remove in the background what is hidden already."""
    for event in events:
        await enqueue_removal(tx, RemoveInbox(event.account_id, event.snapshot.id))
