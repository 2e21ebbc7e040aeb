"""Conversations, messages and contacts in the shape that sockets and the feed share, made of snapshots.

Pure functions: nothing is read again, so that what is shown is the moment of the event. Only who is online is filled in
when it is sent.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.contacts.snapshots import ContactInboxSnapshot, ContactSnapshot
from criachat.conversations.schemas import (
    BotSenderOut,
    ContactSenderOut,
    MessageContextOut,
    MessagePushOut,
    SenderOut,
    UserSenderOut,
    contact_sender_out,
    message_push_out,
    sender_out,
)
from criachat.conversations.snapshots import ConversationSnapshot, MessageSnapshot
from criachat.kit.times import iso, iso_or_none, unix, unix_float
from criachat.users.shown import Shown
from criachat.users.snapshots import BotSnapshot, UserSnapshot


class ContactInboxRowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A channel identity of the contact, as its row."""

    id: int
    contact_id: int
    inbox_id: int
    source_id: str
    created_at: str
    updated_at: str
    hmac_verified: bool
    pubsub_token: str | None


class TeamRefOut(msgspec.Struct, frozen=True):
    """A team by name."""

    id: int
    name: str


class ConversationMetaPushOut(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in a conversation."""

    sender: ContactSenderOut
    assignee: UserSenderOut | BotSenderOut | None
    assignee_type: str | None
    team: TeamRefOut | None
    hmac_verified: bool


class ConversationPushOut(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as sockets and the feed show it."""

    additional_attributes: dict[str, Any]
    can_reply: bool
    channel: str
    contact_inbox: ContactInboxRowOut
    id: int
    inbox_id: int
    messages: list[MessagePushOut]
    labels: list[str]
    meta: ConversationMetaPushOut
    status: str
    custom_attributes: dict[str, Any]
    snoozed_until: str | None
    unread_count: int
    first_reply_created_at: str | None
    priority: str | None
    waiting_since: int
    agent_last_seen_at: int
    contact_last_seen_at: int
    last_activity_at: int
    timestamp: int
    created_at: int
    updated_at: float
    account_id: int
    performer: SenderOut | UnsetType = UNSET


def contact_push(contact: ContactSnapshot, shown: Shown) -> ContactSenderOut:
    """A contact inside conversations and on sockets."""
    return contact_sender_out(contact, shown, name=contact.name or "")


def contact_inbox_row(contact_inbox: ContactInboxSnapshot) -> ContactInboxRowOut:
    """A channel identity inside a conversation.

    Its token is left out: whoever has it listens as the contact, and these rows go to the whole team.
    """
    return ContactInboxRowOut(
        id=contact_inbox.id,
        contact_id=contact_inbox.contact_id,
        inbox_id=contact_inbox.inbox_id,
        source_id=contact_inbox.source_id,
        created_at=iso(contact_inbox.created_at),
        updated_at=iso(contact_inbox.updated_at),
        hmac_verified=contact_inbox.hmac_verified,
        pubsub_token=None,
    )


def context_push(conversation: ConversationSnapshot) -> MessageContextOut:
    """What a message says of its conversation."""
    assignee = conversation.assignee
    return MessageContextOut(
        assignee_id=assignee.id if isinstance(assignee, UserSnapshot) else None,
        unread_count=conversation.unread_count,
        last_activity_at=unix(conversation.last_activity_at),
        contact_inbox={"source_id": conversation.contact_inbox.source_id},
    )


def message_push(message: MessageSnapshot, conversation: ConversationSnapshot, shown: Shown) -> MessagePushOut:
    """A message with what it says of its conversation."""
    return message_push_out(message, context_push(conversation), shown, contact=conversation.contact)


def assignee_push(conversation: ConversationSnapshot, shown: Shown) -> UserSenderOut | BotSenderOut | None:
    """The person or bot it is assigned to."""
    assignee = conversation.assignee
    pushed = None if assignee is None else sender_out(assignee, shown, conversation.account.id)
    return None if isinstance(pushed, ContactSenderOut) else pushed


def conversation_push(
    conversation: ConversationSnapshot, shown: Shown, *, newest_public: MessageSnapshot | None = None
) -> ConversationPushOut:
    """A conversation with its newest public message, which is the snapshot's unless another one is named."""
    newest = newest_public or conversation.last_message
    assignee = conversation.assignee
    return ConversationPushOut(
        additional_attributes=conversation.additional_attributes,
        can_reply=conversation.can_reply,
        channel=conversation.inbox.channel_type,
        contact_inbox=contact_inbox_row(conversation.contact_inbox),
        id=conversation.id,
        inbox_id=conversation.inbox.id,
        messages=[] if newest is None else [message_push(newest, conversation, shown)],
        labels=conversation.labels,
        meta=ConversationMetaPushOut(
            sender=contact_push(conversation.contact, shown),
            assignee=assignee_push(conversation, shown),
            assignee_type=None if assignee is None else "AgentBot" if isinstance(assignee, BotSnapshot) else "User",
            team=None if conversation.team is None else TeamRefOut(conversation.team.id, conversation.team.name),
            hmac_verified=conversation.contact_inbox.hmac_verified,
        ),
        status=conversation.status,
        custom_attributes=conversation.custom_attributes,
        snoozed_until=iso_or_none(conversation.snoozed_until),
        unread_count=conversation.unread_count,
        first_reply_created_at=iso_or_none(conversation.first_reply_created_at),
        priority=conversation.priority,
        waiting_since=unix(conversation.waiting_since),
        agent_last_seen_at=unix(conversation.agent_last_seen_at),
        contact_last_seen_at=unix(conversation.contact_last_seen_at),
        last_activity_at=unix(conversation.last_activity_at),
        timestamp=unix(conversation.last_activity_at),
        created_at=unix(conversation.created_at),
        updated_at=unix_float(conversation.updated_at),
        account_id=conversation.account.id,
    )
