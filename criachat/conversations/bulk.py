"""What is asked of many conversations or contacts at once, read from the request."""

from __future__ import annotations

from typing import Any, Literal, cast

from msgspec import UNSET, UnsetType

from criachat.conversations.errors import BulkInvalid, BulkTypeUnknown, LabelsInvalid
from criachat.conversations.models import Wanted
from criachat.conversations.operations.status import from_unix, status_named
from criachat.conversations.schemas import BulkParams, id_of
from criachat.kit.http.binding import sent
from criachat.labels.titles import excess_of, label_titles

MOST_AT_ONCE = 1000


def kind_of(params: BulkParams) -> Literal["conversation", "contact"]:
    """Of what they are asked, in whichever letters."""
    match str(params.type).lower():
        case "conversation":
            return "conversation"
        case "contact":
            return "contact"
        case _:
            raise BulkTypeUnknown


def ids_of(params: BulkParams) -> list[int]:
    """Of which, each once; what cannot be an id is passed over."""
    if not isinstance(params.ids, list) or len(listed := cast(list[Any], params.ids)) > MOST_AT_ONCE:
        raise BulkInvalid
    return list(dict.fromkeys(number for each in listed if (number := id_of(each)) is not None))


def wanted_of(params: BulkParams) -> Wanted:
    """What conversations shall be."""
    fields = params.fields
    return Wanted(
        status=status_named(fields.status) if fields and fields.status else None,
        snoozed_until=from_unix(params.snoozed_until),
        assignee_id=_handed(fields.assignee_id) if fields else UNSET,
        team_id=_handed(fields.team_id) if fields else UNSET,
        added_labels=added_labels_of(params),
        removed_labels=_titles(params.labels.remove) if params.labels else [],
    )


def added_labels_of(params: BulkParams) -> list[str]:
    """Labels to put on."""
    return _titles(params.labels.add) if params.labels else []


def _handed(value: Any) -> int | UnsetType | None:
    return id_of(value) if sent(value) else UNSET


def _titles(value: Any) -> list[str]:
    titles = label_titles(cast(list[Any], value)) if isinstance(value, list) else []
    if excess := excess_of(titles):
        raise LabelsInvalid(excess)
    return titles
