"""Who may be given a conversation, as rows."""

from __future__ import annotations

import msgspec

from criachat.users.presence import Presence, availability
from criachat.users.snapshots import Availability


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the inbox whose turn it may be."""

    account_id: int
    user_id: int
    availability: Availability
    auto_offline: bool

    def is_online(self, presence: Presence) -> bool:
        """Whether they are there, and not busy."""
        is_present = presence.is_user_present(self.account_id, self.user_id)
        return availability(self.availability, auto_offline=self.auto_offline, is_present=is_present) == "online"
