"""Handing a conversation to somebody."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import save
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.teams import access as teams
from criachat.teams.models import Team
from criachat.users.models import Bot, Colleague

# Of what was read, this says whether it may be handed out.
DECIDING = ("status", "team_id", "assignee_id", "assignee_agent_bot_id")


async def assign(
    tx: Tx, conversation: Conversation, assignee: Colleague | None, *, actor: Actor, cause: str | None = None
) -> Conversation:
    """Hand it to this person, or to nobody; a bot that had it has it no more.

    What waited for that bot's answer is open for the person now.
    """
    assignee_id = assignee.id if assignee else None
    saved = await save(tx, conversation, lambda before: to_person(before, assignee_id), actor=actor, cause=cause)
    return saved.after


async def assign_if_free(
    tx: Tx, conversation: Conversation, assignee_id: int, *, actor: Actor, cause: str
) -> Conversation:
    """Hand it to this person, unless somebody else, a bot or a team got it since it was read, or it was closed."""

    def change(before: Conversation) -> dict[str, Any]:
        is_as_read = all(getattr(before, name) == getattr(conversation, name) for name in DECIDING)
        return {"assignee_id": assignee_id} if is_as_read else {}

    return (await save(tx, conversation, change, actor=actor, cause=cause)).after


async def assign_bot(tx: Tx, conversation: Conversation, bot: Bot, *, actor: Actor) -> Conversation:
    """Hand it to a bot, which answers first from now on; a person who had it has it no more."""
    change: dict[str, Any] = {"assignee_id": None, "assignee_agent_bot_id": bot.id, "status": "pending"}
    return (await save(tx, conversation, lambda _: change, actor=actor)).after


async def assign_team(
    tx: Tx, conversation: Conversation, team: Team | None, *, actor: Actor, cause: str | None = None
) -> Conversation:
    """Hand it to a team, or to none; an assignee who is not in the new team loses it."""
    members = None if team is None else frozenset(await teams.list_member_ids(tx, team))
    team_id = team.id if team else None
    saved = await save(tx, conversation, lambda before: to_team(before, team_id, members), actor=actor, cause=cause)
    return saved.after


def to_person(before: Conversation, assignee_id: int | None) -> dict[str, Any]:
    """What changes when it is handed to a person, or to nobody."""
    takes_over = assignee_id is not None and before.assignee_agent_bot_id is not None and before.status == "pending"
    return {
        "assignee_id": assignee_id,
        "assignee_agent_bot_id": None,
        "status": "open" if takes_over else before.status,
    }


def to_team(before: Conversation, team_id: int | None, members: Collection[int] | None) -> dict[str, Any]:
    """What changes when it is handed to a team with these members, or to none."""
    keeps = members is None or before.assignee_id in members
    return {"team_id": team_id, "assignee_id": before.assignee_id if keeps else None}
