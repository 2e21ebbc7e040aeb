"""What operators' apps lose when something happened elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.platform_api import operations
from criachat.users.events import AgentAdded

listeners = Listeners("platform_api")


@listeners.on(AgentAdded)
async def let_go_of_who_joined(tx: Tx, events: Sequence[AgentAdded]) -> None:
    """Whoever joins an account of somebody else is out of the reach of apps that did not make them."""
    await operations.let_go(tx, sorted({event.user_id for event in events}))
