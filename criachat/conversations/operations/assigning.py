"""Handing a conversation to somebody."""

from __future__ import annotations

from typing import Any

from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import save
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.teams.models import Team
from criachat.users.models import Bot, Colleague


async def assign(tx: Tx, conversation: Conversation, assignee: Colleague | None, *, actor: Actor) -> Conversation:
    """Hand it to this person, or to nobody; a bot that had it has it no more."""
    assignee_id = assignee.id if assignee else None
    change: dict[str, Any] = {"assignee_id": assignee_id, "assignee_agent_bot_id": None}
    return await save(tx, conversation, lambda _: change, actor=actor)


async def assign_bot(tx: Tx, conversation: Conversation, bot: Bot, *, actor: Actor) -> Conversation:
    """Hand it to a bot; a person who had it has it no more."""
    change: dict[str, Any] = {"assignee_id": None, "assignee_agent_bot_id": bot.id}
    return await save(tx, conversation, lambda _: change, actor=actor)


async def assign_team(
    tx: Tx, conversation: Conversation, team: Team | None, *, keeps_assignee: bool, actor: Actor
) -> Conversation:
    """Hand it to a team, or to none; an assignee who is not in the new team loses it."""

    def change(before: Conversation) -> dict[str, Any]:
        keeps = keeps_assignee or team is None
        return {"team_id": team.id if team else None, "assignee_id": before.assignee_id if keeps else None}

    return await save(tx, conversation, change, actor=actor)
