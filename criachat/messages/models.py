"""Messages as rows, and what somebody wants to say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from criachat.conversations.heads import ThreadHead
from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import AttachmentSnapshot, MessageSnapshot, SenderSnapshot
from criachat.users.roster import Speaker, Speakers
from criachat.users.snapshots import BotSnapshot, UserSnapshot

MESSAGE_TYPES = ("incoming", "outgoing", "activity", "template")
STATUSES = ("sent", "delivered", "read", "failed")
# How the `client_message_id` of what the product says by itself begins. Nobody else may choose such a one.
OURS = "criachat:"


class Message(msgspec.Struct, frozen=True):
    """One message with its author and its attachments, read in one statement."""

    account_id: int
    id: int
    conversation_id: int
    inbox_id: int
    message_type: int
    content_type: str
    content: str | None
    content_attributes: dict[str, Any]
    additional_attributes: dict[str, Any]
    external_source_ids: dict[str, Any]
    private: bool
    status: str
    source_id: str | None
    sender_type: str | None
    sender_id: int | None
    created_at: datetime
    updated_at: datetime

    user_name: str | None
    user_display_name: str | None
    user_email: str | None
    user_avatar_key: str | None
    user_availability: Any
    user_auto_offline: bool | None
    bot_name: str | None
    bot_avatar_key: str | None
    attachments: msgspec.Raw | None

    def sender(self, conversation: Conversation) -> SenderSnapshot | None:
        """Whoever wrote it: a person, a bot, or the conversation's contact."""
        if self.sender_id is None:
            return None
        if self.sender_type == "Contact":
            return conversation.contact()
        if self.sender_type == "AgentBot":
            return self._bot(self.sender_id)
        if self.user_name is None:
            return None
        return UserSnapshot(
            id=self.sender_id,
            name=self.user_name,
            available_name=self.user_display_name or self.user_name,
            email=self.user_email or "",
            avatar_key=self.user_avatar_key,
            availability=self.user_availability or "offline",
            auto_offline=self.user_auto_offline is not False,
        )

    def _bot(self, bot_id: int) -> BotSnapshot | None:
        if self.bot_name is None:
            return None
        return BotSnapshot(id=bot_id, name=self.bot_name, avatar_key=self.bot_avatar_key)

    def snapshot(self, conversation: Conversation) -> MessageSnapshot:
        """The message as events and lists show it."""
        return MessageSnapshot(
            id=self.id,
            account_id=self.account_id,
            inbox_id=self.inbox_id,
            conversation_id=conversation.display_id,
            message_type=self.message_type,
            content_type=self.content_type,
            content=self.content,
            content_attributes=self.content_attributes,
            additional_attributes=self.additional_attributes,
            external_source_ids=self.external_source_ids,
            private=self.private,
            status=self.status,
            source_id=self.source_id,
            sender_type=self.sender_type,
            sender_id=self.sender_id,
            sender=self.sender(conversation),
            attachments=[] if self.attachments is None else _decode_attachments(self.attachments),
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


_decode_attachments = msgspec.json.Decoder(list[AttachmentSnapshot]).decode


class Line(msgspec.Struct, frozen=True):
    """One message as a thread shows it; its sender is among the thread's speakers, or the contact in its head.

    `created_at` is in whole seconds since 1970, and `content_attributes` the JSON that is kept, None where it is empty.
    `head` is in one row alone, which is no message: see `queries.threads`.
    """

    id: int
    content: str | None
    inbox_id: int
    message_type: int
    content_type: str
    status: str
    content_attributes: msgspec.Raw | None
    created_at: int
    private: bool
    source_id: str | None
    sender_type: str | None
    sender_id: int | None
    has_attachments: bool
    head: msgspec.Raw | None = None


class Hanging(msgspec.Struct, frozen=True):
    """What hangs on a thread, as JSON: files, and people and bots who speak in it."""

    files: msgspec.Raw | None
    people: msgspec.Raw | None
    bots: msgspec.Raw | None


class Thread(msgspec.Struct, frozen=True):
    """A page of a thread, oldest first, with those who speak in it and the attachments of each message."""

    head: ThreadHead
    lines: list[Line]
    speakers: Speakers
    attachments: dict[int, list[AttachmentSnapshot]]

    @property
    def assignee(self) -> Speaker | None:
        """The person who has the conversation; nobody where a bot has it."""
        if self.head.assignee_id is None or self.speakers.bots.get(self.head.assignee_agent_bot_id or 0):
            return None
        return self.speakers.people[self.head.assignee_id]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a thread is wanted."""

    before: int | None
    after: int | None
    without_internal: bool


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to say, checked."""

    message_type: int
    content: str | None
    private: bool = False
    content_type: str = "text"
    content_attributes: dict[str, Any] = {}
    additional_attributes: dict[str, Any] = {}
    source_id: str | None = None
    client_message_id: str | None = None
    echo_id: Any = None
    files: tuple[StoredFile, ...] = ()
    # The author; the conversation's contact when `is_from_contact`.
    sender: UserSnapshot | BotSnapshot | None = None
    is_from_contact: bool = False

    @property
    def is_human(self) -> bool:
        """Whether a person of the team says it, in person."""
        return (
            isinstance(self.sender, UserSnapshot)
            and "automation_rule_id" not in self.content_attributes
            and "campaign_id" not in self.additional_attributes
        )


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is kept already and becomes an attachment."""

    file_key: str
    filename: str
    content_type: str
    file_type: str
    byte_size: int
    width: int | None = None
    height: int | None = None


class External(msgspec.Struct, frozen=True):
    """A file that is somewhere else."""

    url: str


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent ahead of what is to carry it."""

    account_id: int
    id: int
    file_key: str
    filename: str
    content_type: str
    file_type: str
    byte_size: int
    width: int | None
    height: int | None

    def stored_under(self, file_key: str) -> StoredFile:
        """The same file where a copy of it is."""
        return StoredFile(
            file_key=file_key,
            filename=self.filename,
            content_type=self.content_type,
            file_type=self.file_type,
            byte_size=self.byte_size,
            width=self.width,
            height=self.height,
        )


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a file will be that is sent in a second step, checked."""

    filename: str
    content_type: str
    byte_size: int
    checksum: str


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """A place kept for a file that was announced; the upload it becomes has the same number."""

    account_id: int
    id: int
    file_key: str
    filename: str
    content_type: str
    byte_size: int
    checksum: str
    expires_at: datetime
    created_at: datetime


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is stored, and its conversation as it is after it. `is_new` is False for one said before."""

    message: MessageSnapshot
    conversation: Conversation
    echo_id: Any = None
    is_new: bool = True


class Answers(msgspec.Struct, frozen=True):
    """When the product last said something in a conversation, and whether anybody on our side ever did."""

    last_template_at: datetime | None
    is_answered: bool
