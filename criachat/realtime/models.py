"""Who may listen, as rows."""

from __future__ import annotations

import msgspec

from criachat.conversations.shares import Share, share_of
from criachat.users.models import Role
from criachat.users.snapshots import Availability


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person of an account: what they prove themselves with, what they may hear, and what others see of them."""

    account_id: int
    user_id: int
    pubsub_token: str
    role: Role
    availability: Availability
    auto_offline: bool
    inbox_ids: list[int]
    permissions: list[str] | None

    def hears(self, inbox_id: int) -> bool:
        """Whether conversations of this inbox are theirs to see."""
        return self.role == "administrator" or inbox_id in self.inbox_ids

    @property
    def share(self) -> Share:
        """What their role shows of those."""
        return share_of(None if self.role == "administrator" else self.permissions)


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A contact behind one of their channel identities."""

    account_id: int
    contact_inbox_id: int
    contact_id: int
    is_verified: bool


class Participation(msgspec.Struct, frozen=True):
    """Somebody takes part in a conversation."""

    conversation_id: int
    user_id: int
