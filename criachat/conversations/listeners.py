"""What conversations do when something happened elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.accounts.events import AdministrationChanged
from criachat.conversations.jobs import (
    RemoveConversations,
    Retag,
    jobs,
    let_go_later,
    remove_conversations,
    retag_conversations,
)
from criachat.inboxes.events import InboxDeleted
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.labels.events import LabelRenamed
from criachat.users.events import AgentRemoved

listeners = Listeners("conversations")


@listeners.on(LabelRenamed)
async def have_conversations_retagged(tx: Tx, events: Sequence[LabelRenamed]) -> None:
    """Have those with the label find it under its new title."""
    for event in events:
        params = Retag(event.account_id, event.previous, event.current, f"event:{event.id}")
        await jobs.enqueue(tx, retag_conversations, params, dedupe_key=f"retag:{event.account_id}:{event.id}")


@listeners.on(AgentRemoved)
async def let_go_of_members(tx: Tx, events: Sequence[AgentRemoved]) -> None:
    """Have nobody named in conversations who is no member any more."""
    for account_id in sorted({event.account_id for event in events}):
        await let_go_later(tx, account_id)


@listeners.on(AdministrationChanged)
async def let_go_of_teams(tx: Tx, events: Sequence[AdministrationChanged]) -> None:
    """Have no team named in conversations that was removed."""
    gone = {each.account_id for each in events if each.auditable_type == "Team" and each.action == "destroy"}
    for account_id in sorted(gone):
        await let_go_later(tx, account_id)


@listeners.on(InboxDeleted)
async def have_conversations_removed(tx: Tx, events: Sequence[InboxDeleted]) -> None:
    """Remove the conversations of an inbox; sessions with very many of them wait for that."""
    for event in events:
        params = RemoveConversations(event.account_id, event.snapshot.id)
        key = f"inbox:{event.account_id}:{event.snapshot.id}"
        await jobs.enqueue(tx, remove_conversations, params, dedupe_key=key)
