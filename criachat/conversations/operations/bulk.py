"""One of many conversations that are changed together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import UNSET

from criachat.conversations.models import Conversation, Wanted
from criachat.conversations.operations.assigning import to_person, to_team
from criachat.conversations.operations.describing import relabelled
from criachat.conversations.operations.saving import save
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.teams import access as teams
from criachat.users import access as users


async def change(tx: Tx, conversation: Conversation, wanted: Wanted, *, actor: Actor) -> Conversation:
    """Make it what is wanted, in one change; nothing happens when it is already."""
    if wanted.assignee_id and await users.find_colleague(tx, actor, wanted.assignee_id) is None:
        raise NotFound
    members = await _members(tx, wanted, actor)
    return (await save(tx, conversation, lambda before: _changes(before, wanted, members), actor=actor)).after


async def _members(tx: Tx, wanted: Wanted, actor: Actor) -> frozenset[int] | None:
    if not wanted.team_id:
        return None
    team = await teams.load_team(tx, actor, wanted.team_id)
    return frozenset(await teams.list_member_ids(tx, team))


def _changes(before: Conversation, wanted: Wanted, members: Collection[int] | None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if wanted.team_id is not UNSET:
        changes |= to_team(before, wanted.team_id, members)
    if wanted.assignee_id is not UNSET:
        changes |= to_person(before, wanted.assignee_id)
    if wanted.status is not None:
        changes["status"] = wanted.status
    if wanted.snoozed_until is not None:
        changes["snoozed_until"] = wanted.snoozed_until
    kept = [title for title in before.labels if title not in wanted.removed_labels]
    return changes | relabelled(before, [*kept, *wanted.added_labels])
