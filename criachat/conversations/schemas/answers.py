"""Lists of conversations, and what changes of one are answered with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.conversations.models import Conversation, Counts, Hit
from criachat.conversations.schemas.conversation import ConversationOut
from criachat.kit.times import unix


class ListMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers behind a list's tabs; and where it goes on, for callers who follow cursors."""

    mine_count: int
    assigned_count: int
    unassigned_count: int
    all_count: int
    next_cursor: str | UnsetType | None = UNSET


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


class FoundMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers behind what was found."""

    mine_count: int
    unassigned_count: int
    all_count: int
    next_cursor: str | UnsetType | None = UNSET


class FilteredOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of those for whom the conditions hold."""

    meta: FoundMetaOut
    payload: list[ConversationOut]


class HitContactOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whose conversation was found."""

    id: int
    name: str | None


class HitInboxOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was found."""

    id: int
    name: str
    channel_type: str


class HitMessageOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was found; `sender_name` is absent when nobody said it."""

    content: str
    id: int
    sender_name: str | UnsetType
    message_type: int
    created_at: int


class ConversationHitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that was found, with the messages that matched."""

    id: int
    uuid: str
    created_at: int
    contact: HitContactOut
    inbox: HitInboxOut
    messages: list[HitMessageOut]
    account_id: int


class FoundOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what was found."""

    meta: FoundMetaOut
    payload: list[ConversationHitOut]


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


class DraftOut(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody began to write, if anybody did."""

    has_draft: bool
    message: str | UnsetType = UNSET


def list_meta_out(counts: Counts, next_cursor: str | UnsetType | None = UNSET) -> ListMetaOut:
    """Counts on the wire."""
    return ListMetaOut(
        mine_count=counts.mine_count,
        assigned_count=counts.assigned_count,
        unassigned_count=counts.unassigned_count,
        all_count=counts.all_count,
        next_cursor=next_cursor,
    )


def found_meta_out(counts: Counts, next_cursor: str | UnsetType | None = UNSET) -> FoundMetaOut:
    """The same where something was looked for."""
    return FoundMetaOut(
        mine_count=counts.mine_count,
        unassigned_count=counts.unassigned_count,
        all_count=counts.all_count,
        next_cursor=next_cursor,
    )


def conversation_hit_out(conversation: Conversation, hits: Sequence[Hit]) -> ConversationHitOut:
    """A conversation that was found, with what was found in it."""
    return ConversationHitOut(
        id=conversation.display_id,
        uuid=str(conversation.uuid),
        created_at=unix(conversation.created_at),
        contact=HitContactOut(id=conversation.contact_id, name=conversation.contact_name),
        inbox=HitInboxOut(
            id=conversation.inbox_id, name=conversation.inbox_name, channel_type=conversation.channel_type
        ),
        messages=[
            HitMessageOut(
                content=hit.content,
                id=hit.id,
                sender_name=hit.sender_name or UNSET,
                message_type=hit.message_type,
                created_at=unix(hit.created_at),
            )
            for hit in hits
        ],
        account_id=conversation.account_id,
    )
