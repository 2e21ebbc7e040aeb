"""What callers send about conversations."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.kit.http import binding


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
    per_page: Any = UNSET
    cursor: Any = UNSET
    updated_within: int | None = None


class ConditionParams(msgspec.Struct, kw_only=True):
    """What an attribute must be, and how this condition is joined to the next: `AND` or `OR`."""

    attribute_key: str
    filter_operator: str
    values: Any = None
    query_operator: Any = None


class FilterParams(msgspec.Struct, kw_only=True):
    """Conditions, and which page of those for whom they hold."""

    payload: list[ConditionParams]
    page: Any = None
    per_page: Any = UNSET
    cursor: Any = UNSET


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


class ParticipantsParams(msgspec.Struct, kw_only=True):
    """People, by user id."""

    user_ids: Annotated[list[int], Meta(max_length=1000)]


class BulkFieldsParams(msgspec.Struct, kw_only=True):
    """What many conversations shall be; null and 0 stand for nobody, and for no team."""

    status: str | None = None
    assignee_id: Any = UNSET
    team_id: Any = UNSET


class BulkLabelsParams(msgspec.Struct, kw_only=True):
    """Labels to put on many, and to take away first."""

    add: Any = None
    remove: Any = None


class BulkParams(msgspec.Struct, kw_only=True):
    """What to do with many conversations (by number) or contacts (by id) at once."""

    type: Any = None
    ids: Any = None
    fields: BulkFieldsParams | None = None
    snoozed_until: int | str | None = None
    labels: BulkLabelsParams | None = None
    action_name: str | None = None


class DraftTextParams(msgspec.Struct, kw_only=True):
    """What somebody began to write."""

    message: str | None = None


class DraftParams(DraftTextParams, kw_only=True):
    """The same, below `draft_message` or alone."""

    draft_message: DraftTextParams | None = None

    @property
    def text(self) -> str:
        """What was begun; nothing is a draft too."""
        return (self.message if self.draft_message is None else self.draft_message.message) or ""


def id_of(value: object) -> int | None:
    """The id that was sent; None for null, 0, "", "nil" and whatever else cannot be one."""
    return binding.id_of(str(value).strip()) or None
