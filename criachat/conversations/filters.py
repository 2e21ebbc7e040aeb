"""From the parameters of a list to what it shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from criachat.conversations.models import ListFilter
from criachat.conversations.schemas import ListParams, id_of
from criachat.conversations.snapshots import STATUSES
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.errors import NotFound
from criachat.kit.http.binding import sent
from criachat.labels.titles import label_titles
from criachat.teams import access as teams

KINDS = ("mention", "participating", "unattended")
ASSIGNEES = ("me", "assigned", "unassigned")
LONGEST_LOOK_BACK = timedelta(days=3650)


async def filter_of(db: Db, actor: Actor, params: ListParams) -> ListFilter:
    """What the list shows; an unknown team is not found."""
    inbox_id, no_inbox = _inbox(params)
    labels = _labels(params)
    return ListFilter(
        status=_statuses(params),
        assignee=cast(Any, params.assignee_type) if params.assignee_type in ASSIGNEES else None,
        inbox_id=inbox_id,
        team_id=await _team(db, actor, params),
        labels=labels,
        kind=cast(Any, params.conversation_type) if params.conversation_type in KINDS else None,
        words=params.q or None,
        source_id=params.source_id or None,
        updated_after=_updated_after(params),
        is_empty=no_inbox or labels == (),
    )


def _statuses(params: ListParams) -> tuple[str, ...] | None:
    """The statuses that were asked for, each once; none of ours when they are unknown."""
    if params.q is not None:
        return None
    if params.status is None or params.status == "":
        return ("open",)
    asked = cast(list[Any], params.status) if isinstance(params.status, list) else [params.status]
    return None if "all" in asked else tuple(status for status in STATUSES if status in asked)


def _inbox(params: ListParams) -> tuple[int | None, bool]:
    """The inbox, and whether what was sent names none."""
    if not sent(params.inbox_id):
        return None, False
    number = id_of(params.inbox_id)
    return number, number is None


def _labels(params: ListParams) -> tuple[str, ...] | None:
    if not sent(params.labels):
        return None
    wanted = cast(list[Any], params.labels) if isinstance(params.labels, list) else [params.labels or ""]
    return tuple(label_titles(wanted))


async def _team(db: Db, actor: Actor, params: ListParams) -> int | None:
    if not sent(params.team_id):
        return None
    team = await teams.find_team(db, actor, id_of(params.team_id))
    if team is None:
        raise NotFound
    return team.id


def _updated_after(params: ListParams) -> Any:
    if params.updated_within is None:
        return None
    seconds = min(max(params.updated_within, 0), int(LONGEST_LOOK_BACK.total_seconds()))
    return clock.now() - timedelta(seconds=seconds)
