"""A client of server-sent events: reads frames as the standard has them, and remembers where it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from harness import PATIENCE_SECONDS, Person


class Frame(msgspec.Struct, frozen=True):
    """One event of a stream; `kind` is `message` unless it was named otherwise."""

    id: str
    kind: str
    data: Any


class EventStream:
    """An open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_event_id = ""
        self.comments = 0
        self._lines: AsyncIterator[str] = answer.aiter_lines()

    async def frame(self) -> Frame:
        """The next event."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            fields: dict[str, str] = {}
            async for line in self._lines:
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    self.last_event_id = fields.get("id", self.last_event_id)
                    return Frame(self.last_event_id, fields.get("event", "message"), json.loads(fields["data"]))
            raise EOFError

    async def comment(self) -> None:
        """Wait for a sign of life."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self._lines:
                if line.startswith(":"):
                    return

    async def event(self, name: str) -> Any:
        """The next event of the log with this name."""
        while True:
            frame = await self.frame()
            if frame.data.get("event") == name:
                return frame.data

    async def ended(self) -> bool:
        """Wait until the server has said its last; whether it ended well."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for _ in self._lines:
                pass
        return True


@asynccontextmanager
async def streaming(
    address: str, person: Person, account_id: int, *, last_event_id: str | None = None, **params: Any
) -> AsyncGenerator[EventStream]:
    """The events of an account, as they happen."""
    headers = {"api_access_token": person.token, "accept": "text/event-stream"}
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    url = f"http://{address}/api/v1/accounts/{account_id}/events"
    async with (
        httpx.AsyncClient(timeout=None) as client,  # noqa: S113 - each wait of the stream has its own
        client.stream("GET", url, headers=headers, params=params) as answer,
    ):
        yield EventStream(answer)
