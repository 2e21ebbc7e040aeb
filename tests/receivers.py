"""Somebody else's server: takes what it is sent or asked, remembers it, and answers what it was told to."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web
from harness import PATIENCE_SECONDS


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it came in, byte for byte."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""


Behave = Callable[[Told], Awaitable[Say]]


class Receiver:
    """The server. Until it was told something else, it says 200."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.behave: Behave = self._answer
        self.url = ""
        self._answers: deque[Say] = deque()
        self._usual = Say()
        self._has_news = asyncio.Condition()

    def will_answer(self, *answers: int | Say) -> None:
        """The next requests are answered so, one after the other; those after them as before."""
        self._answers += [Say(status=each) if isinstance(each, int) else each for each in answers]

    def always_answers(self, answer: int | Say) -> None:
        """From now on every request is answered so."""
        self._answers.clear()
        self._usual = Say(status=answer) if isinstance(answer, int) else answer

    def forget(self) -> None:
        """As if nothing had come in so far."""
        self.told.clear()

    def events(self, *names: str) -> list[Any]:
        """The bodies of these events (or of all), in the order in which they came in."""
        bodies = [each.json for each in self.told]
        return [body for body in bodies if not names or body["event"] in names]

    async def until(self, count: int) -> list[Told]:
        """Everything that came in, once it is so much."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._has_news:
            await self._has_news.wait_for(lambda: len(self.told) >= count)
        return self.told

    async def _answer(self, _: Told) -> Say:
        return self._answers.popleft() if self._answers else self._usual

    async def _take(self, request: web.Request) -> web.Response:
        told = Told(path=request.path_qs, headers=request.headers, body=await request.read())
        async with self._has_news:
            self.told.append(told)
            self._has_news.notify_all()
        say = await self.behave(told)
        return web.Response(status=say.status, headers=say.headers, body=say.body)

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Receiver]:
        """Answering on a port of this machine, until the block ends."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            yield self
        finally:
            await runner.cleanup()
