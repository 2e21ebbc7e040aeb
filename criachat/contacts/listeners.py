"""What contacts do when something happened elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.contacts.events import ContactDeleted
from criachat.contacts.jobs import RemoveSessions, Retag, jobs, remove_sessions_later, retag_contacts
from criachat.contacts.operations.importing import withdraw_files
from criachat.inboxes.events import InboxDeleted
from criachat.kit import clock
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.labels.events import LabelRenamed

listeners = Listeners("contacts")


@listeners.on(LabelRenamed)
async def have_contacts_retagged(tx: Tx, events: Sequence[LabelRenamed]) -> None:
    """Have those with the label find it under its new title."""
    for event in events:
        params = Retag(event.account_id, event.previous, event.current, f"event:{event.id}")
        await jobs.enqueue(tx, retag_contacts, params, dedupe_key=f"retag:{event.account_id}:{event.id}")


@listeners.on(InboxDeleted)
async def have_sessions_removed(tx: Tx, events: Sequence[InboxDeleted]) -> None:
    """Remove what was said in an inbox; the inbox itself waits for that."""
    for event in events:
        await remove_sessions_later(tx, RemoveSessions(event.account_id, event.snapshot.id))


@listeners.on(ContactDeleted)
async def withdraw_files_that_show_them(tx: Tx, events: Sequence[ContactDeleted]) -> None:
    """Whoever is gone stands in no file either that was written or sent before."""
    for account_id in sorted({event.account_id for event in events}):
        gone_at = max(event.created_at or clock.now() for event in events if event.account_id == account_id)
        await withdraw_files(tx, account_id, gone_at=gone_at)
