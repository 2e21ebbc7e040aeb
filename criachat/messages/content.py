"""What a message may be: its kinds of content, and their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from criachat.kit.errors import Malformed
from criachat.kit.http.request import parse_json
from criachat.messages.errors import (
    AttributesTooLarge,
    ContentAttributesInvalid,
    EchoIdTooLong,
    UnknownContentType,
)

CONTENT_TYPES = frozenset(
    (
        "text",
        "input_text",
        "input_textarea",
        "input_email",
        "input_select",
        "cards",
        "form",
        "article",
        "incoming_email",
        "input_csat",
        "integrations",
        "sticker",
        "voice_call",
    )
)
ITEM_KEYS: Mapping[str, frozenset[str]] = {
    "input_select": frozenset(("title", "value")),
    "cards": frozenset(("title", "description", "media_url", "actions")),
    "form": frozenset(
        "type name label placeholder default required pattern title pattern_error options".split()  # noqa: SIM905
    ),
    "article": frozenset(("title", "description", "link")),
}
ACTION_KEYS = frozenset(("text", "type", "payload", "uri"))
LONGEST_CONTENT = 150_000
LONGEST_ID = 20_000
LARGEST_ATTRIBUTES_BYTES = 1024 * 1024
TEAM_ATTRIBUTES = frozenset(("automation_rule_id", "bcc_emails"))


def read_attributes(value: object) -> dict[str, Any]:
    """`content_attributes` as an object; from a form it comes as JSON text, and what cannot be read is empty."""
    if isinstance(value, str):
        try:
            value = parse_json(value.encode())
        except Malformed:
            return {}
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def echo_of(value: object) -> str | int | float | bool | None:
    """What its sender calls a message; None when that is no scalar."""
    if isinstance(value, str) and len(value) > LONGEST_ID:
        raise EchoIdTooLong
    return value if isinstance(value, str | int | float | bool) else None


def attributes_for_contact(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a message without what is the team's alone."""
    return {key: value for key, value in attributes.items() if key not in TEAM_ATTRIBUTES}


def check_content(content_type: str, attributes: Mapping[str, Any]) -> None:
    """Refuse content types that do not exist, items that do not fit theirs, and attributes that fill a list's page."""
    if content_type not in CONTENT_TYPES:
        raise UnknownContentType
    check_size(attributes)
    keys = ITEM_KEYS.get(content_type)
    if keys is None:
        return
    items = attributes.get("items")
    if not isinstance(items, list) or not items:
        raise ContentAttributesInvalid("Validation failed: Content attributes At least one item is required.")
    for item in cast(Sequence[Any], items):
        _check_item(content_type, item, keys)


def check_size(attributes: Mapping[str, Any]) -> None:
    """Refuse attributes that no list could show beside others."""
    if len(msgspec.json.encode(attributes)) > LARGEST_ATTRIBUTES_BYTES:
        raise AttributesTooLarge


def _check_item(content_type: str, item: Any, keys: frozenset[str]) -> None:
    if not isinstance(item, dict):
        raise ContentAttributesInvalid("Validation failed: Content attributes Each item must be an object.")
    entry = cast(dict[str, Any], item)
    if not keys.issuperset(entry):
        raise ContentAttributesInvalid("Validation failed: Content attributes contains invalid keys for items.")
    if content_type != "cards":
        return
    actions = entry.get("actions")
    if not isinstance(actions, list) or not actions:
        raise ContentAttributesInvalid("Validation failed: Content attributes contains items missing actions")
    for action in cast(Sequence[Any], actions):
        if not isinstance(action, dict) or not ACTION_KEYS.issuperset(cast(dict[str, Any], action)):
            raise ContentAttributesInvalid("Validation failed: Content attributes contains invalid keys for actions.")
