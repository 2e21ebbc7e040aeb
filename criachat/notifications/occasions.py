"""Whom an event concerns, and why: pure rules over what is known of the people around a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from criachat.conversations.events import (
    AssigneeChanged,
    ConversationBotHandoff,
    ConversationCreated,
    ConversationEvent,
    ConversationMentioned,
)
from criachat.conversations.snapshots import INCOMING, OUTGOING, MessageSnapshot
from criachat.messages.events import MessageCreated, conversation_of
from criachat.messages.mentions import mentions_in
from criachat.notifications.models import NotificationType, Occasion, Subject
from criachat.users.snapshots import UserSnapshot

Heard = ConversationCreated | ConversationBotHandoff | AssigneeChanged | MessageCreated | ConversationMentioned


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """Who is around conversations: those who take part, and who wants to know of new ones, by conversation and inbox.

    `messages` are those that mention somebody, by id.
    """

    participants: Mapping[int, Sequence[int]]
    subscribers: Mapping[int, Sequence[int]]
    messages: Mapping[int, MessageSnapshot]


def tells_of_message(event: Heard) -> bool:
    """Whether somebody said something, which those who take part want to know."""
    return isinstance(event, MessageCreated) and event.snapshot.message.message_type in (INCOMING, OUTGOING)


def tells_of_new(event: Heard) -> bool:
    """Whether there is a conversation for people that was not there for them before."""
    return isinstance(event, ConversationCreated | ConversationBotHandoff) and event.snapshot.status != "pending"


def occasions_of(event: Heard, around: Around) -> Iterator[Occasion]:
    """Everybody whom this event concerns; of what is said to somebody in several ways, the first one counts.

    Who is blocked disturbs nobody, but a colleague who asks for a look does.
    """
    match event:
        case ConversationMentioned():
            yield from _mentioned(event, around)
        case _ if _is_blocked(event):
            return
        case MessageCreated():
            yield from _said(event, around)
        case AssigneeChanged():
            yield from _assigned(event)
        case _:
            yield from _opened(event, around)


def _is_blocked(event: Heard) -> bool:
    conversation = conversation_of(event)
    return conversation is not None and conversation.contact.blocked


def _mentioned(event: ConversationMentioned, around: Around) -> Iterator[Occasion]:
    message = around.messages.get(event.message_id or 0)
    for user_id in event.user_ids:
        if not _is_by(message, user_id):
            yield _occasion(
                event, user_id, "conversation_mention", Subject(conversation=event.snapshot, message=message)
            )


def _said(event: MessageCreated, around: Around) -> Iterator[Occasion]:
    if not tells_of_message(event):
        return
    message, conversation = event.snapshot.message, event.snapshot.conversation
    mentions = mentions_in(message)
    mentioned = set(mentions.user_ids) if mentions is not None else set[int]()
    subject = Subject(conversation=conversation, message=message)
    kinds: dict[int, NotificationType] = {}
    if isinstance(conversation.assignee, UserSnapshot):
        kinds[conversation.assignee.id] = "assigned_conversation_new_message"
    for user_id in around.participants.get(conversation.conversation_id, ()):
        kinds.setdefault(user_id, "participating_conversation_new_message")
    for user_id, kind in kinds.items():
        if not _is_by(message, user_id):
            yield _occasion(event, user_id, kind, subject, is_mentioned=user_id in mentioned)


def _assigned(event: AssigneeChanged) -> Iterator[Occasion]:
    is_own = event.actor_type == "user" and event.actor_id == event.current
    if event.current is None or is_own or event.snapshot.status == "pending":
        return
    person = event.performer if isinstance(event.performer, UserSnapshot) else None
    yield _occasion(
        event, event.current, "conversation_assignment", Subject(conversation=event.snapshot, person=person)
    )


def _opened(event: ConversationEvent, around: Around) -> Iterator[Occasion]:
    if event.snapshot.status == "pending":
        return
    person = event.performer if isinstance(event.performer, UserSnapshot) else None
    subject = Subject(conversation=event.snapshot, person=person)
    for user_id in around.subscribers.get(event.snapshot.inbox.id, ()):
        yield _occasion(event, user_id, "conversation_creation", subject)


def _is_by(message: MessageSnapshot | None, user_id: int) -> bool:
    return message is not None and isinstance(message.sender, UserSnapshot) and message.sender.id == user_id


def _occasion(
    event: Heard | ConversationEvent,
    user_id: int,
    kind: NotificationType,
    subject: Subject,
    *,
    is_mentioned: bool = False,
) -> Occasion:
    return Occasion(
        event_id=event.id, user_id=user_id, notification_type=kind, subject=subject, is_mentioned=is_mentioned
    )
