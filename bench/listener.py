"""Thousands of websocket clients in one process that do nothing but note when marked messages came.

They speak just as much of the protocol as our server needs: one handshake, masked text frames to it, unmasked ones
from it.
"""

from __future__ import annotations

import asyncio
import struct
import time
from asyncio import Transport
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import cast

from bench.child import Answers, Child, child, settled
from bench.load import Address
from bench.marks import mark_in

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nhost: bench\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: actioncable-v1-json\r\n\r\n"
)
CONFIRMED = b'"confirm_subscription"'
PING = b'{"type":"ping"'
CREATED = b'"event":"message.created"'
AT_ONCE = 50
OPEN_SECONDS = 60.0
FIN_TEXT, FIN_CLOSE, FIN_PING, FIN_PONG = 0x81, 0x88, 0x89, 0x8A
NORMAL = (1000).to_bytes(2, "big")
MASKED = 0x80
TWO_BYTES, EIGHT_BYTES = 126, 127
FIRST_LENGTHS = {TWO_BYTES: ("!H", 2), EIGHT_BYTES: ("!Q", 8)}


class Listening(Exception):
    """A client could not be connected; the text says how far it came."""


def frame(payload: bytes, kind: int = FIN_TEXT) -> bytes:
    """A frame from a client, masked with zeros: the mask must be there, not be secret."""
    length = len(payload)
    if length < TWO_BYTES:
        head = struct.pack("!BB", kind, MASKED | length)
    else:
        head = struct.pack("!BBH", kind, MASKED | TWO_BYTES, length)
    return head + bytes(4) + payload


class _Ears(asyncio.Protocol):
    """One client."""

    def __init__(self, book: _Book, path: str, greeting: bytes) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._book = book
        self._path = path
        self._greeting = greeting
        self._data = b""
        self._is_open = False

    def itself(self) -> _Ears:
        """For `create_connection`, which asks for a way to make one."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(Transport, transport)
        self.transport.write(HANDSHAKE.format(path=self._path).encode())

    def data_received(self, data: bytes) -> None:
        came_at = time.monotonic()
        self._data += data
        if not self._is_open:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in self._data[:16]:
                self._fail(self._data[:end].decode("latin-1"))
                return
            self._is_open = True
            self._data = self._data[end + 4 :]
            if self._greeting:
                self.transport.write(frame(self._greeting))
            else:
                self.ready.set_result(None)
        self._data = self._frames(self._data, came_at)

    def _frames(self, data: bytes, came_at: float) -> bytes:
        """Take all whole frames; what is left."""
        at = 0
        while len(data) - at >= 2:
            length, start = data[at + 1], at + 2
            if length in FIRST_LENGTHS:
                form, size = FIRST_LENGTHS[length]
                if len(data) < start + size:
                    break
                (length,) = struct.unpack_from(form, data, start)
                start += size
            if len(data) < start + length:
                break
            self._take(data[at], data[start : start + length], came_at)
            at = start + length
        return data[at:] if at else data

    def _take(self, kind: int, payload: bytes, came_at: float) -> None:
        if kind == FIN_PING:
            self.transport.write(frame(payload, FIN_PONG))
        elif kind == FIN_TEXT and not payload.startswith(PING):
            self._book.note(payload, came_at)
            if not self.ready.done() and CONFIRMED in payload:
                self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._book.lost += 1
        self._fail("the server hung up")

    def _fail(self, reason: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(Listening(reason))


class _Book:
    """All clients of this process, and what they heard."""

    def __init__(self) -> None:
        self.clients: list[_Ears] = []
        self.lost = 0
        self._frames = 0
        self._bytes = 0
        self._arrivals: list[tuple[int, float]] = []
        self._awaited = 0
        self._reached = asyncio.Event()

    def note(self, payload: bytes, came_at: float) -> None:
        self._frames += 1
        if self._frames == self._awaited:
            self._reached.set()
        self._bytes += len(payload)
        mark = mark_in(payload) if CREATED in payload else None
        if mark is not None:
            self._arrivals.append((mark, came_at))

    async def open(self, host: str, port: int, path: str, greetings: list[bytes]) -> int:
        """Connect a client for each greeting and wait until its subscription is confirmed; how many there are."""
        async with asyncio.timeout(OPEN_SECONDS):
            for start in range(0, len(greetings), AT_ONCE):
                await asyncio.gather(
                    *(self._connect(host, port, path, greeting) for greeting in greetings[start : start + AT_ONCE])
                )
        return len(self.clients)

    async def _connect(self, host: str, port: int, path: str, greeting: bytes) -> None:
        client = _Ears(self, path, greeting)
        await asyncio.get_running_loop().create_connection(client.itself, host, port)
        await client.ready
        self.clients.append(client)

    async def close(self, keep: int) -> int:
        """Hang up on all clients but the first so many; how many went by themselves before."""
        lost = self.lost
        for client in self.clients[keep:]:
            client.transport.write(frame(NORMAL, FIN_CLOSE))
            client.transport.close()
        del self.clients[keep:]
        return lost

    async def send(self, payload: bytes, times: int) -> None:
        """Have each client send this text so often, and wait until as many frames came back."""
        data = frame(payload)
        for _ in range(times):
            self._awaited = self._frames + len(self.clients)
            self._reached.clear()
            for client in self.clients:
                client.transport.write(data)
            await self._reached.wait()

    async def count(self) -> int:
        return self._frames

    async def take(self) -> tuple[int, int, list[tuple[int, float]]]:
        taken = self._frames, self._bytes, self._arrivals
        self._frames, self._bytes, self._arrivals = 0, 0, []
        return taken


async def _begin() -> Answers:
    book = _Book()
    return {"open": book.open, "close": book.close, "send": book.send, "count": book.count, "take": book.take}


class Listeners:
    """The clients, as the measurement sees them."""

    def __init__(self, process: Child, address: Address, path: str) -> None:
        self._process = process
        self._address = address
        self._path = path

    async def open(self, greetings: Sequence[bytes]) -> int:
        """Connect a client for each greeting, the first thing it says; how many there are then."""
        return await self._process.call("open", self._address.host, self._address.port, self._path, list(greetings))

    async def close(self, *, keep: int = 0) -> int:
        """Hang up on all but the first so many; how many had gone by themselves."""
        return await self._process.call("close", keep)

    async def send(self, payload: bytes, times: int) -> None:
        """Have each client say this so often, and wait for as many answers."""
        await self._process.call("send", payload, times)

    async def quiet(self) -> None:
        """Wait until nothing comes any more."""
        await settled(lambda: self._process.call("count"))

    async def take(self) -> tuple[int, int, list[tuple[int, float]]]:
        """Frames and bytes since it was last asked; and each marked message that was created, with when it came."""
        return await self._process.call("take")


@asynccontextmanager
async def listeners(address: Address, path: str) -> AsyncGenerator[Listeners]:
    """Clients of this server, in a process of their own."""
    async with child(_begin) as process:
        yield Listeners(process, address, path)
