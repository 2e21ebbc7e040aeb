"""Messages as conversations and sockets show them, with who wrote them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.contacts.snapshots import ContactSnapshot
from criachat.conversations.snapshots import AttachmentSnapshot, MessageSnapshot, SenderSnapshot
from criachat.kit.files import Blob, Files
from criachat.kit.times import iso, unix
from criachat.users.presence import availability
from criachat.users.roster import Speaker
from criachat.users.shown import Shown
from criachat.users.snapshots import BotSnapshot, UserSnapshot

MEDIA = frozenset(("image", "audio", "video", "file", "share", "story_mention", "ig_reel", "ig_post", "ig_story"))
LONGEST_PROCESSED_CONTENT = 150_000


class UserSenderOut(msgspec.Struct, frozen=True, kw_only=True, tag="user", tag_field="type"):
    """A person of the team as the author of a message."""

    id: int
    name: str
    available_name: str
    avatar_url: str
    availability_status: str | None
    thumbnail: str


class BotSenderOut(msgspec.Struct, frozen=True, kw_only=True, tag="agent_bot", tag_field="type"):
    """A bot as the author of a message."""

    id: int
    name: str
    avatar_url: str


class ContactSenderOut(msgspec.Struct, frozen=True, kw_only=True, tag="contact", tag_field="type"):
    """A contact as the author of a message."""

    additional_attributes: dict[str, Any] | msgspec.Raw
    custom_attributes: dict[str, Any] | msgspec.Raw
    email: str | None
    id: int
    identifier: str | None
    name: str | None
    phone_number: str | None
    thumbnail: str
    blocked: bool


SenderOut = UserSenderOut | BotSenderOut | ContactSenderOut


class AttachmentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file, place or card; which keys are there depends on `file_type`."""

    id: int
    message_id: int
    file_type: str
    account_id: int
    extension: str | UnsetType | None = UNSET
    data_url: str | UnsetType | None = UNSET
    thumb_url: str | UnsetType = UNSET
    file_size: int | UnsetType | None = UNSET
    width: int | UnsetType | None = UNSET
    height: int | UnsetType | None = UNSET
    transcribed_text: str | UnsetType = UNSET
    coordinates_lat: float | UnsetType | None = UNSET
    coordinates_long: float | UnsetType | None = UNSET
    fallback_title: str | UnsetType | None = UNSET
    meta: dict[str, Any] | UnsetType = UNSET


class MessageContextOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of its conversation."""

    assignee_id: int | None
    unread_count: int
    last_activity_at: int
    contact_inbox: dict[str, str]


class MessagePushOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message as conversations and sockets show it: every column, plus its context."""

    id: int
    content: str | None
    account_id: int
    inbox_id: int
    conversation_id: int
    message_type: int
    created_at: int
    updated_at: str
    private: bool
    status: str
    source_id: str | None
    content_type: str
    content_attributes: dict[str, Any]
    sender_type: str | None
    sender_id: int | None
    external_source_ids: dict[str, Any]
    additional_attributes: dict[str, Any]
    processed_message_content: str | None
    sentiment: dict[str, Any]
    conversation: MessageContextOut
    attachments: list[AttachmentOut] | UnsetType = UNSET
    sender: SenderOut | UnsetType = UNSET
    echo_id: Any = UNSET


def sender_out(sender: SenderSnapshot, shown: Shown, account_id: int) -> SenderOut:
    """The author of a message."""
    if isinstance(sender, ContactSnapshot):
        return contact_sender_out(sender, shown, name=sender.name)
    if isinstance(sender, BotSnapshot):
        return bot_sender_out(sender, shown)
    return user_sender_out(sender, shown, account_id)


def bot_sender_out(bot: BotSnapshot | Speaker, shown: Shown) -> BotSenderOut:
    """A bot as an author."""
    return BotSenderOut(id=bot.id, name=bot.name, avatar_url=shown.files.avatar_url(bot.avatar_key))


