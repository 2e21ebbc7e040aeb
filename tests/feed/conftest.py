from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from harness import World
from wires import served


@pytest.fixture(scope="session")
async def address(world: World) -> AsyncIterator[str]:
    """Where the application of the tests answers behind a real socket, for streams."""
    async with served(world.parts.http) as address:
        yield address
