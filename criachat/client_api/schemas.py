"""Conversations, messages and surveys as end users' own apps see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.contacts.models import Contact
from criachat.contacts.schemas.own import RawContactOut, raw_contact_out
from criachat.conversations.models import Conversation
from criachat.conversations.schemas import AttachmentOut, SenderOut, attachment_out, sender_out
from criachat.conversations.snapshots import MessageSnapshot
from criachat.csat.models import Survey, SurveyResponse
from criachat.inboxes.models import Inbox, WorkingHours
from criachat.kit.texts import Short
from criachat.kit.times import iso, iso_or_none, unix
from criachat.messages.content import LONGEST_CONTENT, attributes_for_contact
from criachat.messages.models import Message
from criachat.users.shown import Shown


class ProofParams(msgspec.Struct, kw_only=True):
    """Who the caller says they are; the hash is made by the business, with a key that only it has."""

    identifier: Short | None = None
    identifier_hash: Short | None = None


class ContactParams(ProofParams, kw_only=True):
    """What an app may say of its user; what is blank changes nothing."""

    name: Short | None = None
    email: Short | None = None
    phone_number: Short | None = None
    custom_attributes: dict[str, Any] | None = None


class SessionParams(ContactParams, kw_only=True):
    """A new session; with a `source_id`, the one of that name when there is one."""

    source_id: Short | None = None


class OpeningParams(msgspec.Struct, kw_only=True):
    """What an app may say of a new conversation."""

    custom_attributes: dict[str, Any] = {}


class TypingParams(msgspec.Struct, kw_only=True):
    """`on` or `off`; anything else does nothing."""

    typing_status: Any = None


class ListParams(msgspec.Struct, kw_only=True):
    """Which page of a thread: the 20 messages before this id."""

    before: Any = None


class MessageParams(msgspec.Struct, kw_only=True):
    """What the contact says. `attachments` are files of a multipart request; `echo_id` comes back on the socket."""

    content: Annotated[str, Meta(max_length=LONGEST_CONTENT)] | None = None
    echo_id: str | int | float | None = None
    client_message_id: Annotated[str, Meta(max_length=255)] | None = None
    attachments: Any = None


class AnswerParams(msgspec.Struct, kw_only=True):
    """The contact's answer: a list of `{name, title, value}`, or an object with a `csat_survey_response`."""

    submitted_values: Any = None


class PublicInboxOut(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox as apps see it."""

    identifier: str
    identity_validation_enabled: bool
    name: str
    timezone: str
    working_hours: list[WorkingHours]
    working_hours_enabled: bool
    csat_survey_enabled: bool
    greeting_enabled: bool


class PublicMessageOut(msgspec.Struct, frozen=True, kw_only=True):
    """One message; `attachments` and `sender` have no key when there is none."""

    id: int
    content: str | None
    message_type: int
    content_type: str
    content_attributes: dict[str, Any]
    created_at: int
    conversation_id: int
    attachments: list[AttachmentOut] | UnsetType = UNSET
    sender: SenderOut | UnsetType = UNSET


class PublicConversationOut(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation with its newest messages, oldest first; `id` is its number in the account."""

    id: int
    uuid: str
    inbox_id: int
    contact_last_seen_at: int
    status: str
    agent_last_seen_at: int
    messages: list[PublicMessageOut]
    contact: RawContactOut


class SurveyResponseOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered to a survey."""

    id: int
    account_id: int
    conversation_id: int
    message_id: int
    rating: int
    feedback_message: str | None
    contact_id: int
    assigned_agent_id: int | None
    created_at: str
    updated_at: str
    csat_review_notes: str | None
    review_notes_updated_at: str | None
    review_notes_updated_by_id: int | None


class SurveyOut(msgspec.Struct, frozen=True, kw_only=True):
    """A survey; `id` is its message's, `conversation_id` the database's."""

    id: int
    csat_survey_response: SurveyResponseOut | None
    display_type: str
    content: str | None
    inbox_avatar_url: str
    inbox_name: str
    locale: str
    conversation_id: int
    created_at: str


def public_inbox_out(inbox: Inbox) -> PublicInboxOut:
    """An inbox as apps see it, its week from Sunday on."""
    return PublicInboxOut(
        identifier=inbox.identifier or "",
        identity_validation_enabled=bool(inbox.hmac_mandatory),
        name=inbox.name,
        timezone=inbox.timezone,
        working_hours=sorted(inbox.week, key=lambda day: day.day_of_week),
        working_hours_enabled=inbox.working_hours_enabled,
        csat_survey_enabled=inbox.csat_survey_enabled,
        greeting_enabled=inbox.greeting_enabled,
    )


def public_message_out(message: MessageSnapshot, shown: Shown) -> PublicMessageOut:
    """One message as the contact's app sees it."""
    return PublicMessageOut(
        id=message.id,
        content=message.content,
        message_type=message.message_type,
        content_type=message.content_type,
        content_attributes=attributes_for_contact(message.content_attributes),
        created_at=unix(message.created_at),
        conversation_id=message.conversation_id,
        attachments=[attachment_out(each, shown.files) for each in message.attachments] or UNSET,
        sender=UNSET if message.sender is None else sender_out(message.sender, shown, message.account_id),
    )


def public_conversation_out(
    conversation: Conversation, messages: Sequence[Message], contact: Contact, shown: Shown
) -> PublicConversationOut:
    """One conversation as the contact's app sees it."""
    return PublicConversationOut(
        id=conversation.display_id,
        uuid=str(conversation.uuid),
        inbox_id=conversation.inbox_id,
        contact_last_seen_at=unix(conversation.contact_last_seen_at),
        status=conversation.status,
        agent_last_seen_at=unix(conversation.agent_last_seen_at),
        messages=[public_message_out(message.snapshot(conversation), shown) for message in messages],
        contact=raw_contact_out(contact),
    )


def survey_out(survey: Survey, inbox_avatar_url: str) -> SurveyOut:
    """A survey as its page sees it."""
    display_type = survey.message.content_attributes.get("display_type")
    return SurveyOut(
        id=survey.message.id,
        csat_survey_response=None if survey.response is None else _response_out(survey.response),
        display_type="star" if display_type == "star" else "emoji",
        content=survey.message.content,
        inbox_avatar_url=inbox_avatar_url,
        inbox_name=survey.conversation.inbox_name,
        locale=survey.conversation.account_locale,
        conversation_id=survey.conversation.id,
        created_at=iso(survey.message.created_at),
    )


def _response_out(response: SurveyResponse) -> SurveyResponseOut:
    return SurveyResponseOut(
        id=response.id,
        account_id=response.account_id,
        conversation_id=response.conversation_id,
        message_id=response.message_id,
        rating=response.rating,
        feedback_message=response.feedback_message,
        contact_id=response.contact_id,
        assigned_agent_id=response.assigned_agent_id,
        created_at=iso(response.created_at),
        updated_at=iso(response.updated_at),
        csat_review_notes=response.csat_review_notes,
        review_notes_updated_at=iso_or_none(response.review_notes_updated_at),
        review_notes_updated_by_id=response.review_notes_updated_by_id,
    )
