"""Definitions of custom attributes on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.custom_attributes.models import Definition
from criachat.kit.texts import Long, Short
from criachat.kit.times import iso


class DefinitionParams(msgspec.Struct, kw_only=True):
    """What an extra field is; what is not sent stays as it is. Type and model are said by name or by number."""

    attribute_display_name: Short | UnsetType | None = UNSET
    attribute_display_type: Annotated[
        Short | int | UnsetType | None,
        Meta(description="`text`, `number`, `currency`, `percent`, `link`, `date`, `list` or `checkbox`."),
    ] = UNSET
    attribute_description: Long | UnsetType | None = UNSET
    attribute_key: Annotated[
        Short | UnsetType | None, Meta(description="Under which values are kept, and filtered by.")
    ] = UNSET
    attribute_values: Annotated[
        Annotated[list[Short], Meta(max_length=1000)] | UnsetType | None, Meta(description="What a `list` offers.")
    ] = UNSET
    attribute_model: Annotated[
        Short | int | UnsetType | None, Meta(description="`conversation_attribute` or `contact_attribute`.")
    ] = UNSET
    regex_pattern: Annotated[
        Annotated[str, Meta(max_length=1000)] | UnsetType | None,
        Meta(description="What clients hold against it that is typed; the server does not."),
    ] = UNSET
    regex_cue: Short | UnsetType | None = UNSET


class ListParams(msgspec.Struct, kw_only=True):
    """Whose extra fields to list; all of them when nothing was said."""

    attribute_model: Annotated[
        str | int | None,
        Meta(description="`conversation_attribute` or 0, `contact_attribute` or 1; both when left out."),
    ] = None


class DefinitionOut(msgspec.Struct, frozen=True, kw_only=True):
    """One extra field."""

    id: int
    attribute_display_name: str
    attribute_display_type: str
    attribute_description: str | None
    attribute_key: str
    regex_pattern: str | None
    regex_cue: str | None
    attribute_values: list[str]
    attribute_model: str
    default_value: int | None = None
    created_at: str
    updated_at: str


def definition_out(definition: Definition) -> DefinitionOut:
    """The extra field as everybody sees it."""
    return DefinitionOut(
        id=definition.id,
        attribute_display_name=definition.attribute_display_name,
        attribute_display_type=definition.attribute_display_type,
        attribute_description=definition.attribute_description,
        attribute_key=definition.attribute_key,
        regex_pattern=definition.regex_pattern,
        regex_cue=definition.regex_cue,
        attribute_values=definition.attribute_values,
        attribute_model=definition.attribute_model,
        created_at=iso(definition.created_at),
        updated_at=iso(definition.updated_at),
    )
