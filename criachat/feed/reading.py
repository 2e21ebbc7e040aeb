"""Reading along the log: what is there at once, and what happens while somebody waits, with no connection held."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from criachat.feed import queries
from criachat.feed.access import Sight, with_participations
from criachat.feed.errors import CursorInvalid, CursorTooOld, LogLost, TooManyWait
from criachat.feed.models import Item, Page
from criachat.feed.payloads import item_of
from criachat.feed.tails import Tail
from criachat.kit import clock
from criachat.kit.cursors import BadCursor, read_cursor
from criachat.kit.db import Database
from criachat.kit.events import Cursor, Record, list_news, present
from criachat.kit.news import NewsReader
from criachat.users.shown import Shown

NOW: Final = "now"
# Days of the log are dropped whole, and not at midnight sharp.
MARGIN: Final = timedelta(hours=1)
# A cursor this old is exchanged for the present when nothing happened since, so that it never gets too old by waiting.
STALE: Final = timedelta(hours=1)
# Who wants little of the log is shown the way through this much of it at once, and so often in one answer.
FILTERED_AT_ONCE: Final = 500
MOST_ROUNDS: Final = 10
MOST_WAITING_IN_ACCOUNT: Final = 500
# Who got an answer asks again in a moment, and finds what happened meanwhile.
LINGER_SECONDS: Final = 5.0

Look = Callable[[], Awaitable[Sight]]
"""Finds out anew what the caller may see."""


class Feed:
    """The feed in this process. Those who wait for the same account share one reader of its log."""

    def __init__(self, database: Database, news: NewsReader, shown: Shown, *, kept_days: int) -> None:
        self.database = database
        self.is_closing = False
        self._news = news
        self._shown = shown
        self._kept_for = timedelta(days=kept_days)
        self._tails: dict[int, Tail] = {}

    def close(self) -> None:
        """Answer everybody who waits, now and from now on."""
        self.is_closing = True
        for tail in self._tails.values():
            tail.wake()

    async def place_of(self, account_id: int, text: str | None) -> Cursor:
        """Where a caller wants to go on: at their cursor, at the present, or at the oldest event that is kept."""
        if not text:
            return Cursor(0, 0, 0, clock.now() - self._kept_for)
        if text == NOW:
            async with self.database.reading() as db:
                return await present(db)
        try:
            cursor = read_cursor(text)
        except BadCursor as failure:
            raise CursorInvalid from failure
        tail = self.tail_with(account_id, cursor)
        if tail is None:
            await self._check(account_id, cursor)
        return cursor

    def check_room(self, account_id: int) -> None:
        """Refuse one more who waits where too many do already."""
        if self.waiting_in(account_id) >= MOST_WAITING_IN_ACCOUNT:
            raise TooManyWait

    def waiting_in(self, account_id: int) -> int:
        """How many wait for events of this account."""
        tail = self._tails.get(account_id)
        return 0 if tail is None else tail.readers

    def render(self, record: Record) -> Item:
        """A row of the log as its readers get it."""
        return item_of(record, self._shown)

    def tail_with(self, account_id: int, cursor: Cursor) -> Tail | None:
        """The account's tail, if this place is on it."""
        tail = self._tails.get(account_id)
        return tail if tail is not None and tail.reaches(cursor) else None

    def join(self, account_id: int, cursor: Cursor) -> Tail:
        """Wait at the end of the account's log; all that is settled before `cursor` was read."""
        tail = self._tails.get(account_id)
        if tail is None:
            tail = self._tails[account_id] = Tail(account_id, cursor, self.render)
            self._news.follow(tail)
        tail.readers += 1
        return tail

    def leave(self, tail: Tail) -> None:
        """Wait no more."""
        tail.readers -= 1
        if not tail.readers:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._forget, tail)

    def _forget(self, tail: Tail) -> None:
        if not tail.readers and self._tails.get(tail.account_id) is tail:
            del self._tails[tail.account_id]
            self._news.leave(tail)

    async def _check(self, account_id: int, cursor: Cursor) -> None:
        """Refuse a cursor from which nobody can go on without missing something."""
        if cursor.at < clock.now() - self._kept_for + MARGIN:
            raise CursorTooOld
        async with self.database.reading() as db:
            place = await queries.find_place(db, account_id, cursor)
        is_ahead = (cursor.epoch, cursor.xid) > (place.epoch, place.xid)
        # After a restore the log goes on in another epoch, and may end earlier than what the caller has seen.
        if is_ahead or (cursor.epoch < place.epoch and not place.is_there):
            raise LogLost


