"""Notifications, and how people want to be told, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from criachat.conversations.snapshots import ConversationSnapshot, MessageSnapshot
from criachat.users.snapshots import Availability, UserSnapshot

NotificationType = Literal[
    "conversation_creation",
    "conversation_assignment",
    "assigned_conversation_new_message",
    "conversation_mention",
    "participating_conversation_new_message",
    "sla_missed_first_response",
    "sla_missed_next_response",
    "sla_missed_resolution",
]
TYPES: tuple[NotificationType, ...] = get_args(NotificationType)
EMAIL_FLAGS = tuple(f"email_{kind}" for kind in TYPES)
PUSH_FLAGS = tuple(f"push_{kind}" for kind in TYPES)
ABOUT_NEW_CONVERSATIONS = ("email_conversation_creation", "push_conversation_creation")
DEFAULT_EMAIL_FLAGS = ("email_conversation_assignment",)
DEFAULT_PUSH_FLAGS = ("push_conversation_assignment",)

PAGE = 15
MOST_KEPT = 300
MOST_SUBSCRIPTIONS = 50


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What a person was told of a conversation. `conversation_id` is the database's."""

    id: int
    account_id: int
    user_id: int
    notification_type: NotificationType
    conversation_id: int
    message_id: int | None
    person_id: int | None
    read_at: datetime | None
    snoozed_until: datetime | None
    meta: dict[str, Any]
    last_activity_at: datetime
    created_at: datetime
    updated_at: datetime


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What notifications are about: the conversation, and the message or whoever acted."""

    conversation: ConversationSnapshot
    message: MessageSnapshot | None = None
    person: UserSnapshot | None = None


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to tell somebody of something. Who was mentioned in the same message is told of that instead."""

    event_id: int
    user_id: int
    notification_type: NotificationType
    subject: Subject
    is_mentioned: bool = False


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A new notification, whom it is for, and the one it took the place of."""

    id: int
    user_id: int
    conversation_id: int
    replaced_id: int | None
    locale: str
    name: str
    display_name: str | None
    email: str
    avatar_key: str | None
    availability: Availability
    auto_offline: bool

    def user(self) -> UserSnapshot:
        """The person, as events show them."""
        return UserSnapshot(
            id=self.user_id,
            name=self.name,
            available_name=self.display_name or self.name,
            email=self.email,
            avatar_key=self.avatar_key,
            availability=self.availability,
            auto_offline=self.auto_offline,
        )


class Place(msgspec.Struct, frozen=True):
    """Where a notification is found, whosever it is."""

    account_id: int
    id: int


class Addressee(msgspec.Struct, frozen=True):
    """Somebody who is told things in an account."""

    account_id: int
    user_id: int


class Participant(msgspec.Struct, frozen=True):
    """Somebody who takes part in a conversation."""

    conversation_id: int
    user_id: int


class Subscriber(msgspec.Struct, frozen=True):
    """A member of an inbox who wants to know of new conversations."""

    inbox_id: int
    user_id: int


class Unread(msgspec.Struct, frozen=True):
    """How much somebody has not read."""

    user_id: int
    count: int


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """How a member wants to be told. `id` is that of the membership."""

    id: int
    account_id: int
    user_id: int
    email_flags: list[str]
    push_flags: list[str]


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A browser or phone that is to be told; its attributes stay sealed."""

    id: int
    user_id: int
    subscription_type: str
    created_at: datetime
    updated_at: datetime
