"""People and bots as events show them: what they were at that moment."""

from __future__ import annotations

from typing import Literal, cast

import msgspec

from criachat.kit.actors import Actor

Availability = Literal["online", "offline", "busy"]


class UserSnapshot(msgspec.Struct, frozen=True, kw_only=True, tag="user", tag_field="type"):
    """A person of the team. `avatar_key` names their picture; its address is made when shown."""

    id: int
    name: str
    available_name: str
    email: str
    avatar_key: str | None = None
    availability: Availability = "online"
    auto_offline: bool = True


class BotSnapshot(msgspec.Struct, frozen=True, kw_only=True, tag="agent_bot", tag_field="type"):
    """A bot that answers in the team's name."""

    id: int
    name: str
    avatar_key: str | None = None


def snapshot_of(actor: Actor) -> UserSnapshot | BotSnapshot | None:
    """The caller, when it is a person or a bot of the team."""
    if actor.type == "agent_bot" and actor.id is not None:
        return BotSnapshot(id=actor.id, name=actor.name, avatar_key=actor.avatar_key)
    if actor.type != "user" or actor.id is None:
        return None
    return UserSnapshot(
        id=actor.id,
        name=actor.name,
        available_name=actor.display_name or actor.name,
        email=actor.email,
        avatar_key=actor.avatar_key,
        availability=cast(Availability, actor.availability),
        auto_offline=actor.auto_offline,
    )
