"""The feed as server-sent events: each under its cursor, so that a client that comes back goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import structlog

from criachat.feed.models import Item
from criachat.feed.reading import Reader
from criachat.kit import clock
from criachat.kit.cursors import cursor_text
from criachat.kit.errors import Refused, Unavailable
from criachat.kit.events import Cursor

log = structlog.get_logger()

EVENT_STREAM: Final = "text/event-stream"
HEADERS: Final = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))
HEARTBEAT_SECONDS: Final = 15.0
RETRY_SECONDS: Final = 1.0
# A reader who waits for something rare is told now and then how far they are.
TELL_PLACE_SECONDS: Final = 60.0

# These end in one newline: with a second one, some clients would take them for an event without content.
OPENING: Final = b"retry: 1000\n"
HEARTBEAT: Final = b":\n"


async def frames(reader: Reader) -> AsyncGenerator[bytes]:
    """What happens, as it happens, until the client goes, may not read any more, or this process stops."""
    told, told_at = reader.cursor, clock.monotonic()
    try:
        yield OPENING
        while not reader.is_over:
            try:
                page = await reader.next_page(wait_seconds=HEARTBEAT_SECONDS)
                if not page.items:
                    await reader.check_sight()
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Refused as refusal:
                log.info("feed_ended", reason=refusal.text)
                return
            if page.items:
                yield b"".join(map(_event, page.items))
                told, told_at = page.cursor, clock.monotonic()
            elif page.cursor != told and clock.monotonic() - told_at >= TELL_PLACE_SECONDS:
                yield _place(page.cursor)
                told, told_at = page.cursor, clock.monotonic()
            elif not page.is_more:
                yield HEARTBEAT
    finally:
        reader.close()


def _event(item: Item) -> bytes:
    return b"id: %b\ndata: %b\n\n" % (cursor_text(item.cursor).encode(), item.body)


def _place(cursor: Cursor) -> bytes:
    text = cursor_text(cursor).encode()
    return b'id: %b\nevent: cursor\ndata: {"cursor":"%b"}\n\n' % (text, text)
