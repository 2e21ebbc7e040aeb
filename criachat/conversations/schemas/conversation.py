"""A conversation on the wire of the Application API, with everybody in it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.contacts.schemas import ContactFullOut
from criachat.conversations.models import MOST_UNREAD, Conversation
from criachat.conversations.schemas.messages import (
    MessageContextOut,
    MessagePushOut,
    availability_of,
    message_push_out,
)
from criachat.kit.times import iso_or_none, unix, unix_float
from criachat.users.schemas import AgentOut
from criachat.users.shown import Shown
from criachat.users.snapshots import BotSnapshot


class BotSlimOut(msgspec.Struct, frozen=True, kw_only=True):
    """The assignee, as a bot. Those of the installation have no `outgoing_url`."""

    id: int
    name: str
    description: str | None
    thumbnail: str
    outgoing_url: str | UnsetType | None
    bot_type: str = "webhook"


class TeamCardOut(msgspec.Struct, frozen=True, kw_only=True):
    """The team it was handed to."""

    id: int
    name: str
    description: str | None
    allow_auto_assign: bool
    account_id: int
    is_member: bool


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
        return BotSlimOut(
            id=assignee.id,
            name=assignee.name,
            description=conversation.bot_description,
            thumbnail=shown.files.avatar_url(conversation.bot_avatar_key),
            outgoing_url=UNSET if conversation.is_system_bot else conversation.bot_outgoing_url,
        )
    return AgentOut(
        id=assignee.id,
        account_id=conversation.account_id,
        availability_status=availability_of(assignee, shown, conversation.account_id),
        auto_offline=assignee.auto_offline,
        confirmed=bool(conversation.assignee_is_confirmed),
        email=assignee.email,
        provider=conversation.assignee_provider or "email",
        available_name=assignee.available_name,
        custom_attributes=conversation.assignee_custom_attributes or UNSET,
        name=assignee.name,
        role=conversation.assignee_role,
        thumbnail=shown.files.avatar_url(conversation.assignee_avatar_key),
        custom_role_id=conversation.assignee_custom_role_id,
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
        thumbnail=shown.files.avatar_url(conversation.contact_avatar_key),
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
