"""The yardstick of sockets: the echo server that `websockets` makes in ten lines, in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import psutil
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.child import Answers, Child, child
from bench.load import Address


async def _echo(socket: ServerConnection) -> None:
    # Thousands of clients leave without a word at the end.
    with suppress(ConnectionClosed):
        async for message in socket:
            await socket.send(message)


async def _begin() -> Answers:
    server = await serve(_echo, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=1024)
    port: int = next(iter(server.sockets)).getsockname()[1]
    process = psutil.Process(os.getpid())

    async def address() -> int:
        return port

    async def resident_bytes() -> int:
        return process.memory_info().rss

    async def cpu_seconds() -> float:
        return time.process_time()

    return {"port": address, "resident_bytes": resident_bytes, "cpu_seconds": cpu_seconds}


class Echo:
    """The echo server, as the measurement sees it."""

    def __init__(self, process: Child, address: Address) -> None:
        self._process = process
        self.address = address

    async def resident_bytes(self) -> int:
        """Its resident memory."""
        return await self._process.call("resident_bytes")

    async def cpu_seconds(self) -> float:
        """The CPU time it used until now."""
        return await self._process.call("cpu_seconds")


@asynccontextmanager
async def echo() -> AsyncGenerator[Echo]:
    """An echo server for as long as the block runs."""
    async with child(_begin) as process:
        yield Echo(process, Address("127.0.0.1", await process.call("port")))