def user_sender_out(person: UserSnapshot | Speaker, shown: Shown, account_id: int) -> UserSenderOut:
    """A person of the team as an author."""
    picture = shown.files.avatar_url(person.avatar_key)
    return UserSenderOut(
        id=person.id,
        name=person.name,
        available_name=person.available_name,
        avatar_url=picture,
        availability_status=availability_of(person, shown, account_id),
        thumbnail=picture,
    )


def contact_sender_out(contact: ContactSnapshot, shown: Shown, *, name: str | None) -> ContactSenderOut:
    """A contact under this name: as an author they may have none, elsewhere theirs is empty then."""
    return ContactSenderOut(
        additional_attributes=contact.additional_attributes,
        custom_attributes=contact.custom_attributes,
        email=contact.email,
        id=contact.id,
        identifier=contact.identifier,
        name=name,
        phone_number=contact.phone_number,
        thumbnail=shown.files.avatar_url(contact.avatar_key),
        blocked=contact.blocked,
    )


def availability_of(user: UserSnapshot | Speaker, shown: Shown, account_id: int) -> str | None:
    """Whether they are there, where that is told."""
    if not shown.tells_presence:
        return None
    is_present = shown.presence.is_user_present(account_id, user.id)
    return availability(user.availability, auto_offline=user.auto_offline, is_present=is_present)


def attachment_out(attachment: AttachmentSnapshot, files: Files) -> AttachmentOut:
    """One attachment, with the keys of its type."""
    base: dict[str, Any] = {
        "id": attachment.id,
        "message_id": attachment.message_id,
        "file_type": attachment.file_type,
        "account_id": attachment.account_id,
    }
    if attachment.file_type in MEDIA:
        return AttachmentOut(**base, **_media(attachment, files))
    if attachment.file_type == "location":
        return AttachmentOut(
            **base,
            coordinates_lat=attachment.coordinates_lat,
            coordinates_long=attachment.coordinates_long,
            fallback_title=attachment.fallback_title,
            data_url=attachment.external_url,
        )
    if attachment.file_type == "contact":
        return AttachmentOut(**base, fallback_title=attachment.fallback_title, meta=attachment.meta)
    if attachment.file_type == "fallback":
        return AttachmentOut(**base, fallback_title=attachment.fallback_title, data_url=attachment.external_url)
    return AttachmentOut(**base, data_url=attachment.external_url)


def _media(attachment: AttachmentSnapshot, files: Files) -> dict[str, Any]:
    name = attachment.filename or "file"
    has_file, blob = attachment.file_key is not None, Blob(attachment.account_id, attachment.id)
    media: dict[str, Any] = {
        "extension": attachment.extension,
        "data_url": files.blob_url(blob, name) if has_file else attachment.external_url or "",
        "thumb_url": files.thumbnail_url(blob, name) if has_file and attachment.file_type == "image" else "",
        "file_size": attachment.byte_size,
        "width": attachment.width,
        "height": attachment.height,
    }
    return {**media, "transcribed_text": ""} if attachment.file_type == "audio" else media


def message_push_out(
    message: MessageSnapshot, context: MessageContextOut, shown: Shown, *, contact: ContactSnapshot | None = None
) -> MessagePushOut:
    """A message inside its conversation; the contact as they are now, where they wrote it."""
    sender = message.sender
    if contact is not None and isinstance(sender, ContactSnapshot) and sender.id == contact.id:
        sender = contact
    return MessagePushOut(
        id=message.id,
        content=message.content,
        account_id=message.account_id,
        inbox_id=message.inbox_id,
        conversation_id=message.conversation_id,
        message_type=message.message_type,
        created_at=unix(message.created_at),
        updated_at=iso(message.updated_at),
        private=message.private,
        status=message.status,
        source_id=message.source_id,
        content_type=message.content_type,
        content_attributes=message.content_attributes,
        sender_type=message.sender_type,
        sender_id=message.sender_id,
        external_source_ids=message.external_source_ids,
        additional_attributes=message.additional_attributes,
        processed_message_content=message.content and message.content[:LONGEST_PROCESSED_CONTENT],
        sentiment={},
        conversation=context,
        attachments=[attachment_out(each, shown.files) for each in message.attachments] or UNSET,
        sender=UNSET if sender is None else sender_out(sender, shown, message.account_id),
    )
