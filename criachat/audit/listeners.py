"""What the audit log listens to: everything that changes how an account works, or cannot be undone."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.accounts.events import AdministrationChanged
from criachat.audit import queries
from criachat.audit.changes import Heard, change_of
from criachat.auth.events import SignedIn, SignedOut
from criachat.contacts.events import ContactMerged
from criachat.conversations.events import ConversationDeleted
from criachat.inboxes.events import InboxCreated, InboxDeleted, InboxUpdated
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.labels.events import LabelRenamed
from criachat.users.events import AgentAdded, AgentRemoved, AgentUpdated

listeners = Listeners("audit")


@listeners.on(
    AdministrationChanged,
    AgentAdded,
    AgentUpdated,
    AgentRemoved,
    InboxCreated,
    InboxUpdated,
    InboxDeleted,
    LabelRenamed,
    ConversationDeleted,
    ContactMerged,
    SignedIn,
    SignedOut,
)
async def write_down(tx: Tx, events: Sequence[Heard]) -> None:
    """Write down who changed what."""
    changes = [change for event in events if (change := change_of(event)) is not None]
    if changes:
        await queries.insert_entries(tx, events[0].account_id, changes)
