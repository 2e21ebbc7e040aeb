"""From what happened to what is recorded of it: from when until when, and whose it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from criachat.conversations.events import ConversationBotHandoff, ConversationOpened, ConversationResolved
from criachat.conversations.snapshots import ConversationSnapshot
from criachat.inboxes.hours import open_seconds
from criachat.inboxes.models import Inbox
from criachat.kit import clock
from criachat.messages.events import FirstReplyCreated, ReplyCreated
from criachat.reports.models import EventName, Mark, Measure
from criachat.users.snapshots import UserSnapshot

Heard = FirstReplyCreated | ReplyCreated | ConversationResolved | ConversationOpened | ConversationBotHandoff
HANDED_TO_PEOPLE: tuple[EventName, ...] = ("conversation_bot_handoff", "conversation_opened")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for a batch. `spoken_in` has the events before which a person of the team had said something."""

    inboxes: Mapping[int, Inbox]
    marks: Sequence[Mark]
    spoken_in: frozenset[int]

    def end_of(self, conversation_id: int, names: Sequence[EventName], *, until: datetime) -> datetime | None:
        """When the last thing of these names ended in the conversation; None when there was none."""
        ends = (
            mark.event_end_time
            for mark in self.marks
            if mark.conversation_id == conversation_id and mark.name in names and mark.event_end_time <= until
        )
        return max(ends, default=None)


def conversation_of(event: Heard) -> ConversationSnapshot:
    """The conversation as it was at that moment."""
    return event.snapshot.conversation if isinstance(event, FirstReplyCreated | ReplyCreated) else event.snapshot


def moment_of(event: Heard) -> datetime:
    """When it happened, by the clock of its conversation: what came later there has a later moment."""
    if isinstance(event, FirstReplyCreated | ReplyCreated):
        return event.snapshot.message.created_at
    return event.snapshot.updated_at


def measures_of(event: Heard, known: Known) -> list[Measure]:
    """What is recorded of it."""
    conversation, at = conversation_of(event), moment_of(event)
    match event:
        case FirstReplyCreated():
            since = _answerable_since(conversation, known, at=at)
            author = event.snapshot.message.sender_id
            return [_measure(event, "first_response", known, since=since, user_id=author)]
        case ReplyCreated():
            if event.waiting_since is None:
                return []
            return [_measure(event, "reply_time", known, since=datetime.fromisoformat(event.waiting_since))]
        case ConversationResolved():
            resolved = _measure(event, "conversation_resolved", known, since=conversation.created_at)
            if not is_bots_alone(event, known):
                return [resolved]
            return [resolved, msgspec.structs.replace(resolved, name="conversation_bot_resolved")]
        case ConversationBotHandoff():
            return [_measure(event, "conversation_bot_handoff", known, since=conversation.created_at)]
        case ConversationOpened():
            since = known.end_of(conversation.conversation_id, ("conversation_resolved",), until=at)
            opened = _measure(event, "conversation_opened", known, since=since or conversation.created_at)
            # Nobody can say for how long it had not been open: it never was resolved.
            return [opened if since else msgspec.structs.replace(opened, value=0.0, value_in_business_hours=0.0)]


def has_bot(event: Heard, inboxes: Mapping[int, Inbox]) -> bool:
    """Whether a bot answers first in its inbox."""
    inbox = inboxes.get(conversation_of(event).inbox.id)
    return inbox is not None and inbox.has_active_bot


def is_bots_alone(event: ConversationResolved, known: Known) -> bool:
    """Whether it was resolved by a bot, without a person of the team."""
    return has_bot(event, known.inboxes) and event.id not in known.spoken_in


def _answerable_since(conversation: ConversationSnapshot, known: Known, *, at: datetime) -> datetime:
    """Since when it was a person's turn to answer."""
    place = conversation.conversation_id
    return (
        known.end_of(place, HANDED_TO_PEOPLE, until=at)
        or known.end_of(place, ("conversation_bot_resolved",), until=at)
        or conversation.created_at
    )


def _measure(event: Heard, name: EventName, known: Known, *, since: datetime, user_id: int | None = None) -> Measure:
    conversation, at = conversation_of(event), moment_of(event)
    inbox = known.inboxes.get(conversation.inbox.id)
    return Measure(
        event_id=event.id,
        name=name,
        value=max((at - since).total_seconds(), 0.0),
        value_in_business_hours=0.0 if inbox is None else open_seconds(inbox, since, at),
        inbox_id=conversation.inbox.id,
        user_id=user_id or _assignee_id(conversation),
        conversation_id=conversation.conversation_id,
        event_start_time=since,
        event_end_time=at,
        created_at=event.created_at or clock.now(),
    )


def _assignee_id(conversation: ConversationSnapshot) -> int | None:
    return conversation.assignee.id if isinstance(conversation.assignee, UserSnapshot) else None
