"""What callers send about conversations."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.kit.http import binding

PAGE = Meta(description="The first is 1; the one behind the last is empty.")
PER_PAGE = Meta(description="Up to 100; 25 when left out. With it the answer names a `next_cursor`.")
CURSOR = Meta(description="The `next_cursor` of the page before; empty for the first one, null at the end.")
SNOOZED_UNTIL = Meta(description="Unix seconds, for `snoozed`; without it until the next incoming message.")


class ListParams(msgspec.Struct, kw_only=True):
    """Which conversations to list; see `GET /conversations`."""

    status: Annotated[
        Any,
        Meta(description="`open`, `resolved`, `pending`, `snoozed`, `all`, or several as `status[]`; else `open`."),
    ] = None
    assignee_type: Annotated[Any, Meta(description="`me`, `unassigned`, `assigned`; all when left out.")] = None
    inbox_id: Any = UNSET
    team_id: Any = UNSET
    labels: Annotated[Any, Meta(description="Those with any of them: `labels[]=a&labels[]=b`, or `labels=a,b`.")] = (
        UNSET
    )
    conversation_type: Annotated[Any, Meta(description="`mention`, `participating` or `unattended`.")] = None
    q: Annotated[str | None, Meta(description="Words that were said in it, notes included; of whichever status.")] = (
        None
    )
    source_id: Annotated[str | None, Meta(description="The id of the contact's session.")] = None
    sort_by: Annotated[
        Any,
        Meta(
            description="`last_activity_at`, `created_at`, `priority` or `waiting_since`, with `_asc` or `_desc` "
            "behind it; `last_activity_at_desc` when left out."
        ),
    ] = None
    page: Annotated[Any, PAGE] = None
    per_page: Annotated[Any, PER_PAGE] = UNSET
    cursor: Annotated[Any, CURSOR] = UNSET
    updated_within: Annotated[
        int | None, Meta(description="Those that changed in the last so many seconds, without pages.")
    ] = None


class ConditionParams(msgspec.Struct, kw_only=True):
    """What an attribute must be, and how this condition is joined to the next: `AND` or `OR`."""

    attribute_key: Annotated[
        str,
        Meta(
            description="`status`, `assignee_id`, `inbox_id`, `team_id`, `campaign_id`, `priority`, `display_id`, "
            "`labels`, `browser_language`, `conversation_language`, `referer`, `mail_subject`, `created_at`, "
            "`last_activity_at`, or the key of a custom attribute."
        ),
    ]
    filter_operator: Annotated[
        str,
        Meta(
            description="`equal_to`, `not_equal_to`, `contains`, `does_not_contain`, `is_present`, `is_not_present`, "
            "`is_greater_than`, `is_less_than` or `days_before`: not each goes with each key."
        ),
    ]
    values: Annotated[Any, Meta(description="A list; days look like 2026-01-31.")] = None
    query_operator: Annotated[Any, Meta(description="`AND` or `OR`; null for the last condition.")] = None


class FilterParams(msgspec.Struct, kw_only=True):
    """Conditions, and which page of those for whom they hold."""

    payload: list[ConditionParams]
    page: Annotated[Any, PAGE] = None
    per_page: Annotated[Any, PER_PAGE] = UNSET
    cursor: Annotated[Any, CURSOR] = UNSET


class PriorityParams(msgspec.Struct, kw_only=True):
    """`low`, `medium`, `high`, `urgent`, or null for none."""

    priority: str | UnsetType | None = UNSET


class StatusParams(msgspec.Struct, kw_only=True):
    """What it shall be; nothing toggles between open and resolved."""

    status: Annotated[str | None, Meta(description="`open`, `resolved`, `pending` or `snoozed`.")] = None
    snoozed_until: Annotated[int | str | None, SNOOZED_UNTIL] = None


class TypingParams(msgspec.Struct, kw_only=True):
    """`on` or `off`; anything else does nothing."""

    typing_status: Any = None
    is_private: bool = False


class CustomAttributesParams(msgspec.Struct, kw_only=True):
    """Custom attributes by key."""

    custom_attributes: dict[str, Any]


class AssignmentParams(msgspec.Struct, kw_only=True):
    """To whom; `assignee_id` wins over `team_id`."""

    assignee_id: Annotated[Any, Meta(description="Null or 0, and whoever is not there, is nobody.")] = UNSET
    assignee_type: Annotated[str | None, Meta(description="`User`, or `AgentBot` for a bot.")] = None
    team_id: Annotated[Any, Meta(description="Null or 0 is no team.")] = UNSET


class LabelsParams(msgspec.Struct, kw_only=True):
    """All labels it shall have."""

    labels: Annotated[Any, Meta(description="A list of titles; those that are left out are taken away.")] = None


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

    type: Annotated[Any, Meta(description="`Conversation` or `Contact`.")] = None
    ids: Annotated[Any, Meta(description="Up to 1,000; those that are not there are passed over.")] = None
    fields: BulkFieldsParams | None = None
    snoozed_until: Annotated[int | str | None, SNOOZED_UNTIL] = None
    labels: BulkLabelsParams | None = None
    action_name: Annotated[str | None, Meta(description="`delete`, of contacts.")] = None


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
