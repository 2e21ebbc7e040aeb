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


ADDRESSES = Meta(description="Of e-mail inboxes: addresses, as a list or with commas between them.")


class MessageParams(msgspec.Struct, kw_only=True):
    """What may be said."""

    content: Annotated[
        str | None, Meta(description="Up to 150,000 characters; `{{contact.name}}` and such are filled in.")
    ] = None
    message_type: Annotated[
        str | int,
        Meta(description="`outgoing`; `incoming` in API inboxes: what the customer said; or `template`, `activity`."),
    ] = "outgoing"
    private: Annotated[bool, Meta(description="A note for the team, which the contact never sees.")] = False
    content_type: Annotated[
        str,
        Meta(description="`text`, `input_select`, `cards`, `form`, `article`, `input_email`, `input_text` and more."),
    ] = "text"
    content_attributes: Annotated[
        Any,
        Meta(description="An object, or JSON text: `items` of the content type, `in_reply_to` a message id, your own."),
    ] = None
    echo_id: Annotated[Any, Meta(description="Comes back in the answer and on sockets, and is not kept.")] = None
    source_id: Annotated[
        str | None, Meta(description="Its id elsewhere. With one an outgoing message counts as delivered already.")
    ] = None
    client_message_id: Annotated[
        str | None, Meta(description="Yours: sent again in this conversation, the message said first is answered.")
    ] = None
    external_created_at: Annotated[Any, Meta(description="When it was said elsewhere; kept among its attributes.")] = (
        None
    )
    sender_type: Annotated[str | None, Meta(description="`AgentBot` to speak in the name of a bot.")] = None
    sender_id: Annotated[int | None, Meta(description="The bot's id.")] = None
    campaign_id: Annotated[int | None, Meta(description="The campaign that it belongs to; such a one is no reply.")] = (
        None
    )
    template_params: Annotated[
        Any, Meta(description="`name`, `language`, `category`, `namespace` and `processed_params` of a template.")
    ] = None
    attachments: Annotated[
        Any, Meta(description="Up to 15 files of a multipart request (`attachments[]`), or signed ids of uploads.")
    ] = None
    cc_emails: Annotated[Any, ADDRESSES] = None
    bcc_emails: Annotated[Any, ADDRESSES] = None
    to_emails: Annotated[Any, ADDRESSES] = None
    email_html_content: Annotated[
        str | None, Meta(description="Of e-mail inboxes: the mail's HTML, in place of the content's Markdown.")
    ] = None


class MergeParams(msgspec.Struct, kw_only=True):
    """Two contacts who are one person; the base stays."""

    base_contact_id: int
    mergee_contact_id: int


class OpeningParams(msgspec.Struct, kw_only=True):
    """A conversation to be opened: `inbox_id` and `contact_id`, or the `source_id` of a session."""

    inbox_id: int | None = None
    contact_id: int | None = None
    source_id: Annotated[
        Annotated[str, Meta(max_length=255)] | None, Meta(description="The id of the contact's session in the inbox.")
    ] = None
    hmac_verified: Annotated[bool | None, Meta(description="Whether a new session counts as proved.")] = None
    status: Annotated[
        str | None, Meta(description="`open`, `pending`, `resolved` or `snoozed`; a bot's inbox begins with `pending`.")
    ] = None
    snoozed_until: Annotated[datetime | None, Meta(description="ISO 8601, for `snoozed`.")] = None
    assignee_id: int | None = None
    team_id: int | None = None
    custom_attributes: dict[str, Any] | None = None
    additional_attributes: Annotated[
        dict[str, Any] | None, Meta(description="Such as `mail_subject`, `referer`, `browser_language`.")
    ] = None
    message: Annotated[MessageParams | None, Meta(description="What is said first, as in `POST …/messages`.")] = None

    @property
    def attachments(self) -> Any:
        """The files of its message."""
        return None if self.message is None else self.message.attachments


class ComposeParams(OpeningParams, kw_only=True):
    """A message for somebody: who it is, in which inbox, and what a conversation would be if there is none."""

    contact: ContactParams


class HistoryParams(msgspec.Struct, kw_only=True):
    """What was said elsewhere: a file with one message as JSON on each line, oldest first."""

    import_file: Annotated[
        Any,
        Meta(description="A file of a multipart request, or the whole body as `application/x-ndjson`; up to 32 MB."),
    ] = None


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

    target_language: Annotated[str | None, Meta(description="Such as `pt_BR`.")] = None


class MessageChangeParams(msgspec.Struct, kw_only=True):
    """What a receiver reports of a message."""

    status: Annotated[
        Any, Meta(description="`sent`, `delivered`, `read` or `failed`; anything else changes nothing.")
    ] = None
    external_error: Annotated[
        Annotated[str, Meta(max_length=20_000)] | None, Meta(description="Why it `failed`; shown beside the message.")
    ] = None


class ListParams(msgspec.Struct, kw_only=True):
    """Which page of a thread: cursors are message ids, and what is no number counts as 0."""

    before: Annotated[Any, Meta(description="Messages with smaller ids than this.")] = None
    after: Annotated[Any, Meta(description="Messages with greater ids than this; with `before`, this one as well.")] = (
        None
    )
    filter_internal_messages: Annotated[
        Any, Meta(description="Whatever it is: leaves out private notes and activities.")
    ] = None


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
    content_attributes: dict[str, Any] | msgspec.Raw
    created_at: int
    private: bool
    source_id: str | None
    sender: SenderOut | msgspec.Raw | UnsetType = UNSET
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
