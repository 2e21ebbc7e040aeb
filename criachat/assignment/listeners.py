"""Handing conversations out when they open, and when a team gets them."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.assignment import operations
from criachat.conversations.events import ConversationCreated, ConversationOpened, TeamChanged
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.users.presence import Presence


def make_listeners(presence: Presence) -> Listeners:
    """The listeners of this slice; `presence` knows who is there."""
    listeners = Listeners("assignment")

    async def hand_out_what_opens(tx: Tx, events: Sequence[ConversationCreated | ConversationOpened]) -> None:
        for event in events:
            if event.snapshot.status == "open":
                await operations.hand_out_opened(tx, event, presence)

    async def hand_out_within_teams(tx: Tx, events: Sequence[TeamChanged]) -> None:
        for event in events:
            if event.current is not None:
                await operations.hand_out_within_team(tx, event, presence)

    listeners.on(ConversationCreated, ConversationOpened)(hand_out_what_opens)
    listeners.on(TeamChanged)(hand_out_within_teams)
    return listeners
