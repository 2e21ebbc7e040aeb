"""Messages on the wire of the Application API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.contacts.schemas import ContactOut, ContactParams
from criachat.conversations.schemas import AttachmentOut, ConversationOut, SenderOut, attachment_out, sender_out
from criachat.conversations.snapshots import AttachmentSnapshot, MessageSnapshot
from criachat.kit.times import unix
from criachat.messages.models import External
from criachat.users.shown import Shown

LARGEST_CURSOR = 2**63 - 1

Value = TypeVar("Value")


class MessageParams(msgspec.Struct, kw_only=True):
    """What may be said. `content_attributes` may be JSON text; `attachments` are files of a multipart request or signed
    ids of uploads; addresses are for e-mail inboxes."""

    content: str | None = None
    message_type: str | int = "outgoing"
    private: bool = False
    content_type: str = "text"
    content_attributes: Any = None
    echo_id: Any = None
    source_id: str | None = None
    client_message_id: str | None = None
    external_created_at: Any = None
    sender_type: str | None = None
    sender_id: int | None = None
    campaign_id: int | None = None
    template_params: Any = None
    attachments: Any = None
    cc_emails: Any = None
    bcc_emails: Any = None
    to_emails: Any = None


class MergeParams(msgspec.Struct, kw_only=True):
    """Two contacts who are one person; the base stays."""

    base_contact_id: int
    mergee_contact_id: int


class OpeningParams(msgspec.Struct, kw_only=True):
    """A conversation to be opened: `inbox_id` and `contact_id`, or the `source_id` of a session."""

    inbox_id: int | None = None
    contact_id: int | None = None
    source_id: Annotated[str, Meta(max_length=255)] | None = None
    hmac_verified: bool | None = None
    status: str | None = None
    snoozed_until: datetime | None = None
    assignee_id: int | None = None
    team_id: int | None = None
    custom_attributes: dict[str, Any] | None = None
    additional_attributes: dict[str, Any] | None = None
    message: MessageParams | None = None

    @property
    def attachments(self) -> Any:
        """The files of its message."""
        return None if self.message is None else self.message.attachments


class ComposeParams(OpeningParams, kw_only=True):
    """A message for somebody: who it is, in which inbox, and what a conversation would be if there is none."""

    contact: ContactParams


class HistoryParams(msgspec.Struct, kw_only=True):
    """What was said elsewhere: a file with one message as JSON on each line, oldest first."""

    import_file: Any = None


class UploadParams(msgspec.Struct, kw_only=True):
    """A file sent ahead of what is to carry it: itself, or the address it is to be fetched from."""

    attachment: Any = None
    external_url: str | None = None

    @property
    def attachments(self) -> Any:
        """The one file."""
        if self.attachment:
            return [self.attachment]
        return [External(self.external_url)] if self.external_url else None


class AnnouncementParams(msgspec.Struct, kw_only=True):
    """A file that is sent in a second step. `checksum` is its MD5 in base64; `metadata` is shown back, and not kept."""

    filename: str
    byte_size: int
    checksum: str
    content_type: str = ""
    metadata: dict[str, Any] | None = None


class TranslationParams(msgspec.Struct, kw_only=True):
    """Into which language."""

    target_language: str | None = None


class MessageChangeParams(msgspec.Struct, kw_only=True):
    """What a receiver reports of a message."""

    status: Any = None
    external_error: Annotated[str, Meta(max_length=20_000)] | None = None


class ListParams(msgspec.Struct, kw_only=True):
    """Which page of a thread: cursors are message ids, and what is no number counts as 0."""

    before: Any = None
    after: Any = None
    filter_internal_messages: Any = None


class MessageOut(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `echo_id`, `sender` and `attachments` have no key when there is none."""

    id: int
    content: str | None
    inbox_id: int
    echo_id: Any = UNSET
    conversation_id: int
    message_type: int
    content_type: str
    status: str
    content_attributes: dict[str, Any]
    created_at: int
    private: bool
    source_id: str | None
    sender: SenderOut | UnsetType = UNSET
    attachments: list[AttachmentOut] | UnsetType = UNSET


