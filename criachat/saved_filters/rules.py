"""What a saved filter must be."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from criachat.kit import clock
from criachat.kit.choices import chosen
from criachat.saved_filters.errors import FilterTypeUnknown, NameBlank, QueryTooLarge
from criachat.saved_filters.models import FILTER_TYPES, CustomFilter, FilterType
from criachat.saved_filters.schemas import CustomFilterParams

MOST_QUERY_BYTES: Final = 100_000


def new_filter(account_id: int, user_id: int, params: CustomFilterParams) -> CustomFilter:
    """The filter somebody wants to save, checked."""
    now = clock.now()
    plain = CustomFilter(
        account_id=account_id,
        id=0,
        user_id=user_id,
        name="",
        filter_type="conversation",
        query={},
        created_at=now,
        updated_at=now,
    )
    return changed_filter(plain, params)


def changed_filter(before: CustomFilter, params: CustomFilterParams) -> CustomFilter:
    """The filter after what was sent, checked. What `query` says is read by whoever uses it."""
    sent: dict[str, Any] = {}
    if params.name is not UNSET:
        sent["name"] = (params.name or "").strip()
    if params.filter_type not in (UNSET, None):
        sent["filter_type"] = filter_type_of(params.filter_type)
    if params.query is not UNSET:
        sent["query"] = params.query or {}
    after = msgspec.structs.replace(before, **sent)
    if not after.name:
        raise NameBlank
    if len(msgspec.json.encode(after.query)) > MOST_QUERY_BYTES:
        raise QueryTooLarge
    return after


def filter_type_of(said: object) -> FilterType:
    """The kind that was named, by its name or its number; conversations, when none was."""
    if said is None or said == "":
        return "conversation"
    filter_type = chosen(str(said), FILTER_TYPES)
    if filter_type is None:
        raise FilterTypeUnknown
    return filter_type
