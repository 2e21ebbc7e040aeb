"""The application behind a real socket, and one client's line to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from harness import PATIENCE_SECONDS, World
from websockets.asyncio.client import ClientConnection, connect
from wires import served

from criachat.kit.http.request import Receive, Scope, Send
from criachat.kit.news import NewsReader
from criachat.realtime.cable import Cable


class Server:
    """A process of its own with the application of the tests, listening on a free port."""

    def __init__(self, world: World) -> None:
        parts = world.parts
        self._world = world
        self._news = NewsReader(parts.database, parts.signals)
        self.cable = Cable(
            parts.database, self._news, presence=parts.presence, signals=parts.signals, files=parts.files
        )
        self.address = ""

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.cable if scope["path"] == "/cable" else self._world.parts.http
        await app(scope, receive, send)

    @asynccontextmanager
    async def running(self, *, port: int = 0) -> AsyncGenerator[Server]:
        """Answering, until the block ends."""
        async with served(self._app, port=port) as self.address:
            await self.cable.open()
            try:
                yield self
            finally:
                await self.cable.close()
                await self._news.close()

    async def line(self, **options: Any) -> Line:
        """A new line to it, which was welcomed."""
        line = Line(await connect(f"ws://{self.address}/cable", **{"compression": None, **options}))
        assert await line.frame() == {"type": "welcome"}
        return line


class Line:
    """One client's websocket, as the protocol has it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.identifier = ""

    async def frame(self) -> Any:
        """The next frame that is no ping."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame = json.loads(await self.socket.recv())
                if frame.get("type") != "ping":
                    return frame

    async def ping(self) -> Any:
        """The next ping."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame = json.loads(await self.socket.recv())
                if frame.get("type") == "ping":
                    return frame

    async def say(self, **frame: Any) -> None:
        """Send a frame."""
        await self.socket.send(json.dumps(frame))

    async def subscribe(self, **identifier: Any) -> Any:
        """Ask to listen; the server's answer."""
        self.identifier = json.dumps({"channel": "RoomChannel", **identifier})
        await self.say(command="subscribe", identifier=self.identifier)
        frame = await self.frame()
        assert frame["identifier"] == self.identifier
        return frame["type"]

    async def event(self, *names: str) -> Any:
        """The next message with one of these names, its data."""
        while True:
            frame = await self.frame()
            message = frame.get("message")
            if message is not None and message["event"] in names:
                return message["data"]

    async def events_until(self, event: str, /, **data: Any) -> list[Any]:
        """All messages up to the one of this name with this data, presence left out."""
        messages: list[Any] = []
        while True:
            frame = await self.frame()
            message = frame.get("message")
            if message is None or message["event"] == "presence.update":
                continue
            messages.append(message)
            if message["event"] == event and data.items() <= message["data"].items():
                return messages

    async def closed(self) -> int | None:
        """Wait until the server hangs up; the code it gave."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.socket.wait_closed()
        return self.socket.close_code


Call = Callable[..., Awaitable[Line]]
