"""Conversations, and the messages they show, as events tell of them: what they were at that moment.

One superset for each noun; pure renderers make the webhook's, the socket's and the feed's shape of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from criachat.contacts.snapshots import AccountSnapshot, ContactInboxSnapshot, ContactSnapshot
from criachat.users.snapshots import BotSnapshot, UserSnapshot

Status = Literal["open", "resolved", "pending", "snoozed"]
Priority = Literal["low", "medium", "high", "urgent"]
STATUSES: tuple[Status, ...] = get_args(Status)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
SenderSnapshot = UserSnapshot | BotSnapshot | ContactSnapshot

INCOMING, OUTGOING, ACTIVITY, TEMPLATE = range(4)


class AttachmentSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file, place or card of a message. `file_key` names the stored file; its address is made when shown."""

    id: int
    message_id: int
    account_id: int
    file_type: str
    file_key: str | None = None
    filename: str | None = None
    content_type: str | None = None
    extension: str | None = None
    byte_size: int | None = None
    width: int | None = None
    height: int | None = None
    external_url: str | None = None
    coordinates_lat: float | None = None
    coordinates_long: float | None = None
    fallback_title: str | None = None
    meta: dict[str, Any] = {}


class MessageSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `conversation_id` is the number people see, as everywhere on the wire."""

    id: int
    account_id: int
    inbox_id: int
    conversation_id: int
    message_type: int
    content_type: str
    content: str | None
    content_attributes: dict[str, Any]
    additional_attributes: dict[str, Any]
    external_source_ids: dict[str, Any] = {}
    private: bool
    status: str
    source_id: str | None
    sender_type: str | None
    sender_id: int | None
    sender: SenderSnapshot | None
    attachments: list[AttachmentSnapshot] = []
    created_at: datetime
    updated_at: datetime

    @property
    def is_activity(self) -> bool:
        """Whether it tells of a change instead of saying something."""
        return self.message_type == ACTIVITY

    @property
    def is_public(self) -> bool:
        """Whether the contact may see it."""
        return not self.private and not self.is_activity


class LastMessages(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest messages of a conversation; kept in its row, so that a list needs no second look.

    One that equals the one before it is stored as None.
    """

    newest: MessageSnapshot
    spoken: MessageSnapshot | None = None
    public: MessageSnapshot | None = None

    @property
    def newest_spoken(self) -> MessageSnapshot | None:
        """The newest that is no activity; may be a private note."""
        return self.spoken if self.newest.is_activity else self.newest

    @property
    def newest_public(self) -> MessageSnapshot | None:
        """The newest that the contact may see."""
        spoken = self.newest_spoken
        return spoken if spoken is not None and spoken.is_public else self.public

    def with_newer(self, message: MessageSnapshot) -> LastMessages:
        """The same after one more message."""
        spoken = self.newest_spoken if message.is_activity else None
        last_spoken = spoken if message.is_activity else message
        public = None if last_spoken is None or last_spoken.is_public else self.newest_public
        return LastMessages(newest=message, spoken=spoken, public=public)

    def with_changed(self, message: MessageSnapshot) -> LastMessages:
        """The same after one of them changed."""

        def newer(kept: MessageSnapshot | None) -> MessageSnapshot | None:
            return message if kept is not None and kept.id == message.id else kept

        return LastMessages(
            newest=newer(self.newest) or self.newest, spoken=newer(self.spoken), public=newer(self.public)
        )


class InboxSnapshot(msgspec.Struct, frozen=True):
    """The inbox of a conversation."""

    id: int
    name: str
    channel_type: str


class TeamSnapshot(msgspec.Struct, frozen=True):
    """The team of a conversation."""

    id: int
    name: str


class ConversationSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation with everybody in it. `id` is the number people see, `conversation_id` the database's.

    `last_message` is the newest public message; None also where the event's own message is that one.
    """

    id: int
    conversation_id: int
    uuid: str
    account: AccountSnapshot
    inbox: InboxSnapshot
    contact: ContactSnapshot
    contact_inbox: ContactInboxSnapshot
    assignee: UserSnapshot | BotSnapshot | None
    team: TeamSnapshot | None
    status: Status
    priority: Priority | None
    labels: list[str]
    can_reply: bool
    additional_attributes: dict[str, Any]
    custom_attributes: dict[str, Any]
    snoozed_until: datetime | None
    unread_count: int
    first_reply_created_at: datetime | None
    waiting_since: datetime | None
    agent_last_seen_at: datetime | None
    assignee_last_seen_at: datetime | None
    contact_last_seen_at: datetime | None
    last_activity_at: datetime
    created_at: datetime
    updated_at: datetime
    last_message: MessageSnapshot | None = None
