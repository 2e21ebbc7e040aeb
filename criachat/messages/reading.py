"""A thread on the wire of the Application API, straight from the rows it was read in."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.conversations.heads import ThreadHead
from criachat.conversations.schemas import (
    ContactSenderOut,
    SenderOut,
    attachment_out,
    bot_sender_out,
    user_sender_out,
)
from criachat.kit.http.answers import encode
from criachat.kit.times import iso_or_none
from criachat.messages.models import Line, Thread
from criachat.messages.schemas import MessageOut
from criachat.users.shown import Shown


class ThreadMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in the thread, and up to when it was seen."""

    labels: list[str]
    additional_attributes: dict[str, Any] | msgspec.Raw
    contact: SenderOut | msgspec.Raw
    assignee: SenderOut | UnsetType = UNSET
    agent_last_seen_at: str | None
    assignee_last_seen_at: str | None


class ThreadOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a thread, oldest first."""

    meta: ThreadMetaOut
    payload: list[MessageOut]


def thread_out(thread: Thread, shown: Shown) -> ThreadOut:
    """A page of the thread."""
    contact = msgspec.Raw(encode(_contact(thread.head, shown)))
    # Few people write in a thread, and each of them many times: each becomes JSON once.
    senders: dict[tuple[str | None, int | None], msgspec.Raw | UnsetType] = {}
    payload: list[MessageOut] = []
    for line in thread.lines:
        author = line.sender_type, line.sender_id
        sender = senders.get(author)
        if sender is None:
            sender = senders[author] = _sender(line, thread, contact, shown)
        payload.append(_message(line, thread, sender, shown))
    return ThreadOut(meta=_meta(thread, contact, shown), payload=payload)


def _message(line: Line, thread: Thread, sender: msgspec.Raw | UnsetType, shown: Shown) -> MessageOut:
    return MessageOut(
        id=line.id,
        content=line.content,
        inbox_id=line.inbox_id,
        conversation_id=thread.head.display_id,
        message_type=line.message_type,
        content_type=line.content_type,
        status=line.status,
        content_attributes={} if line.content_attributes is None else line.content_attributes,
        created_at=line.created_at,
        private=line.private,
        source_id=line.source_id,
        sender=sender,
        attachments=UNSET
        if line.id not in thread.attachments
        else [attachment_out(each, shown.files) for each in thread.attachments[line.id]],
    )


def _sender(line: Line, thread: Thread, contact: msgspec.Raw, shown: Shown) -> msgspec.Raw | UnsetType:
    """Whoever wrote it: the conversation's contact, a bot or a person; nobody where they are gone."""
    if line.sender_id is None:
        return UNSET
    if line.sender_type == "Contact":
        return contact
    if line.sender_type == "AgentBot":
        bot = thread.speakers.bots.get(line.sender_id)
        return UNSET if bot is None else msgspec.Raw(encode(bot_sender_out(bot, shown)))
    person = thread.speakers.people.get(line.sender_id)
    if person is None:
        return UNSET
    return msgspec.Raw(encode(user_sender_out(person, shown, thread.head.account_id)))


def _contact(head: ThreadHead, shown: Shown) -> ContactSenderOut:
    return ContactSenderOut(
        additional_attributes=head.contact_additional_attributes,
        custom_attributes=head.contact_custom_attributes,
        email=head.contact_email,
        id=head.contact_id,
        identifier=head.contact_identifier,
        name=head.contact_name,
        phone_number=head.contact_phone_number,
        thumbnail=shown.files.avatar_url(head.contact_avatar_key),
        blocked=head.contact_blocked,
    )


def _meta(thread: Thread, contact: msgspec.Raw, shown: Shown) -> ThreadMetaOut:
    head, assignee = thread.head, thread.assignee
    return ThreadMetaOut(
        labels=head.labels,
        additional_attributes=head.additional_attributes,
        contact=contact,
        assignee=UNSET if assignee is None else user_sender_out(assignee, shown, head.account_id),
        agent_last_seen_at=iso_or_none(head.agent_last_seen_at),
        assignee_last_seen_at=iso_or_none(head.assignee_last_seen_at),
    )
