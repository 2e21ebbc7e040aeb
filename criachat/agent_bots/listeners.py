"""What the slice of bots does when something happened."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.accounts.events import AccountCreated
from criachat.agent_bots import operations
from criachat.inboxes.events import InboxDeleted
from criachat.kit.db import Tx
from criachat.kit.events import Listeners

listeners = Listeners("agent_bots")


@listeners.on(AccountCreated)
async def introduce_system_bots(tx: Tx, events: Sequence[AccountCreated]) -> None:
    """Have new accounts know the bots of the installation."""
    await operations.introduce_system_bots(tx, [event.account_id for event in events])


@listeners.on(InboxDeleted)
async def forget_connections(tx: Tx, events: Sequence[InboxDeleted]) -> None:
    """Have nobody answer in inboxes that are gone; a bot of the installation is let in for them no more."""
    await operations.disconnect(tx, events[0].account_id, [event.snapshot.id for event in events])
