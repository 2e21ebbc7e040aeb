"""What the definition of an extra field must be."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import UNSET

from criachat.custom_attributes.errors import (
    DisplayNameBlank,
    DisplayTypeUnknown,
    KeyBlank,
    KeyBuiltIn,
    ModelUnknown,
)
from criachat.custom_attributes.models import DISPLAY_TYPES, MODELS, AttributeModel, Definition, DisplayType
from criachat.custom_attributes.schemas import DefinitionParams
from criachat.kit import clock
from criachat.kit.choices import chosen
from criachat.kit.errors import checked_together

# Filters know these already, each with a meaning of its own.
BUILT_IN: Final[Mapping[AttributeModel, frozenset[str]]] = {
    "contact_attribute": frozenset(
        (
            "name",
            "email",
            "phone_number",
            "identifier",
            "country_code",
            "city",
            "created_at",
            "last_activity_at",
            "referer",
            "blocked",
        )
    ),
    "conversation_attribute": frozenset(
        (
            "status",
            "priority",
            "assignee_id",
            "inbox_id",
            "team_id",
            "display_id",
            "campaign_id",
            "labels",
            "browser_language",
            "country_code",
            "referer",
            "created_at",
            "last_activity_at",
        )
    ),
}
# Blank says the same as null here.
TEXTS: Final = ("attribute_description", "regex_pattern", "regex_cue")


def new_definition(account_id: int, params: DefinitionParams) -> Definition:
    """The definition somebody wants, checked."""
    now = clock.now()
    plain = Definition(
        account_id=account_id,
        id=0,
        attribute_model="conversation_attribute",
        attribute_key="",
        attribute_display_name="",
        attribute_display_type="text",
        attribute_description=None,
        attribute_values=[],
        regex_pattern=None,
        regex_cue=None,
        created_at=now,
        updated_at=now,
    )
    return changed_definition(plain, params)


def changed_definition(before: Definition, params: DefinitionParams) -> Definition:
    """The definition after what was sent; built-in keys are refused where they are new to it."""
    sent: dict[str, Any] = {field: text or None for field in TEXTS if (text := getattr(params, field)) is not UNSET}
    if params.attribute_values is not UNSET:
        sent["attribute_values"] = params.attribute_values or []
    sent |= checked_together(
        {
            "attribute_display_name": partial(_display_name, before, params),
            "attribute_key": partial(_key, before, params),
            "attribute_display_type": partial(_display_type, before, params),
            "attribute_model": partial(_model, before, params),
        }
    )
    after = msgspec.structs.replace(before, **sent)
    is_same_key = (before.attribute_model, before.attribute_key) == (after.attribute_model, after.attribute_key)
    if not is_same_key and after.attribute_key in BUILT_IN[after.attribute_model]:
        raise KeyBuiltIn
    return after


def model_of(said: object) -> AttributeModel:
    """The model that was named, by its name or its number."""
    model = chosen(str(said), MODELS)
    if model is None:
        raise ModelUnknown
    return model


def _display_name(before: Definition, params: DefinitionParams) -> str:
    sent = params.attribute_display_name
    name = before.attribute_display_name if sent is UNSET else (sent or "").strip()
    if not name:
        raise DisplayNameBlank
    return name


def _key(before: Definition, params: DefinitionParams) -> str:
    key = before.attribute_key if params.attribute_key is UNSET else (params.attribute_key or "").strip()
    if not key:
        raise KeyBlank
    return key


def _display_type(before: Definition, params: DefinitionParams) -> DisplayType:
    said = params.attribute_display_type
    display_type = before.attribute_display_type if said in (UNSET, None) else chosen(str(said), DISPLAY_TYPES)
    if display_type is None:
        raise DisplayTypeUnknown
    return display_type


def _model(before: Definition, params: DefinitionParams) -> AttributeModel:
    said = params.attribute_model
    return before.attribute_model if said in (UNSET, None) else model_of(said)
