"""A receiver of webhooks that does nothing but note when the first byte of each came."""

from __future__ import annotations

import asyncio
import time
from asyncio import Transport
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import msgspec

from bench.child import Answers, Child, child, settled
from bench.load import Address
from bench.marks import mark_in

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
LENGTH = b"content-length: "
KEPT_BODIES = 200


class Arrival(msgspec.Struct, frozen=True):
    """One delivery: when its first byte came, and which message it tells of."""

    at: float
    mark: int | None


class _Book:
    """What came since it was last asked for."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[float, int | None]] = []
        self.bodies: list[bytes] = []

    async def count(self) -> int:
        return len(self.arrivals)

    async def take(self) -> tuple[list[tuple[float, int | None]], list[bytes]]:
        taken = self.arrivals, self.bodies
        self.arrivals, self.bodies = [], []
        return taken


class _Door(asyncio.Protocol):
    """One connection of a sender."""

    def __init__(self, book: _Book) -> None:
        self._book = book
        self._data = b""
        self._came_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._data:
            self._came_at = time.monotonic()
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            at = head.find(LENGTH)
            length = int(head[at + len(LENGTH) :].partition(b"\r")[0]) if at >= 0 else 0
            whole = end + 4 + length
            if len(self._data) < whole:
                return
            self._note(self._data[end + 4 : whole])
            self._data = self._data[whole:]

    def _note(self, body: bytes) -> None:
        self._book.arrivals.append((self._came_at, mark_in(body)))
        if len(self._book.bodies) < KEPT_BODIES:
            self._book.bodies.append(body)
        self._transport.write(ANSWER)


async def _begin() -> Answers:
    book = _Book()
    server = await asyncio.get_running_loop().create_server(lambda: _Door(book), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]

    async def address() -> int:
        return port

    return {"port": address, "count": book.count, "take": book.take}


class Receiver:
    """The receiver, as the measurement sees it."""

    def __init__(self, process: Child, address: Address) -> None:
        self._process = process
        self.address = address

    def url(self, path: str = "/") -> str:
        """Where to send to."""
        return f"http://{self.address.host}:{self.address.port}{path}"

    async def quiet(self) -> int:
        """Wait until nothing comes any more; how many came since `take`."""
        return await settled(lambda: self._process.call("count"))

    async def take(self) -> tuple[list[Arrival], list[bytes]]:
        """What came since it was last asked, and the bodies of the first of them."""
        arrivals, bodies = await self._process.call("take")
        return [Arrival(at, mark) for at, mark in arrivals], bodies


@asynccontextmanager
async def receiver() -> AsyncGenerator[Receiver]:
    """A receiver in a process of its own, on a free port of this machine."""
    async with child(_begin) as process:
        yield Receiver(process, Address("127.0.0.1", await process.call("port")))
