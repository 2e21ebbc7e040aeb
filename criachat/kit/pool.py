"""Connections that are lent and come back.

The one that came back last goes out first, so those beyond what is needed stay idle, and go. Lending one that is there
waits for nothing and makes no task, because it happens with every request.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from criachat.kit.db import Connection

PATIENCE_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 300.0
# A server process of PostgreSQL remembers whatever it looked at for as long as it lives.
OLDEST_SECONDS: Final = 1800.0
CLOSE_SECONDS: Final = 10.0


class Pool:
    """At most so many connections, each with one borrower at a time."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        *,
        size: int,
        patience_seconds: float = PATIENCE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        oldest_seconds: float = OLDEST_SECONDS,
    ) -> None:
        self._connect = connect
        self._size = size
        self._patience_seconds = patience_seconds
        self._idle_seconds = idle_seconds
        self._oldest_seconds = oldest_seconds
        # Above zero only while nobody waits: a place that comes back goes to whoever waits longest.
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()
        # Each with when it came back; the one that was idle longest stands first.
        self._idle: deque[tuple[Connection, float]] = deque()
        # Each with when it was made.
        self._made: dict[Connection, float] = {}

    async def borrow(self) -> Connection:
        """A connection for the caller alone; raises `TimeoutError` when none comes back in time."""
        if self._free:
            self._free -= 1
        else:
            async with asyncio.timeout(self._patience_seconds):
                await self._next_place()
        try:
            while self._idle:
                connection, _ = self._idle.pop()
                if not connection.is_closed():
                    return connection
                self._forget(connection)
            connection = await self._connect()
        except BaseException:
            self._leave()
            raise
        self._made[connection] = time.monotonic()
        return connection

    def give_back(self, connection: Connection, *, is_usable: bool = True) -> None:
        """What `borrow` gave. One that is broken, old, or still in a transaction is not lent again."""
        now = time.monotonic()
        if is_usable and self._may_be_lent(connection, now):
            self._idle.append((connection, now))
        else:
            self._forget(connection)
        if self._idle and now - self._idle[0][1] > self._idle_seconds:
            self._forget(self._idle.popleft()[0])
        self._leave()

    async def close(self) -> None:
        """Wait a while for those who still have one, then disconnect."""
        lent, self._free = self._size - self._free, 0
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                for _ in range(lent):
                    await self._next_place()
        for connection, _ in self._idle:
            with suppress(OSError, TimeoutError):
                await connection.close(timeout=1)
        for connection in list(self._made):
            self._forget(connection)
        self._idle.clear()

    async def _next_place(self) -> None:
        """Wait for the place of somebody who leaves."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except BaseException:
            # Not wanted any more; one that came at that very moment is the next one's.
            if not place.cancel() and not place.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        """Give a place to whoever waits longest, or keep it."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1

    def _may_be_lent(self, connection: Connection, now: float) -> bool:
        made_at = self._made.get(connection)
        if made_at is None or now - made_at > self._oldest_seconds:
            return False
        return not (connection.is_closed() or connection.is_in_transaction())

    def _forget(self, connection: Connection) -> None:
        self._made.pop(connection, None)
        connection.terminate()
