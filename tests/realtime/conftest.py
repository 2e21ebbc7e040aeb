from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from harness import Given, Person, World
from websockets.asyncio.client import ClientConnection, connect

from criachat.kit.http.request import Receive, Scope, Send
from criachat.realtime.cable import Cable

PATIENCE_SECONDS = 10


class Server:
    """The application behind a real socket."""

    def __init__(self, world: World) -> None:
        parts = world.parts
        self._world = world
        self.cable = Cable(parts.database, presence=parts.presence, signals=parts.signals, files=parts.files)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self._app,
                host="127.0.0.1",
                port=0,
                lifespan="off",
                log_level="warning",
                ws="websockets-sansio",
                ws_max_size=1024 * 1024,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=5,
            )
        )

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.cable if scope["path"] == "/cable" else self._world.parts.http
        await app(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        """Listening on a free port."""
        await self.cable.open()
        serving = asyncio.create_task(self._uvicorn._serve())  # pyright: ignore[reportPrivateUsage] - without its signal handlers
        while not self._uvicorn.started:
            await asyncio.sleep(0.01)
        yield self
        await self.cable.close()
        self._uvicorn.should_exit = True
        await serving

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self._uvicorn.servers[0].sockets[0].getsockname()
        return f"{host}:{port}"


class Line:
    """One client's websocket, as the protocol has it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

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
        text = json.dumps({"channel": "RoomChannel", **identifier})
        await self.say(command="subscribe", identifier=text)
        frame = await self.frame()
        assert frame["identifier"] == text
        return frame["type"]

    async def event(self, *names: str) -> Any:
        """The next message with one of these names, its data."""
        while True:
            frame = await self.frame()
            message = frame.get("message")
            if message is not None and message["event"] in names:
                return message["data"]

    async def events_until(self, name: str, **data: Any) -> list[Any]:
        """All messages up to the one of this name with this data, presence left out."""
        messages: list[Any] = []
        while True:
            frame = await self.frame()
            message = frame.get("message")
            if message is None or message["event"] == "presence.update":
                continue
            messages.append(message)
            if message["event"] == name and data.items() <= message["data"].items():
                return messages

    async def closed(self) -> int | None:
        """Wait until the server hangs up; the code it gave."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.socket.wait_closed()
        return self.socket.close_code


Call = Callable[..., Awaitable[Line]]


@pytest.fixture(scope="session")
async def server(world: World) -> AsyncIterator[Server]:
    """One server for all tests of sockets."""
    async with Server(world).running() as server:
        yield server


@pytest.fixture
async def call(server: Server) -> AsyncIterator[Call]:
    """Open a line to the server; it says welcome first."""
    sockets: list[ClientConnection] = []

    async def call(**options: Any) -> Line:
        socket = await connect(
            f"ws://{server.address}/cable",
            **{"subprotocols": ["actioncable-v1-json", "actioncable-unsupported"], "compression": None, **options},
        )
        sockets.append(socket)
        line = Line(socket)
        assert await line.frame() == {"type": "welcome"}
        return line

    yield call
    for socket in sockets:
        await socket.close()


@pytest.fixture
def agent_line(call: Call, given: Given) -> Call:
    """A line on which a person of the test's account listens."""

    async def agent_line(person: Person, **identifier: Any) -> Line:
        line = await call()
        answer = await line.subscribe(
            pubsub_token=person.pubsub_token, account_id=given.account_id, user_id=person.id, **identifier
        )
        assert answer == "confirm_subscription"
        return line

    return agent_line


@pytest.fixture
def contact_line(call: Call) -> Call:
    """A line on which a contact listens."""

    async def contact_line(session: Any, **identifier: Any) -> Line:
        line = await call()
        assert await line.subscribe(pubsub_token=session["pubsub_token"], **identifier) == "confirm_subscription"
        return line

    return contact_line
