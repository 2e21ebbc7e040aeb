"""What the team tells others."""

from __future__ import annotations

from criachat.kit.events import Event, declare


@declare("agent_added", realtime="agent.added")
class AgentAdded(Event, frozen=True, kw_only=True):
    """A person joined the account."""

    user_id: int


@declare("agent_removed", realtime="agent.removed")
class AgentRemoved(Event, frozen=True, kw_only=True):
    """A person left the account."""

    user_id: int
