from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from harness import Given, running


@pytest.fixture
async def worker(given: Given) -> AsyncIterator[None]:
    """The application's own relay and deliveries are at work, until what the test leaves is forgotten."""
    parts = given.world.parts
    async with running(parts.relay.run, parts.deliveries.run, parts.typing_teller.run):
        yield
