"""Definitions of custom attributes as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

AttributeModel = Literal["conversation_attribute", "contact_attribute"]
DisplayType = Literal["text", "number", "currency", "percent", "link", "date", "list", "checkbox"]

# In the order of the numbers that stand for them.
MODELS: Final[tuple[AttributeModel, ...]] = ("conversation_attribute", "contact_attribute")
DISPLAY_TYPES: Final[tuple[DisplayType, ...]] = (
    "text",
    "number",
    "currency",
    "percent",
    "link",
    "date",
    "list",
    "checkbox",
)


MOST_DEFINITIONS = 5_000


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One extra field: what it is called, and what it holds."""

    account_id: int
    id: int
    attribute_model: AttributeModel
    attribute_key: str
    attribute_display_name: str
    attribute_display_type: DisplayType
    attribute_description: str | None
    attribute_values: list[str]
    regex_pattern: str | None
    regex_cue: str | None
    created_at: datetime
    updated_at: datetime
