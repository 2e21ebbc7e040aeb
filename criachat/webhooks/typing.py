"""Telling webhooks who is typing: from the signal that nobody keeps to deliveries that are tried once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from criachat.conversations.typing import TYPING_TOPIC, Typing, read_typing
from criachat.kit.db import TRY_AGAIN, Database
from criachat.kit.errors import Unavailable
from criachat.kit.signals import Signals
from criachat.webhooks import operations
from criachat.webhooks.payloads import Links

log = structlog.get_logger()

MOST_WAITING: Final = 1000


class TypingTeller:
    """Hears who is typing, and queues deliveries of it; of several, one does."""

    def __init__(self, database: Database, signals: Signals, links: Links) -> None:
        self._database = database
        self._signals = signals
        self._links = links
        self._waiting: asyncio.Queue[Typing] = asyncio.Queue(MOST_WAITING)

    async def run(self) -> None:
        """Listen until cancelled. What cannot be queued is let go: a moment later it says nothing any more."""
        self._signals.subscribe(TYPING_TOPIC, self._hear)
        try:
            while True:
                await self._tell(await self._waiting.get())
        finally:
            self._signals.unsubscribe(TYPING_TOPIC, self._hear)

    async def _tell(self, typing: Typing) -> None:
        try:
            async with self._database.transaction() as tx:
                await operations.queue_typing(tx, typing, self._links)
        except (Unavailable, *TRY_AGAIN) as failure:
            log.warning("typing_not_told", account_id=typing.account_id, failure=type(failure).__name__)
        except Exception:  # nobody misses a typing mark, everybody the ones after it
            log.exception("typing_not_told", account_id=typing.account_id)

    def _hear(self, message: bytes) -> None:
        with suppress(asyncio.QueueFull):
            self._waiting.put_nowait(read_typing(message))
