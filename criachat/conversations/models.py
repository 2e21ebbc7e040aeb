"""Conversations as rows, with everybody in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from criachat.contacts.snapshots import AccountSnapshot, ContactInboxSnapshot, ContactSnapshot
from criachat.conversations.snapshots import (
    PRIORITIES,
    ConversationSnapshot,
    InboxSnapshot,
    LastMessages,
    MessageSnapshot,
    Priority,
    Status,
    TeamSnapshot,
)
from criachat.custom_attributes.comparing import AttributeComparison
from criachat.kit import clock
from criachat.users.snapshots import Availability, BotSnapshot, UserSnapshot

MOST_UNREAD = 10
AssigneeType = Literal["me", "assigned", "unassigned"]
Comparison = Literal[
    "is_one",
    "is_none",
    "is_like_one",
    "is_like_none",
    "is_from",
    "is_before",
    "is_set",
    "is_not_set",
    "has_one",
    "has_none",
    "has_any",
    "has_nothing",
]

_decode_last_messages = msgspec.json.Decoder(LastMessages).decode

# Providers take no answers later than so many hours after a contact wrote.
WINDOWS: Mapping[str, int] = {
    "Channel::Whatsapp": 24,
    "Channel::FacebookPage": 24,
    "Channel::Instagram": 24,
    "Channel::Tiktok": 48,
}


class Conversation(msgspec.Struct, frozen=True):
    """One conversation with its inbox, contact, assignee and team, read in one statement.

    `display_id` is the number people see. `reserved_id` is a number taken from another slice's sequence along the way.
    """

    account_id: int
    id: int
    display_id: int
    uuid: UUID
    status: Status
    priority: int | None
    labels: list[str]
    snoozed_until: datetime | None
    additional_attributes: dict[str, Any]
    custom_attributes: dict[str, Any]
    unread_count: int
    agent_last_seen_at: datetime | None
    assignee_last_seen_at: datetime | None
    contact_last_seen_at: datetime | None
    last_activity_at: datetime
    last_incoming_at: datetime | None
    first_reply_created_at: datetime | None
    waiting_since: datetime | None
    last_messages: msgspec.Raw | None
    recent_minute: datetime | None
    recent_count: int
    sla_policy_id: int | None
    version: int
    created_at: datetime
    updated_at: datetime

    account_name: str
    account_locale: str
    inbox_id: int
    inbox_name: str
    channel_type: str
    has_active_bot: bool
    reply_window_hours: str | None
    deduplicates_source_ids: bool

    contact_id: int
    contact_name: str | None
    contact_email: str | None
    contact_phone_number: str | None
    contact_identifier: str | None
    contact_blocked: bool
    contact_avatar_key: str | None
    contact_additional_attributes: dict[str, Any]
    contact_custom_attributes: dict[str, Any]
    contact_last_activity_at: datetime | None
    contact_created_at: datetime

    contact_inbox_id: int
    source_id: str
    hmac_verified: bool
    pubsub_token: str
    contact_inbox_created_at: datetime
    contact_inbox_updated_at: datetime

    assignee_id: int | None
    assignee_name: str | None
    assignee_display_name: str | None
    assignee_email: str | None
    assignee_provider: str | None
    assignee_is_confirmed: bool | None
    assignee_custom_attributes: dict[str, Any] | None
    assignee_role: str | None
    assignee_custom_role_id: int | None
    assignee_availability: Availability | None
    assignee_auto_offline: bool | None
    assignee_avatar_key: str | None

    assignee_agent_bot_id: int | None
    bot_name: str | None
    bot_description: str | None
    bot_avatar_key: str | None
    bot_outgoing_url: str | None
    is_system_bot: bool

    team_id: int | None
    team_name: str | None
    team_description: str | None
    team_allow_auto_assign: bool | None

    is_inbox_member: bool
    is_team_member: bool
    reserved_id: int | None = None

    @property
    def priority_name(self) -> Priority | None:
        """Its priority by name."""
        return None if self.priority is None else PRIORITIES[self.priority]

    @property
    def can_reply(self) -> bool:
        """Whether the channel's window for answers is open."""
        try:
            hours = float(self._window_hours or 0)
        except ValueError:
            return True
        if not 0 < hours < 1_000_000:
            return True
        return self.last_incoming_at is not None and clock.now() - self.last_incoming_at < timedelta(hours=hours)

    @property
    def _window_hours(self) -> str | int | None:
        """For how many hours after they wrote a contact may be answered: what the provider or the API inbox says."""
        if self.channel_type == "Channel::TwilioSms" and self.source_id.startswith("whatsapp:"):
            return WINDOWS["Channel::Whatsapp"]
        return WINDOWS.get(self.channel_type) or self.reply_window_hours

    @property
    def assignee(self) -> UserSnapshot | BotSnapshot | None:
        """Whoever it is assigned to; a bot wins over a person."""
        if self.assignee_agent_bot_id is not None and self.bot_name is not None:
            return BotSnapshot(id=self.assignee_agent_bot_id, name=self.bot_name, avatar_key=self.bot_avatar_key)
        if self.assignee_id is None or self.assignee_name is None:
            return None
        return UserSnapshot(
            id=self.assignee_id,
            name=self.assignee_name,
            available_name=self.assignee_display_name or self.assignee_name,
            email=self.assignee_email or "",
            avatar_key=self.assignee_avatar_key,
            availability=self.assignee_availability or "offline",
            auto_offline=bool(self.assignee_auto_offline),
        )

    def newest(self) -> LastMessages | None:
        """The newest messages, decoded."""
        return None if self.last_messages is None else _decode_last_messages(self.last_messages)

    def contact(self) -> ContactSnapshot:
        """The person who writes."""
        return ContactSnapshot(
            id=self.contact_id,
            name=self.contact_name,
            email=self.contact_email,
            phone_number=self.contact_phone_number,
            identifier=self.contact_identifier,
            blocked=self.contact_blocked,
            avatar_key=self.contact_avatar_key,
            additional_attributes=self.contact_additional_attributes,
            custom_attributes=self.contact_custom_attributes,
            last_activity_at=self.contact_last_activity_at,
            created_at=self.contact_created_at,
        )

    def snapshot(self, *, last_message: MessageSnapshot | UnsetType | None = UNSET) -> ConversationSnapshot:
        """The conversation as events show it, with its newest public message unless another one is given."""
        if last_message is UNSET:
            newest = self.newest()
            last_message = None if newest is None else newest.newest_public
        return ConversationSnapshot(
            id=self.display_id,
            conversation_id=self.id,
            uuid=str(self.uuid),
            account=AccountSnapshot(self.account_id, self.account_name),
            inbox=InboxSnapshot(self.inbox_id, self.inbox_name, self.channel_type),
            contact=self.contact(),
            contact_inbox=ContactInboxSnapshot(
                id=self.contact_inbox_id,
                contact_id=self.contact_id,
                inbox_id=self.inbox_id,
                source_id=self.source_id,
                hmac_verified=self.hmac_verified,
                pubsub_token=self.pubsub_token,
                created_at=self.contact_inbox_created_at,
                updated_at=self.contact_inbox_updated_at,
            ),
            assignee=self.assignee,
            team=None if self.team_id is None else TeamSnapshot(self.team_id, self.team_name or ""),
            status=self.status,
            priority=self.priority_name,
            labels=self.labels,
            can_reply=self.can_reply,
            additional_attributes=self.additional_attributes,
            custom_attributes=self.custom_attributes,
            snoozed_until=self.snoozed_until,
            unread_count=min(self.unread_count, MOST_UNREAD),
            first_reply_created_at=self.first_reply_created_at,
            waiting_since=self.waiting_since,
            agent_last_seen_at=self.agent_last_seen_at,
            assignee_last_seen_at=self.assignee_last_seen_at,
            contact_last_seen_at=self.contact_last_seen_at,
            last_activity_at=self.last_activity_at,
            created_at=self.created_at,
            updated_at=self.updated_at,
            last_message=last_message,
        )


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants a new conversation to be."""

    status: str | None = None
    snoozed_until: datetime | None = None
    assignee_id: int | None = None
    team_id: int | None = None
    custom_attributes: dict[str, Any] = {}
    additional_attributes: dict[str, Any] = {}


class Mentions(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked for in a private note: people, and whole teams."""

    message_id: int
    user_ids: tuple[int, ...]
    team_ids: tuple[int, ...]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody wants many conversations to be; what is not said stays. None stands for nobody and for no team."""

    status: Status | None = None
    snoozed_until: datetime | None = None
    assignee_id: int | UnsetType | None = UNSET
    team_id: int | UnsetType | None = UNSET
    added_labels: list[str] = []
    removed_labels: list[str] = []


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many conversations a list has behind each of its tabs."""

    mine_count: int
    unassigned_count: int
    all_count: int

    @property
    def assigned_count(self) -> int:
        """Those that a person has."""
        return self.all_count - self.unassigned_count


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was found."""

    conversation_id: int
    id: int
    content: str
    message_type: int
    created_at: datetime
    sender_name: str | None


class ColumnComparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation is anyway, held against a value."""

    key: str
    comparison: Comparison
    value: object


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a filter; `is_alternative` when the next one may hold in its place."""

    compared: ColumnComparison | AttributeComparison
    is_alternative: bool = False


class ListFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations a list shows. None means: whichever."""

    status: tuple[str, ...] | None = ("open",)
    assignee: AssigneeType | None = None
    inbox_id: int | None = None
    team_id: int | None = None
    labels: tuple[str, ...] | None = None
    kind: Literal["mention", "participating", "unattended"] | None = None
    words: str | None = None
    source_id: str | None = None
    contact_id: int | None = None
    contact_inbox_id: int | None = None
    updated_after: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    is_empty: bool = False


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted: so many from there on, or those behind the place of a conversation.

    `is_few` where it is known that the whole list is short: it is found by what was asked for, and sorted afterwards.
    """

    sort: str = ""
    limit: int = 25
    offset: int = 0
    behind: Sequence[object] | None = None
    is_few: bool = False
