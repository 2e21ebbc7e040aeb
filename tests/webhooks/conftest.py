from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from harness import World

from criachat.main import Loop


@asynccontextmanager
async def running(*loops: Loop) -> AsyncGenerator[None]:
    """These loops run beside the block, as in a worker process."""
    async with AsyncExitStack() as stack:
        for loop in loops:
            stack.push_async_callback(_stop, asyncio.create_task(loop()))
        # One turn each, so that they listen before anything happens.
        await asyncio.sleep(0)
        yield


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def worker(world: World) -> AsyncIterator[None]:
    """The application's own relay and deliveries are at work."""
    async with running(world.parts.relay.run, world.parts.deliveries.run, world.parts.typing_teller.run):
        yield
