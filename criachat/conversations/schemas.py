"""Conversations, and the messages they show, on the wire of the Application API."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.contacts.snapshots import ContactSnapshot
from criachat.conversations.models import MOST_UNREAD, Conversation, Counts
from criachat.conversations.snapshots import AttachmentSnapshot, MessageSnapshot, SenderSnapshot
from criachat.kit.files import Blob, Files
from criachat.kit.http import binding
from criachat.kit.times import iso, iso_or_none, unix, unix_float
from criachat.users.presence import availability
from criachat.users.schemas import AgentOut
from criachat.users.shown import Shown
from criachat.users.snapshots import BotSnapshot, UserSnapshot

MEDIA = frozenset(("image", "audio", "video", "file", "share", "story_mention", "ig_reel", "ig_post", "ig_story"))
LONGEST_PROCESSED_CONTENT = 150_000


class ListParams(msgspec.Struct, kw_only=True):
    """Which conversations to list; see `GET /conversations`."""

    status: Any = None
    assignee_type: Any = None
    inbox_id: Any = UNSET
    team_id: Any = UNSET
    labels: Any = UNSET
    conversation_type: Any = None
    q: str | None = None
    source_id: str | None = None
    sort_by: Any = None
    page: Any = None
    updated_within: int | None = None


class PriorityParams(msgspec.Struct, kw_only=True):
    """`low`, `medium`, `high`, `urgent`, or null for none."""

    priority: str | UnsetType | None = UNSET


class StatusParams(msgspec.Struct, kw_only=True):
    """`snoozed_until` in unix seconds, for `snoozed`."""

    status: str | None = None
    snoozed_until: int | str | None = None


class TypingParams(msgspec.Struct, kw_only=True):
    """`on` or `off`; anything else does nothing."""

    typing_status: Any = None
    is_private: bool = False


class CustomAttributesParams(msgspec.Struct, kw_only=True):
    """Custom attributes by key."""

    custom_attributes: dict[str, Any]


class AssignmentParams(msgspec.Struct, kw_only=True):
    """To whom; `assignee_id` wins over `team_id`."""

    assignee_id: Any = UNSET
    assignee_type: str | None = None
    team_id: Any = UNSET


class LabelsParams(msgspec.Struct, kw_only=True):
    """All labels it shall have."""

    labels: Any = None


class LabelParams(msgspec.Struct, kw_only=True):
    """One label."""

    label: str


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

    additional_attributes: dict[str, Any]
    custom_attributes: dict[str, Any]
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


class BotSlimOut(msgspec.Struct, frozen=True, kw_only=True):
    """The assignee, as a bot."""

    id: int
    name: str
    description: str | None
    thumbnail: str = ""
    outgoing_url: str | None = None
    bot_type: str = "webhook"


class TeamCardOut(msgspec.Struct, frozen=True, kw_only=True):
    """The team it was handed to."""

    id: int
    name: str
    description: str | None
    allow_auto_assign: bool
    account_id: int
    is_member: bool


class ContactFullOut(msgspec.Struct, frozen=True, kw_only=True):
    """The contact, as agents see them beside a conversation."""

    additional_attributes: dict[str, Any]
    availability_status: str
    email: str | None
    id: int
    name: str | None
    phone_number: str | None
    blocked: bool
    identifier: str | None
    thumbnail: str
    custom_attributes: dict[str, Any]
    last_activity_at: int | UnsetType
    created_at: int


class ConversationMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in a conversation; whoever is missing has no key."""

    sender: ContactFullOut
    channel: str
    assignee: AgentOut | BotSlimOut | UnsetType = UNSET
    assignee_type: str | UnsetType = UNSET
    team: TeamCardOut | UnsetType = UNSET
    hmac_verified: bool


