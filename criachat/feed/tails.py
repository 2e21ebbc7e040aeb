"""The end of one account's log, kept in memory for everybody who waits there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from criachat.feed.models import Item
from criachat.kit.events import Cursor, Record

MOST_KEPT: Final = 256
MOST_KEPT_BYTES: Final = 2 * 1024 * 1024
# After so many in a row, others get their turn.
RENDERED_IN_A_ROW: Final = 20


class Tail:
    """What happened last in one account: read and rendered once, however many wait for it."""

    def __init__(self, account_id: int, cursor: Cursor, render: Callable[[Record], Item]) -> None:
        self.account_id = account_id
        # Everything between these two places is here.
        self.kept_after = self.cursor = cursor
        self.readers = 0
        self._render = render
        self._items: deque[Item] = deque()
        self._size = 0
        self._moved = asyncio.Event()

    async def hear(self, records: Sequence[Record]) -> None:
        """Keep these for those who wait, and wake them."""
        for number, record in enumerate(records, 1):
            self._keep(self._render(record))
            if number % RENDERED_IN_A_ROW == 0:
                self.wake()
                await asyncio.sleep(0)
        self.wake()

    def reaches(self, cursor: Cursor) -> bool:
        """Whether this place is on the part that is kept here."""
        return not self.kept_after.is_after(cursor) and not cursor.is_after(self.cursor)

    def since(self, cursor: Cursor) -> list[Item] | None:
        """What happened after this place; None when that is not kept here any more."""
        if self.kept_after.is_after(cursor):
            return None
        items: list[Item] = []
        for item in reversed(self._items):
            if not item.cursor.is_after(cursor):
                break
            items.append(item)
        return items[::-1]

    async def wait(self) -> None:
        """Until something more happened, or somebody called `wake`."""
        await self._moved.wait()

    def wake(self) -> None:
        """Have everybody look who waits."""
        self._moved.set()
        self._moved = asyncio.Event()

    def _keep(self, item: Item) -> None:
        self._items.append(item)
        self._size += len(item.body)
        self.cursor = item.cursor
        while len(self._items) > MOST_KEPT or (self._size > MOST_KEPT_BYTES and len(self._items) > 1):
            forgotten = self._items.popleft()
            self._size -= len(forgotten.body)
            self.kept_after = forgotten.cursor
