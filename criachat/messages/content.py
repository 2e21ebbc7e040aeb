"""What a message may be: its kinds of content, their items, and variables in its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from liquid import Environment
from liquid.exceptions import LiquidError

from criachat.conversations.models import Conversation
from criachat.messages.errors import ContentAttributesInvalid, UnknownContentType
from criachat.users.snapshots import BotSnapshot, UserSnapshot

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
TEAM_ATTRIBUTES = frozenset(("automation_rule_id", "bcc_emails"))
VARIABLE = re.compile(r"{[{%]")
LITERALS = re.compile(r"(```.*?```|`[^`]*`)", re.DOTALL)

_liquid = Environment(autoescape=False)


def read_attributes(value: object) -> dict[str, Any]:
    """`content_attributes` as an object; from a form it comes as JSON text, and what cannot be read is empty."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def attributes_for_contact(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a message without what is the team's alone."""
    return {key: value for key, value in attributes.items() if key not in TEAM_ATTRIBUTES}


def check_content(content_type: str, attributes: Mapping[str, Any]) -> None:
    """Refuse content types that do not exist, and items that do not fit theirs."""
    if content_type not in CONTENT_TYPES:
        raise UnknownContentType
    keys = ITEM_KEYS.get(content_type)
    if keys is None:
        return
    items = attributes.get("items")
    if not isinstance(items, list) or not items:
        raise ContentAttributesInvalid("Validation failed: Content attributes At least one item is required.")
    for item in cast(Sequence[Any], items):
        _check_item(content_type, item, keys)


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


def with_variables(text: str, conversation: Conversation, sender: UserSnapshot | BotSnapshot | None) -> str:
    """The text with its Liquid variables filled in; what stands between backticks, or is no Liquid, stays as it is."""
    if not VARIABLE.search(text):
        return text
    values = _variables(conversation, sender)
    parts = LITERALS.split(text)
    try:
        rendered = [part if part.startswith("`") else _liquid.from_string(part).render(**values) for part in parts]
    except (LiquidError, RecursionError, ValueError):
        return text
    return "".join(rendered)[:LONGEST_CONTENT]


def _variables(conversation: Conversation, sender: UserSnapshot | BotSnapshot | None) -> dict[str, Any]:
    first, last = _names(conversation.contact_name)
    agent_first, agent_last = _names(sender.name if sender else None)
    return {
        "contact": {
            "id": conversation.contact_id,
            "name": _capitalised(conversation.contact_name),
            "email": conversation.contact_email,
            "phone_number": conversation.contact_phone_number,
            "first_name": first,
            "last_name": last,
            "custom_attribute": conversation.contact_custom_attributes,
        },
        "agent": {
            "id": sender.id if sender else None,
            "name": _capitalised(sender.name if sender else None),
            "available_name": _capitalised(sender.available_name if isinstance(sender, UserSnapshot) else None),
            "first_name": agent_first,
            "last_name": agent_last,
        },
        "conversation": {
            "id": conversation.id,
            "display_id": conversation.display_id,
            "contact_name": _capitalised(conversation.contact_name),
            "custom_attribute": conversation.custom_attributes,
        },
        "inbox": {"id": conversation.inbox_id, "name": conversation.inbox_name},
        "account": {"id": conversation.account_id, "name": conversation.account_name},
    }


def _capitalised(name: str | None) -> str:
    return " ".join(part.capitalize() for part in (name or "").split())


def _names(name: str | None) -> tuple[str, str]:
    """First and last name; both empty for one word."""
    parts = _capitalised(name).split()
    return (parts[0], parts[-1]) if len(parts) > 1 else ("", "")
