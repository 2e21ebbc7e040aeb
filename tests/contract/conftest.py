from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from happenings import Stage, set_stage
from harness import Given, World
from lines import Server
from receivers import Receiver


@pytest.fixture(scope="module")
async def server(world: World) -> AsyncIterator[Server]:
    """A server with sockets."""
    async with Server(world).running() as server:
        yield server


@pytest.fixture
async def stage(given: Given, receiver: Receiver) -> Stage:
    """An account in which everything can happen."""
    return await set_stage(given, receiver)
