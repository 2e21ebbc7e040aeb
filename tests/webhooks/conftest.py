from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from harness import World, running


@pytest.fixture
async def worker(world: World) -> AsyncIterator[None]:
    """The application's own relay and deliveries are at work."""
    async with running(world.parts.relay.run, world.parts.deliveries.run, world.parts.typing_teller.run):
        yield
