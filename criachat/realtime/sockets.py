"""One websocket: its seats, and the short queue between us and a client that may be slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from criachat.kit import clock
from criachat.kit.http.request import Send
from criachat.realtime.protocol import Reason, disconnection
from criachat.realtime.room import Seat

log = structlog.get_logger()

MOST_WAITING_FRAMES: Final = 256
MOST_WAITING_CHARACTERS: Final = 1_000_000
PATIENCE_SECONDS: Final = 10

# What a client may ask for: a burst of 200 frames or 20 subscriptions, then 20 frames or 2 subscriptions a second.
BURST: Final = 200.0
REFILL_PER_SECOND: Final = 20.0
FRAME_COSTS: Final = 1.0
SUBSCRIPTION_COSTS: Final = 10.0

GOING_AWAY, POLICY_VIOLATION, TOO_BIG, TRY_AGAIN = 1001, 1008, 1009, 1013


class Socket:
    """A connected client. Pushing never waits: what the client does not take in time closes it, and it comes back."""

    __slots__ = ("_allowance", "_close_code", "_draining", "_queue", "_refilled_at", "_send", "_waiting", "seats")

    def __init__(self, send: Send) -> None:
        self.seats: dict[str, Seat] = {}
        self._send = send
        self._queue: deque[tuple[str, str, str]] = deque()
        self._waiting = 0
        self._draining: asyncio.Task[None] | None = None
        self._close_code: int | None = None
        self._allowance = BURST
        self._refilled_at = clock.monotonic()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will be sent."""
        return self._close_code is not None

    @property
    def is_behind(self) -> bool:
        """Whether the client has not taken yet what it was sent."""
        return self._draining is not None

    def push(self, before: str, shared: str = "", after: str = "") -> None:
        """Send a frame made of three parts; the middle one is kept once, however many sockets it goes to."""
        if self._close_code is not None:
            return
        self._queue.append((before, shared, after))
        self._waiting += len(shared)
        if len(self._queue) > MOST_WAITING_FRAMES or self._waiting > MOST_WAITING_CHARACTERS:
            log.info("socket_too_slow", waiting=len(self._queue))
            self._clear()
            self.close("server_restart", reconnect=True, code=TRY_AGAIN)
        elif self._draining is None:
            self._drain_soon()

    def has_room_for(self, messages: Sequence[str]) -> bool:
        """Whether the client can be sent all of these at once, and some more beside them."""
        return len(messages) <= MOST_WAITING_FRAMES // 2 and sum(map(len, messages)) <= MOST_WAITING_CHARACTERS // 2

    def close(self, reason: Reason, *, reconnect: bool, code: int = GOING_AWAY) -> None:
        """Say goodbye, then close; what was pushed before still goes out. A client that does not listen is cut off."""
        if self._close_code is not None:
            return
        self._close_code = code
        self._queue.append((disconnection(reason, reconnect=reconnect), "", ""))
        if self._draining is None:
            self._drain_soon()
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._cut_off)

    async def farewell(self) -> None:
        """Wait until the last frame is on its way."""
        if self._draining is not None:
            await asyncio.wait([self._draining])

    def forget(self) -> None:
        """The client is gone."""
        self._close_code = self._close_code or GOING_AWAY
        self._clear()

    def may(self, cost: float) -> bool:
        """Whether the client is still within what it may ask for."""
        now = clock.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._refilled_at) * REFILL_PER_SECOND) - cost
        self._refilled_at = now
        return self._allowance >= 0

    def _clear(self) -> None:
        self._queue.clear()
        self._waiting = 0

    def _drain_soon(self) -> None:
        self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._queue:
                before, shared, after = self._queue.popleft()
                self._waiting -= len(shared)
                await self._send({"type": "websocket.send", "text": before + shared + after})
            if self._close_code is not None:
                await self._send({"type": "websocket.close", "code": self._close_code})
        except (OSError, RuntimeError):
            # The client went, or the server closed first: its queue of received messages says so next.
            self.forget()
        finally:
            self._draining = None

    def _cut_off(self) -> None:
        # ASGI has no word for hanging up on a client that reads nothing; closing would wait for it for hours.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is not None and self.is_behind:
            transport.abort()
