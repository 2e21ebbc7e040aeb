"""Notifications as lists and sockets show them. Pure functions: nothing is read here."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.conversations.payloads import ConversationPushOut, conversation_push, message_push
from criachat.conversations.schemas import MessagePushOut, SenderOut, sender_out
from criachat.kit.languages import Language
from criachat.kit.times import iso_or_none, unix
from criachat.notifications.models import Notification, Subject
from criachat.notifications.sentences import body_of, title_of
from criachat.users.shown import Shown
from criachat.users.snapshots import UserSnapshot

CONVERSATION = "Conversation"


class NotificationOut(msgspec.Struct, frozen=True, kw_only=True):
    """One notification.

    `primary_actor_id` is the conversation's database id, `primary_actor.id` the number people see.
    """

    id: int
    notification_type: str
    push_message_title: str
    push_message_body: str
    primary_actor_type: str = CONVERSATION
    primary_actor_id: int
    primary_actor: ConversationPushOut
    read_at: str | None
    secondary_actor: MessagePushOut | SenderOut | None
    user: SenderOut
    created_at: int
    last_activity_at: int
    snoozed_until: str | None
    meta: dict[str, Any]
    account_id: int | UnsetType = UNSET


def notification_out(
    notification: Notification, subject: Subject, user: UserSnapshot, shown: Shown, language: Language
) -> NotificationOut:
    """The notification as its owner's list shows it."""
    return NotificationOut(
        id=notification.id,
        notification_type=notification.notification_type,
        push_message_title=title_of(notification.notification_type, subject, language),
        push_message_body=body_of(subject, language),
        primary_actor_id=notification.conversation_id,
        primary_actor=conversation_push(subject.conversation, shown),
        read_at=iso_or_none(notification.read_at),
        secondary_actor=_secondary(subject, shown),
        user=sender_out(user, shown, notification.account_id),
        created_at=unix(notification.created_at),
        last_activity_at=unix(notification.last_activity_at),
        snoozed_until=iso_or_none(notification.snoozed_until),
        meta=notification.meta,
    )


def _secondary(subject: Subject, shown: Shown) -> MessagePushOut | SenderOut | None:
    conversation = subject.conversation
    if subject.message is not None:
        return message_push(subject.message, conversation, shown)
    return None if subject.person is None else sender_out(subject.person, shown, conversation.account.id)