class Reader:
    """One caller's way along the log of an account."""

    def __init__(
        self, feed: Feed, account_id: int, cursor: Cursor, *, names: frozenset[str] | None, limit: int, look: Look
    ) -> None:
        self.cursor = cursor
        self._feed = feed
        self._account_id = account_id
        self._names = names
        self._limit = limit
        self._look = look
        self._tail: Tail | None = None

    async def next_page(self, *, wait_seconds: float = 0) -> Page:
        """What comes next, as soon as it is there; an empty page when nothing came in this time."""
        tail = self._tail or (self._feed.tail_with(self._account_id, self.cursor) if wait_seconds else None)
        page = await self._read(tail)
        if page.items or page.is_more or not wait_seconds:
            return page
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                return await self._wait()
        return Page(items=[], cursor=self.cursor)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come here, because this process stops."""
        return self._feed.is_closing

    async def check_sight(self) -> None:
        """Refuse a caller who may not read any more."""
        await self._look()

    def close(self) -> None:
        """Wait no more."""
        if self._tail is not None:
            self._feed.leave(self._tail)
            self._tail = None

    async def _wait(self) -> Page:
        if self._tail is None:
            self._tail = self._feed.join(self._account_id, self.cursor)
        tail = self._tail
        while not self._feed.is_closing:
            if not tail.cursor.is_after(self.cursor):
                await tail.wait()
            page = await self._read(tail)
            if page.items or page.is_more:
                return page
        return Page(items=[], cursor=self.cursor)

    async def _read(self, tail: Tail | None) -> Page:
        """What is there now, from memory where it is kept."""
        items = None if tail is None or self._is_stale() else tail.since(self.cursor)
        if items is None:
            return await self._read_log(tail)
        sight = await self._look() if any(self._wants(item.name) for item in items) else Sight()
        if sight.share.is_of_participants:
            async with self._feed.database.reading() as db:
                sight = await with_participations(db, self._account_id, sight, items)
        taken, is_cut = self._take(items, sight)
        return Page(items=taken, cursor=self.cursor, is_more=is_cut)

    async def _read_log(self, tail: Tail | None) -> Page:
        sight = await self._look()
        is_filtered = self._names is not None or not sight.sees_everything
        at_once = max(self._limit, FILTERED_AT_ONCE) if is_filtered else self._limit
        # Both are from before the log is read: whatever is not found there did not happen up to them.
        settled = None if tail is None else tail.kept_after
        taken: list[Item] = []
        is_more = True
        for _ in range(MOST_ROUNDS):
            async with self._feed.database.reading() as db:
                settled = await present(db) if self._is_stale() else settled
                news = await list_news(db, self._account_id, self.cursor, limit=at_once)
                sight = await with_participations(db, self._account_id, sight, news.records)
            taken, is_cut = self._take(news.records, sight)
            is_more = is_cut or news.is_more
            if taken or not is_more:
                break
        if not is_more and settled is not None and not self.cursor.is_after(settled):
            self.cursor = settled
        return Page(items=taken, cursor=self.cursor, is_more=is_more)

    def _take(self, found: Iterable[Record | Item], sight: Sight) -> tuple[list[Item], bool]:
        """Move on past these; those the caller is told of, and whether there were too many for one page."""
        taken: list[Item] = []
        for each in found:
            if len(taken) == self._limit:
                return taken, True
            self.cursor = each.cursor
            if self._wants(each.name) and sight.shows(each.name, each.inbox_id):
                item = each if isinstance(each, Item) else self._feed.render(each)
                if sight.shares(item):
                    taken.append(item)
        return taken, False

    def _wants(self, name: str) -> bool:
        return self._names is None or name in self._names

    def _is_stale(self) -> bool:
        return self.cursor.at < clock.now() - STALE
