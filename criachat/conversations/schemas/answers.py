"""Lists of conversations, and what changes of one are answered with."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.conversations.models import Counts
from criachat.conversations.schemas.conversation import ConversationOut


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


class DraftOut(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody began to write, if anybody did."""

    has_draft: bool
    message: str | UnsetType = UNSET


def list_meta_out(counts: Counts) -> ListMetaOut:
    """Counts on the wire."""
    return ListMetaOut(
        mine_count=counts.mine_count,
        assigned_count=counts.assigned_count,
        unassigned_count=counts.unassigned_count,
        all_count=counts.all_count,
    )
