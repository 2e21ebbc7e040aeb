"""Opening, resolving, snoozing, and how urgent it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

from criachat.conversations import access
from criachat.conversations.errors import SnoozeInvalid, UnknownPriority, UnknownStatus
from criachat.conversations.events import ConversationBotHandoff
from criachat.conversations.models import PRIORITIES, Conversation
from criachat.conversations.operations.saving import save
from criachat.conversations.queries import writes
from criachat.conversations.snapshots import Priority, Status
from criachat.kit import actors
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import by, emit
from criachat.users.snapshots import snapshot_of

STATUSES: tuple[Status, ...] = get_args(Status)
LAST_SECOND = 253_402_300_799  # the end of the year 9999


async def change_status(
    tx: Tx,
    conversation: Conversation,
    status: str | None,
    *,
    snoozed_until: datetime | None = None,
    actor: Actor,
    cause: str | None = None,
) -> Conversation:
    """Give it this status, or toggle between open and resolved without one.

    An agent who opens a conversation takes it. A bot that opens a pending one hands it to people.
    """
    if status and status not in STATUSES:
        raise UnknownStatus
    is_handoff = actor.type == "agent_bot" and conversation.status == "pending" and status == "open"

    def change(before: Conversation) -> dict[str, Any]:
        wanted = status or ("resolved" if before.status == "open" else "open")
        changes: dict[str, Any] = {"status": wanted}
        if snoozed_until is not None:
            changes["snoozed_until"] = snoozed_until
        if wanted == "resolved":
            changes["waiting_since"] = None
        if wanted == "open" and actor.limited_to_user is not None:
            changes |= {"assignee_id": actor.limited_to_user, "assignee_agent_bot_id": None}
        return changes

    after = await save(tx, conversation, change, actor=actor, cause=cause)
    if is_handoff:
        await emit(
            tx,
            ConversationBotHandoff(
                **by(actor),
                account_id=after.account_id,
                inbox_id=after.inbox_id,
                conversation_id=after.id,
                contact_id=after.contact_id,
                snapshot=after.snapshot(),
                performer=snapshot_of(actor),
            ),
        )
    return after


async def change_priority(tx: Tx, conversation: Conversation, priority: str | None, *, actor: Actor) -> Conversation:
    """Give it this priority, or none."""
    return await save(tx, conversation, lambda _: {"priority": priority_number(priority)}, actor=actor)


async def resolve_as_contact(tx: Tx, conversation: Conversation, *, actor: Actor) -> Conversation:
    """The contact is done with it."""
    return await save(tx, conversation, lambda _: {"status": "resolved", "waiting_since": None}, actor=actor)


async def wake_snoozed(tx: Tx, account_id: int) -> int:
    """Open the snoozed conversations whose time has come; how many."""
    due = await writes.list_due_snoozed(tx, account_id)
    actor = actors.system(account_id)
    for conversation_id in due:
        conversation = await access.find_conversation_by_id(tx, account_id, conversation_id)
        if conversation is not None:
            await save(tx, conversation, _open_if_snoozed, actor=actor, cause="snooze")
    return len(due)


def _open_if_snoozed(before: Conversation) -> dict[str, Any]:
    return {"status": "open"} if before.status == "snoozed" else {}


def priority_number(priority: str | None) -> int | None:
    """How a priority is kept; raises for one that does not exist."""
    if not priority:
        return None
    if priority not in PRIORITIES:
        raise UnknownPriority
    return PRIORITIES.index(priority)


def priority_names() -> tuple[Priority, ...]:
    """All of them, least urgent first."""
    return PRIORITIES


def from_unix(value: int | str | None) -> datetime | None:
    """`snoozed_until` of a request: unix seconds, as a number or as text; None when it was not sent."""
    if value is None:
        return None
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) > LAST_SECOND:
        raise SnoozeInvalid
    return datetime.fromtimestamp(int(text), UTC)
