"""Saved filters as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

FilterType = Literal["conversation", "contact", "report"]

# In the order of the numbers that stand for them.
FILTER_TYPES: Final[tuple[FilterType, ...]] = ("conversation", "contact", "report")


class CustomFilter(msgspec.Struct, frozen=True, kw_only=True):
    """One saved view: what it lists, and how it is narrowed down."""

    account_id: int
    id: int
    user_id: int
    name: str
    filter_type: FilterType
    query: dict[str, Any]
    created_at: datetime
    updated_at: datetime
