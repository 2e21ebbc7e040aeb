"""Every change of a conversation goes through here: compared, written, told of."""

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
from criachat.conversations.models import Conversation
from criachat.conversations.queries import writes
from criachat.conversations.snapshots import PRIORITIES
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


class Saved(msgspec.Struct, frozen=True):
    """A conversation before a change and after it; the same twice where nothing changed."""

    before: Conversation
    after: Conversation


async def save(tx: Tx, conversation: Conversation, change: Change, *, actor: Actor, cause: str | None = None) -> Saved:
    """Change the conversation and tell what changed. Nothing is written or told when nothing changes.

    `change` says what to write of a conversation as it is. It is asked again, of the row locked by then, when somebody
    else changed it since it was read: of two agents who act at once, the second sees what the first did.
    """
    before = conversation
    while True:
        wanted = _settled(before, msgspec.structs.replace(before, **change(before)))
        if all(getattr(before, name) == getattr(wanted, name) for name in WRITTEN):
            return Saved(before, before)
        after = await writes.save_conversation(tx, wanted, user_id=actor.user_id)
        if after is not None:
            break
        await access.lock_conversation(tx, conversation)
        before = await access.load_again(tx, conversation, actor=actor)
    if after.assignee_id is not None and after.assignee_id != before.assignee_id:
        await writes.insert_participant(tx, after, after.assignee_id)
    await emit(tx, *told(before, after, actor=actor, cause=cause))
    return Saved(before, after)


def _settled(before: Conversation, wanted: Conversation) -> Conversation:
    """What follows from its status: only a snooze has an end, and nobody waits for an answer once it is resolved."""
    if wanted.status != "snoozed" and wanted.snoozed_until is not None:
        wanted = msgspec.structs.replace(wanted, snoozed_until=None)
    if is_resolving(before, wanted):
        wanted = msgspec.structs.replace(wanted, waiting_since=None)
    return wanted


def is_resolving(before: Conversation, after: Conversation) -> bool:
    """Whether a change resolves the conversation."""
    return before.status != "resolved" and after.status == "resolved"


def facts(conversation: Conversation, *, actor: Actor, cause: str | None = None) -> dict[str, Any]:
    """What every event about the conversation says: whose it is, who did it, and what it is now."""
    return {
        **by(actor),
        "account_id": conversation.account_id,
        "inbox_id": conversation.inbox_id,
        "conversation_id": conversation.id,
        "contact_id": conversation.contact_id,
        "cause": cause,
        "snapshot": conversation.snapshot(),
        "performer": snapshot_of(actor),
        "screen_locale": actor.screen_locale,
    }


def told(
    before: Conversation, after: Conversation, *, actor: Actor, cause: str | None = None
) -> list[ConversationEvent]:
    """The events of a change, in the contract's order."""
    common = facts(after, actor=actor, cause=cause)
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
        events.append(
            AssigneeChanged(**common, changes=changes, previous=before.assignee_id, current=after.assignee_id)
        )
    if before.team_id != after.team_id:
        events.append(TeamChanged(**common, changes=changes, previous=before.team_id, current=after.team_id))
    return events


def changes_between(before: Conversation, after: Conversation) -> dict[str, list[Any]]:
    """What changed, in the names and forms of the wire. That nobody waits once it is resolved goes without saying."""
    unsaid = "waiting_since" if is_resolving(before, after) else None
    changes: dict[str, list[Any]] = {}
    for name in (*WRITTEN, "first_reply_created_at", "updated_at"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new and name != unsaid:
            changes["label_list" if name == "labels" else name] = [_on_the_wire(name, old), _on_the_wire(name, new)]
    return changes


def _on_the_wire(name: str, value: Any) -> Any:
    if name == "priority" and isinstance(value, int):
        return PRIORITIES[value]
    return iso(value) if isinstance(value, datetime) else value
