"""Teams as rows."""

from __future__ import annotations

from datetime import datetime

import msgspec

MOST_TEAMS = 2_000


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A group of agents. `is_member` says whether the person who asked belongs to it."""

    id: int
    account_id: int
    name: str
    description: str | None
    allow_auto_assign: bool
    is_member: bool
    created_at: datetime
    updated_at: datetime
