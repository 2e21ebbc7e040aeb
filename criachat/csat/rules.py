"""Whether a conversation is asked about, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from criachat.inboxes.models import Inbox
from criachat.kit.languages import Language

QUESTION: Mapping[Language, str] = {"en": "Please rate the conversation", "pt_BR": "Por favor, avalie a conversa"}
TOO_LATE: Mapping[Language, str] = {
    "en": "The satisfaction survey was not sent: this channel takes no more answers without a new message.",
    "pt_BR": "A pesquisa de satisfação não foi enviada: este canal não aceita respostas sem uma nova mensagem.",
}


def is_asked_about(inbox: Inbox, labels: Sequence[str]) -> bool:
    """Whether the inbox surveys conversations with these labels."""
    if not inbox.csat_survey_enabled:
        return False
    rules = _object(inbox.csat_config.get("survey_rules"))
    values = rules.get("values")
    if not isinstance(values, list) or not values:
        return True
    # Labels are kept in small letters; who wrote the rule may have written them otherwise.
    has_one = not set(labels).isdisjoint(str(value).strip().lower() for value in cast(list[Any], values))
    return not has_one if rules.get("operator") == "does_not_contain" else has_one


def question(inbox: Inbox, language: Language) -> str:
    """What is asked: the inbox's own words, or ours."""
    message = inbox.csat_config.get("message")
    return message if isinstance(message, str) and message.strip() else QUESTION[language]


def display_type(inbox: Inbox) -> Literal["emoji", "star"]:
    """How the answers are shown to choose from."""
    return "star" if inbox.csat_config.get("display_type") == "star" else "emoji"


def _object(value: object) -> Mapping[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}
