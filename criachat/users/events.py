"""What the team tells others."""

from __future__ import annotations

from collections.abc import Mapping

from criachat.kit.events import Event, declare
from criachat.users.shown import Shown


class PersonalEvent(Event, frozen=True, kw_only=True):
    """Something that on sockets only certain people are told, each in words of their own."""

    def told(self, shown: Shown) -> Mapping[int, object]:
        """What each of these people is told, by user id."""
        raise NotImplementedError


@declare("agent_added", realtime="agent.added")
class AgentAdded(Event, frozen=True, kw_only=True):
    """A person joined the account."""

    user_id: int


@declare("agent_updated", realtime="agent.updated")
class AgentUpdated(Event, frozen=True, kw_only=True):
    """Role, availability or name of a member changed; `changes` says how."""

    user_id: int


@declare("agent_removed", realtime="agent.removed")
class AgentRemoved(Event, frozen=True, kw_only=True):
    """A person left the account, and with it their teams and inboxes.

    Conversations that were theirs are nobody's now: of each of them no event tells. Whoever keeps a copy takes this
    person out of all of them.
    """

    user_id: int
