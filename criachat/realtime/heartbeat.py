"""A sign of life for every client, every three seconds, from one timer."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import Final

from criachat.kit import clock
from criachat.realtime.protocol import PING_SECONDS, ping
from criachat.realtime.sockets import Socket

# Thousands of frames at once would hold everybody else up; so each beat serves one thirtieth of the sockets.
BEATS: Final = 30


class Heartbeat:
    """Whose turn it is. A socket's turn comes first when it has been connected for a whole round."""

    def __init__(self) -> None:
        self._turns: list[set[Socket]] = [set() for _ in range(BEATS)]
        self._now = 0

    def add(self, socket: Socket) -> None:
        """Give this socket signs of life from now on."""
        self._turns[self._now].add(socket)

    def remove(self, socket: Socket) -> None:
        """No more."""
        for turn in self._turns:
            turn.discard(socket)

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for self._now in cycle(range(BEATS)):
            frame = ping(int(clock.unix()))
            for socket in self._turns[self._now]:
                # Whoever has not taken yet what waits for them learns nothing from one more frame.
                if not socket.is_behind:
                    socket.push(frame)
            due += PING_SECONDS / BEATS
            await asyncio.sleep(max(due - loop.time(), 0))