class AttachmentsParams(msgspec.Struct, kw_only=True):
    """Which page of the attachments."""

    page: Any = None


class TranscriptParams(msgspec.Struct, kw_only=True):
    """Where to send the transcript."""

    email: str


class AttachmentInThreadOut(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment among all of its conversation; what its type does not know is null."""

    message_id: int
    thumb_url: str | None
    data_url: str | None
    file_size: int | None
    file_type: str
    extension: str | None
    width: int | None
    height: int | None
    created_at: int
    sender: SenderOut | UnsetType


class AttachmentsMetaOut(msgspec.Struct, frozen=True):
    """How many there are."""

    total_count: int


class AttachmentsOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of attachments."""

    meta: AttachmentsMetaOut
    payload: list[AttachmentInThreadOut]


class ComposedOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who was written to, where, and what was said."""

    contact: ContactOut
    conversation: ConversationOut
    message: MessageOut | None


class UploadOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file is for now, and the signed id that messages, macros and rules know it by."""

    file_url: str
    blob_id: str


class ArrivalOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file is put, and the headers to send with it."""

    url: str
    headers: dict[str, str]


class AnnouncedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was announced: where to put it, and the signed id that it has once it is there."""

    id: int
    key: str
    filename: str
    content_type: str
    metadata: dict[str, Any]
    service_name: str
    byte_size: int
    checksum: str
    created_at: str
    signed_id: str
    direct_upload: ArrivalOut


class TranslationOut(msgspec.Struct, frozen=True, kw_only=True):
    """The text in the other language; null, with the reason, where nothing translates."""

    content: str | None
    error: str | UnsetType = UNSET


class ThreadMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in the thread, and up to when it was seen."""

    labels: list[str]
    additional_attributes: dict[str, Any]
    contact: SenderOut
    assignee: SenderOut | UnsetType = UNSET
    agent_last_seen_at: str | None
    assignee_last_seen_at: str | None


class ThreadOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a thread, oldest first."""

    meta: ThreadMetaOut
    payload: list[MessageOut]


def cursor_of(value: Any) -> int | None:
    """A cursor as the contract reads it: absent, or a number, or 0."""
    if value is None or value == "":
        return None
    text = str(value).strip()
    return min(int(text), LARGEST_CURSOR) if text.isascii() and text.isdigit() and len(text) < 30 else 0


def message_out(message: MessageSnapshot, shown: Shown, *, echo_id: Any = None) -> MessageOut:
    """One message as the Application API shows it."""
    return MessageOut(
        id=message.id,
        content=message.content,
        inbox_id=message.inbox_id,
        echo_id=UNSET if echo_id is None else echo_id,
        conversation_id=message.conversation_id,
        message_type=message.message_type,
        content_type=message.content_type,
        status=message.status,
        content_attributes=message.content_attributes,
        created_at=unix(message.created_at),
        private=message.private,
        source_id=message.source_id,
        sender=UNSET if message.sender is None else sender_out(message.sender, shown, message.account_id),
        attachments=[attachment_out(each, shown.files) for each in message.attachments] or UNSET,
    )


def attachment_in_thread_out(
    attachment: AttachmentSnapshot, message: MessageSnapshot, shown: Shown
) -> AttachmentInThreadOut:
    """An attachment with what is known of its message."""
    own = attachment_out(attachment, shown.files)
    sender = message.sender
    return AttachmentInThreadOut(
        message_id=attachment.message_id,
        thumb_url=_or_null(own.thumb_url),
        data_url=_or_null(own.data_url),
        file_size=_or_null(own.file_size),
        file_type=attachment.file_type,
        extension=_or_null(own.extension),
        width=_or_null(own.width),
        height=_or_null(own.height),
        created_at=unix(message.created_at),
        sender=UNSET if sender is None else sender_out(sender, shown, message.account_id),
    )


def _or_null(value: Value | UnsetType | None) -> Value | None:
    return None if value is UNSET else value