class ConversationOut(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation. `id` is its number in the account; null times are 0, except `snoozed_until`."""

    meta: ConversationMetaOut
    id: int
    messages: list[MessagePushOut]
    account_id: int
    uuid: str
    additional_attributes: dict[str, Any]
    agent_last_seen_at: int
    assignee_last_seen_at: int
    can_reply: bool
    contact_last_seen_at: int
    custom_attributes: dict[str, Any]
    inbox_id: int
    labels: list[str]
    muted: bool
    snoozed_until: str | None
    status: str
    created_at: int
    updated_at: float
    timestamp: int
    first_reply_created_at: int
    unread_count: int
    last_non_activity_message: MessagePushOut | None
    last_activity_at: int
    priority: str | None
    waiting_since: int
    sla_policy_id: int | None


class ListMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers behind a list's tabs."""

    mine_count: int
    assigned_count: int
    unassigned_count: int
    all_count: int


class ListPageOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page and its numbers."""

    meta: ListMetaOut
    payload: list[ConversationOut]


class ListOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page and its numbers, below `data`."""

    data: ListPageOut


class MetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers alone."""

    meta: ListMetaOut


class ContactConversationsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The conversations of one contact."""

    payload: list[ConversationOut]


class StatusPayloadOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the status is now; `success` is null after a bot's hand-off."""

    success: bool | None
    conversation_id: int
    current_status: str
    snoozed_until: str | None


class StatusOut(msgspec.Struct, frozen=True):
    """What the status is now."""

    payload: StatusPayloadOut


class CustomAttributesOut(msgspec.Struct, frozen=True):
    """All custom attributes as they are now."""

    custom_attributes: dict[str, Any]


class LabelsOut(msgspec.Struct, frozen=True):
    """All labels as they are now."""

    payload: list[str]


def id_of(value: object) -> int | None:
    """The id that was sent; None for null, 0, "", "nil" and whatever else cannot be one."""
    return binding.id_of(str(value).strip()) or None


def list_meta_out(counts: Counts) -> ListMetaOut:
    """Counts on the wire."""
    return ListMetaOut(
        mine_count=counts.mine_count,
        assigned_count=counts.assigned_count,
        unassigned_count=counts.unassigned_count,
        all_count=counts.all_count,
    )


def sender_out(sender: SenderSnapshot, shown: Shown, account_id: int) -> SenderOut:
    """The author of a message."""
    if isinstance(sender, ContactSnapshot):
        return ContactSenderOut(
            additional_attributes=sender.additional_attributes,
            custom_attributes=sender.custom_attributes,
            email=sender.email,
            id=sender.id,
            identifier=sender.identifier,
            name=sender.name,
            phone_number=sender.phone_number,
            thumbnail=sender.thumbnail,
            blocked=sender.blocked,
        )
    if isinstance(sender, BotSnapshot):
        return BotSenderOut(id=sender.id, name=sender.name, avatar_url=sender.avatar_url)
    return UserSenderOut(
        id=sender.id,
        name=sender.name,
        available_name=sender.available_name,
        avatar_url=sender.avatar_url,
        availability_status=_availability(sender, shown, account_id),
        thumbnail=sender.avatar_url,
    )


def _availability(user: UserSnapshot, shown: Shown, account_id: int) -> str | None:
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


def context_out(conversation: Conversation) -> MessageContextOut:
    """What messages say of this conversation."""
    return MessageContextOut(
        assignee_id=conversation.assignee_id,
        unread_count=min(conversation.unread_count, MOST_UNREAD),
        last_activity_at=unix(conversation.last_activity_at),
        contact_inbox={"source_id": conversation.source_id},
    )


def assignee_out(conversation: Conversation, shown: Shown) -> AgentOut | BotSlimOut | None:
    """Whoever it is assigned to; None for nobody, and for people who left the account."""
    assignee = conversation.assignee
    if assignee is None:
        return None
    if isinstance(assignee, BotSnapshot):
        return BotSlimOut(id=assignee.id, name=assignee.name, description=conversation.bot_description)
    return AgentOut(
        id=assignee.id,
        account_id=conversation.account_id,
        availability_status=_availability(assignee, shown, conversation.account_id),
        auto_offline=assignee.auto_offline,
        confirmed=bool(conversation.assignee_is_confirmed),
        email=assignee.email,
        provider=conversation.assignee_provider or "email",
        available_name=assignee.available_name,
        custom_attributes=conversation.assignee_custom_attributes or UNSET,
        name=assignee.name,
        role=conversation.assignee_role,
    )


def _contact_full_out(conversation: Conversation, shown: Shown) -> ContactFullOut:
    is_present = shown.presence.is_contact_present(conversation.account_id, conversation.contact_id)
    last_activity_at = conversation.contact_last_activity_at
    return ContactFullOut(
        additional_attributes=conversation.contact_additional_attributes,
        availability_status="online" if is_present else "offline",
        email=conversation.contact_email,
        id=conversation.contact_id,
        name=conversation.contact_name,
        phone_number=conversation.contact_phone_number,
        blocked=conversation.contact_blocked,
        identifier=conversation.contact_identifier,
        thumbnail="",
        custom_attributes=conversation.contact_custom_attributes,
        last_activity_at=UNSET if last_activity_at is None else unix(last_activity_at),
        created_at=unix(conversation.contact_created_at),
    )


def _meta_out(conversation: Conversation, shown: Shown) -> ConversationMetaOut:
    assignee = assignee_out(conversation, shown)
    return ConversationMetaOut(
        sender=_contact_full_out(conversation, shown),
        channel=conversation.channel_type,
        assignee=UNSET if assignee is None else assignee,
        assignee_type=UNSET if assignee is None else "AgentBot" if isinstance(assignee, BotSlimOut) else "User",
        team=UNSET
        if conversation.team_id is None
        else TeamCardOut(
            id=conversation.team_id,
            name=conversation.team_name or "",
            description=conversation.team_description,
            allow_auto_assign=bool(conversation.team_allow_auto_assign),
            account_id=conversation.account_id,
            is_member=conversation.is_team_member,
        ),
        hmac_verified=conversation.hmac_verified,
    )


def _last_messages_out(conversation: Conversation, shown: Shown) -> tuple[MessagePushOut | None, MessagePushOut | None]:
    """The newest message and the newest that is no activity, which mostly is the same one."""
    kept = conversation.newest()
    if kept is None:
        return None, None
    context, contact = context_out(conversation), conversation.contact()
    newest = message_push_out(kept.newest, context, shown, contact=contact)
    if not kept.newest.is_activity:
        return newest, newest
    spoken = kept.newest_spoken
    return newest, None if spoken is None else message_push_out(spoken, context, shown, contact=contact)


def conversation_out(conversation: Conversation, shown: Shown) -> ConversationOut:
    """One conversation as lists and single reads show it."""
    newest, spoken = _last_messages_out(conversation, shown)
    return ConversationOut(
        meta=_meta_out(conversation, shown),
        id=conversation.display_id,
        messages=[] if newest is None else [newest],
        account_id=conversation.account_id,
        uuid=str(conversation.uuid),
        additional_attributes=conversation.additional_attributes,
        agent_last_seen_at=unix(conversation.agent_last_seen_at),
        assignee_last_seen_at=unix(conversation.assignee_last_seen_at),
        can_reply=conversation.can_reply,
        contact_last_seen_at=unix(conversation.contact_last_seen_at),
        custom_attributes=conversation.custom_attributes,
        inbox_id=conversation.inbox_id,
        labels=conversation.labels,
        muted=conversation.contact_blocked,
        snoozed_until=iso_or_none(conversation.snoozed_until),
        status=conversation.status,
        created_at=unix(conversation.created_at),
        updated_at=unix_float(conversation.updated_at),
        timestamp=unix(conversation.last_activity_at),
        first_reply_created_at=unix(conversation.first_reply_created_at),
        unread_count=min(conversation.unread_count, MOST_UNREAD),
        last_non_activity_message=spoken,
        last_activity_at=unix(conversation.last_activity_at),
        priority=conversation.priority_name,
        waiting_since=unix(conversation.waiting_since),
        sla_policy_id=conversation.sla_policy_id,
    )
