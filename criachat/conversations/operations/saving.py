"""Every change of a conversation goes through here: locked, compared, written, told of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from criachat.conversations import access
from criachat.conversations.events import (
    AssigneeChanged,
    ConversationEvent,
    ConversationOpened,
    ConversationRead,
    ConversationResolved,
    ConversationStatusChanged,
    ConversationUpdated,
    TeamChanged,
)
from criachat.conversations.models import PRIORITIES, Conversation
from criachat.conversations.queries import lock_conversation, writes
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import by, emit
from criachat.kit.times import iso
from criachat.users.snapshots import snapshot_of

WATCHED = (
    "team_id",
    "assignee_id",
    "assignee_agent_bot_id",
    "status",
    "snoozed_until",
    "custom_attributes",
    "labels",
    "waiting_since",
    "priority",
)
WRITTEN = (*WATCHED, "contact_last_seen_at")

Change = Callable[[Conversation], dict[str, Any]]


async def save(
    tx: Tx, conversation: Conversation, change: Change, *, actor: Actor, cause: str | None = None
) -> Conversation:
    """Change the conversation and tell what changed; the conversation as it is afterwards.

    The row is locked and read again first, and `change` is asked what to write of what it is *now*: of two agents who
    act at once, the second sees what the first did. Nothing is written or told when nothing changes.
    """
    await lock_conversation(tx, conversation.account_id, conversation.id)
    before = await access.load_again(tx, conversation, actor=actor)
    wanted = msgspec.structs.replace(before, **change(before))
    if wanted.status != "snoozed" and wanted.snoozed_until is not None:
        wanted = msgspec.structs.replace(wanted, snoozed_until=None)
    if all(getattr(before, name) == getattr(wanted, name) for name in WRITTEN):
        return before
    await writes.save_conversation(tx, wanted)
    if wanted.assignee_id is not None and wanted.assignee_id != before.assignee_id:
        await writes.insert_participant(tx, wanted, wanted.assignee_id)
    after = await access.load_again(tx, conversation, actor=actor)
    await emit(tx, *told(before, after, actor=actor, cause=cause))
    return after


def told(
    before: Conversation, after: Conversation, *, actor: Actor, cause: str | None = None
) -> list[ConversationEvent]:
    """The events of a change, in the contract's order."""
    common: dict[str, Any] = {
        **by(actor),
        "account_id": after.account_id,
        "inbox_id": after.inbox_id,
        "conversation_id": after.id,
        "contact_id": after.contact_id,
        "cause": cause,
        "snapshot": after.snapshot(),
        "performer": snapshot_of(actor),
    }
    changes = changes_between(before, after)
    events: list[ConversationEvent] = []
    if before.status != after.status:
        status_change = {"status": [before.status, after.status]}
        if after.status == "open":
            events.append(ConversationOpened(**common, changes=status_change))
        if after.status == "resolved":
            events.append(ConversationResolved(**common, changes=status_change))
        events.append(ConversationStatusChanged(**common, changes=status_change))
    if before.contact_last_seen_at != after.contact_last_seen_at:
        events.append(ConversationRead(**common))
    if any(getattr(before, name) != getattr(after, name) for name in WATCHED):
        events.append(ConversationUpdated(**common, changes=changes))
    if before.assignee_id != after.assignee_id:
        events.append(AssigneeChanged(**common, previous=before.assignee_id, current=after.assignee_id))
    if before.team_id != after.team_id:
        events.append(TeamChanged(**common, previous=before.team_id, current=after.team_id))
    return events


def changes_between(before: Conversation, after: Conversation) -> dict[str, list[Any]]:
    """What changed, in the names and forms of the wire."""
    changes: dict[str, list[Any]] = {}
    for name in (*WRITTEN, "first_reply_created_at", "updated_at"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes["label_list" if name == "labels" else name] = [_on_the_wire(name, old), _on_the_wire(name, new)]
    return changes


def _on_the_wire(name: str, value: Any) -> Any:
    if name == "priority" and isinstance(value, int):
        return PRIORITIES[value]
    return iso(value) if isinstance(value, datetime) else value
