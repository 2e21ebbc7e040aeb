"""People and bots as events show them: what they were at that moment."""

from __future__ import annotations

from typing import Literal

import msgspec

Availability = Literal["online", "offline", "busy"]


class UserSnapshot(msgspec.Struct, frozen=True, kw_only=True, tag="user", tag_field="type"):
    """A person of the team."""

    id: int
    name: str
    available_name: str
    email: str
    avatar_url: str = ""
    availability: Availability = "online"
    auto_offline: bool = True


class BotSnapshot(msgspec.Struct, frozen=True, kw_only=True, tag="agent_bot", tag_field="type"):
    """A bot that answers in the team's name."""

    id: int
    name: str
    avatar_url: str = ""
