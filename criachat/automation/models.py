"""Rules as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

EventName = Literal[
    "conversation_created", "conversation_updated", "conversation_opened", "conversation_resolved", "message_created"
]
EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)
MOST_RULES = 500
Visibility = Literal["personal", "global"]
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)
MOST_MACROS = 1000
# Lists show all of them, with everything in them.
MOST_BYTES = 200_000


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done by itself when something happens and the conditions hold."""

    id: int
    account_id: int
    name: str
    description: str | None
    event_name: str
    active: bool
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    created_at: datetime


def files_of(actions: Sequence[dict[str, Any]]) -> list[int]:
    """The files that these actions send, by number, each once."""
    sent = [action["action_params"][0] for action in actions if action["action_name"] == "send_attachment"]
    return list(dict.fromkeys(sent))


class Macro(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with a conversation at one press. A personal one is its author's alone."""

    id: int
    account_id: int
    name: str
    visibility: str
    created_by_id: int | None
    updated_by_id: int | None
    actions: list[dict[str, Any]]

    @property
    def is_global(self) -> bool:
        """Whether everybody in the account may use it."""
        return self.visibility == "global"


class MacroRun(msgspec.Struct, frozen=True, kw_only=True):
    """A macro that is being executed in one conversation, as it was when it was pressed; `done` actions are over."""

    account_id: int
    id: int
    macro_id: int
    macro_name: str
    actions: list[dict[str, Any]]
    actor: dict[str, Any]
    display_id: int
    done: int
    skipped: list[str]
