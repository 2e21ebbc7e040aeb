"""Custom roles and conversations: which of those in somebody's inboxes their role shows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, LiteralString

import msgspec

MANAGE_ALL: Final[LiteralString] = "conversation_manage"
MANAGE_UNASSIGNED: Final[LiteralString] = "conversation_unassigned_manage"
MANAGE_PARTICIPATING: Final[LiteralString] = "conversation_participating_manage"

Listed = Literal["all", "mine_and_unassigned", "mine", "none"]


class Share(msgspec.Struct, frozen=True):
    """What of their inboxes is listed to somebody; beside it they may also have what they take part in opened."""

    listed: Listed
    is_of_participants: bool = False

    def lists(self, user_id: int | None, assignee_ids: Collection[int | None]) -> bool:
        """Whether a list of this person has what one of these people has; None stands for nobody."""
        match self.listed:
            case "all":
                return True
            case "mine_and_unassigned":
                return user_id in assignee_ids or None in assignee_ids
            case "mine":
                return user_id in assignee_ids
            case "none":
                return False


ALL: Final = Share("all")


def share_of(permissions: Collection[str] | None) -> Share:
    """The share of a custom role with these permissions; None stands for no such role, which shows all."""
    if permissions is None or MANAGE_ALL in permissions:
        return ALL
    is_of_participants = MANAGE_PARTICIPATING in permissions
    if MANAGE_UNASSIGNED in permissions:
        return Share("mine_and_unassigned", is_of_participants)
    return Share("mine", is_of_participants) if is_of_participants else Share("none")
