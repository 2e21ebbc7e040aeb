"""Questions of a website's form that ask for an extra field of the account, and follow what becomes of it."""

from __future__ import annotations

from typing import Any

import msgspec

from criachat.custom_attributes.models import Definition
from criachat.inboxes.settings import PreChatForm

OPTIONS = "pre_chat_form_options"
FIELDS = "pre_chat_fields"

Question = dict[str, Any]


class Renaming(msgspec.Struct, frozen=True):
    """An extra field that was changed or removed, and what it was called until then."""

    account_id: int
    definition_id: int
    attribute_model: str
    attribute_key: str
    attribute_display_name: str


def asks_for(question: Question, renaming: Renaming) -> bool:
    """Whether the question asks for the extra field under its former key."""
    return (question.get("name"), question.get("field_type")) == (renaming.attribute_key, renaming.attribute_model)


def followed(options: dict[str, Any], renaming: Renaming, definition: Definition | None) -> dict[str, Any]:
    """The form with the questions that ask for the extra field as it is now; without them when there is none any more.

    A form that asks nothing any more has the standard questions, as one that never asked anything.
    """
    kept: list[Question] = []
    for question in options.get(FIELDS, []):
        if not asks_for(question, renaming):
            kept.append(question)
        elif definition is not None:
            kept.append(_asked(question, renaming, definition))
    return msgspec.to_builtins(msgspec.convert({**options, FIELDS: kept}, PreChatForm))


def _asked(question: Question, renaming: Renaming, definition: Definition) -> Question:
    """The question as the extra field has it; words of the account's own stay."""
    former, called = renaming.attribute_display_name, definition.attribute_display_name
    words = {name: called for name in ("label", "placeholder") if question.get(name) == former}
    return {
        **question,
        **words,
        "name": definition.attribute_key,
        "field_type": definition.attribute_model,
        "type": definition.attribute_display_type,
        "values": definition.attribute_values,
        "regex_pattern": definition.regex_pattern,
        "regex_cue": definition.regex_cue,
    }
