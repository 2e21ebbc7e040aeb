"""Opening, resolving, snoozing, and how urgent it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from criachat.conversations import access
from criachat.conversations.errors import SnoozeInvalid, SnoozeOutOfRange, UnknownPriority, UnknownStatus
from criachat.conversations.events import ConversationBotHandoff
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import facts, save
from criachat.conversations.snapshots import PRIORITIES, STATUSES, Status
from criachat.kit import actors, clock
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import emit
from criachat.kit.times import LAST_SECOND, utc

# What forms of the family's clients offer beside the priorities.
NO_PRIORITY = "none"


async def change_status(
    tx: Tx,
    conversation: Conversation,
    status: str | None,
    *,
    snoozed_until: datetime | None,
    actor: Actor,
) -> tuple[Conversation, bool]:
    """Give it this status, or toggle between open and resolved without one; and whether a bot handed it to people.

    An agent who opens a conversation takes it. A bot hands over what is pending by opening it; from then on the contact
    waits for a person.
    """
    asked = status_named(status) if status else None

    def is_handoff(before: Conversation) -> bool:
        return asked == "open" and before.status == "pending" and actor.type == "agent_bot"

    def change(before: Conversation) -> dict[str, Any]:
        wanted = asked or ("resolved" if before.status == "open" else "open")
        changes: dict[str, Any] = {"status": wanted}
        if snoozed_until is not None:
            changes["snoozed_until"] = snoozed_until
        if wanted == "open" and actor.limited_to_user is not None:
            changes |= {"assignee_id": actor.limited_to_user, "assignee_agent_bot_id": None}
        if is_handoff(before):
            changes["waiting_since"] = before.waiting_since or clock.now()
        return changes

    saved = await save(tx, conversation, change, actor=actor)
    if is_handoff(saved.before):
        await emit(tx, ConversationBotHandoff(**facts(saved.after, actor=actor)))
    return saved.after, is_handoff(saved.before)


async def change_priority(
    tx: Tx, conversation: Conversation, priority: str | None, *, actor: Actor, cause: str | None = None
) -> Conversation:
    """Give it this priority, or none."""
    number = priority_number(priority)
    return (await save(tx, conversation, lambda _: {"priority": number}, actor=actor, cause=cause)).after


async def resolve_as_contact(tx: Tx, conversation: Conversation, *, actor: Actor) -> Conversation:
    """The contact is done with it."""
    return (await save(tx, conversation, lambda _: {"status": "resolved"}, actor=actor)).after


async def wake(tx: Tx, account_id: int, conversation_id: int) -> None:
    """Open a snoozed conversation whose time has come, unless somebody was faster."""
    conversation = await access.find_conversation_by_id(tx, account_id, conversation_id)
    if conversation is not None:
        await save(tx, conversation, _open_if_due, actor=actors.system(account_id), cause="snooze")


async def take_from_bot(tx: Tx, account_id: int, conversation_id: int, *, cause: str) -> None:
    """Open what waits for a bot that cannot be told of it; what does not wait any more stays as it is."""
    conversation = await access.find_conversation_by_id(tx, account_id, conversation_id)
    if conversation is not None:
        await save(tx, conversation, _open_if_pending, actor=actors.system(account_id), cause=cause)


def _open_if_pending(before: Conversation) -> dict[str, Any]:
    return {"status": "open"} if before.status == "pending" else {}


def _open_if_due(before: Conversation) -> dict[str, Any]:
    is_due = before.status == "snoozed" and before.snoozed_until is not None and before.snoozed_until <= clock.now()
    return {"status": "open"} if is_due else {}


def status_named(name: str) -> Status:
    """The status of this name; raises for one that does not exist."""
    if name not in STATUSES:
        raise UnknownStatus
    return name


def priority_number(priority: str | None) -> int | None:
    """How a priority is kept; raises for one that does not exist."""
    if not priority or priority == NO_PRIORITY:
        return None
    if priority not in PRIORITIES:
        raise UnknownPriority
    return PRIORITIES.index(priority)


def from_iso(value: datetime | None) -> datetime | None:
    """`snoozed_until` of a request: as ISO 8601, in UTC when no zone was named; None when it was not sent."""
    if value is None:
        return None
    try:
        return utc(value)
    except OverflowError as failure:
        raise SnoozeOutOfRange from failure


def from_unix(value: int | str | None) -> datetime | None:
    """`snoozed_until` of a request: unix seconds, as a number or as text; None when it was not sent."""
    if value is None:
        return None
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) > LAST_SECOND:
        raise SnoozeInvalid
    return datetime.fromtimestamp(int(text), UTC)
