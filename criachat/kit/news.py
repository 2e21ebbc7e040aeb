"""Reads the log for those in this process who follow an account: from commit to follower in one hop.

Nothing is read for accounts nobody follows, and nothing runs while nobody follows any. A wake-up names the accounts
with news; once a second one question covers all of them, for wake-ups that got lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

import structlog

from criachat.kit.db import Database, Db
from criachat.kit.events import EVENTS_TOPIC, Cursor, News, Record, list_news, present
from criachat.kit.signals import Signals

log = structlog.get_logger()

SWEEP_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 0.5
FIRST_LOOK_AGAIN_SECONDS: Final = 0.004
LAST_LOOK_AGAIN_SECONDS: Final = 0.25
BATCH: Final = 200
READERS: Final = 4

# One question for all accounts that are followed here, instead of one for each of them.
LIST_ACCOUNTS_WITH_NEWS = """
SELECT DISTINCT account_id
FROM events
WHERE (epoch + 0, xid, id) > ($1, $2::xid8, $3)
  AND created_at >= $4::timestamptz - interval '1 day'
  AND account_id = ANY($5)
"""


class Follower(Protocol):
    """Somebody who hears what happens in one account, from a place in its log on."""

    account_id: int
    cursor: Cursor

    async def hear(self, records: Sequence[Record]) -> None:
        """Take these, and move the cursor past each that was taken."""
        ...


class NewsReader:
    """Everybody in this process who follows an account, each at a place of their own in its log."""

    def __init__(self, database: Database, signals: Signals) -> None:
        self._database = database
        self._followers: dict[int, set[Follower]] = {}
        self._reading: dict[Follower, asyncio.Task[None]] = {}
        self._unread: set[Follower] = set()
        self._readers = asyncio.Semaphore(READERS)
        self._swept_to: Cursor | None = None
        self._must_sweep = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None
        signals.subscribe(EVENTS_TOPIC, self._hear)
        signals.on_resync(self._must_sweep.set)

    def follow(self, follower: Follower) -> None:
        """Have them hear what comes after their cursor, until they leave. To follow twice is to follow once."""
        self._followers.setdefault(follower.account_id, set()).add(follower)
        self._read_soon(follower)
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._keep_sweeping())

    def leave(self, follower: Follower) -> None:
        """They hear nothing any more."""
        followers = self._followers.get(follower.account_id, set())
        followers.discard(follower)
        if not followers:
            self._followers.pop(follower.account_id, None)

    async def close(self) -> None:
        """Nobody hears anything any more."""
        self._followers.clear()
        tasks: list[asyncio.Task[Any]] = list(self._reading.values())
        if self._sweeping is not None:
            tasks.append(self._sweeping)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, message: bytes) -> None:
        if not message:
            self._must_sweep.set()
        for part in message.split():
            for follower in self._followers.get(int(part), ()):
                self._read_soon(follower)

    def _follows(self, follower: Follower) -> bool:
        return follower in self._followers.get(follower.account_id, ())

    def _read_soon(self, follower: Follower) -> None:
        self._unread.add(follower)
        if follower not in self._reading:
            self._reading[follower] = asyncio.create_task(self._read(follower))

    async def _read(self, follower: Follower) -> None:
        look_again, is_coming = FIRST_LOOK_AGAIN_SECONDS, False
        try:
            while self._follows(follower) and (is_coming or follower in self._unread):
                self._unread.discard(follower)
                try:
                    news = await self._news(follower)
                    await follower.hear(news.records)
                except Exception:  # the database may be away; the follower stays, and gets it later
                    log.warning("log_not_followed", account_id=follower.account_id, exc_info=True)
                    await asyncio.sleep(RETRY_SECONDS)
                    self._unread.add(follower)
                    continue
                is_coming = news.is_coming
                if news.records:
                    look_again = FIRST_LOOK_AGAIN_SECONDS
                if news.is_more:
                    self._unread.add(follower)
                elif is_coming:
                    await asyncio.sleep(look_again)
                    look_again = min(look_again * 2, LAST_LOOK_AGAIN_SECONDS)
        finally:
            self._unread.discard(follower)
            del self._reading[follower]

    async def _news(self, follower: Follower) -> News:
        async with self._readers, self._database.reading() as db:
            return await list_news(db, follower.account_id, follower.cursor, limit=BATCH)

    async def _keep_sweeping(self) -> None:
        try:
            while self._followers:
                try:
                    async with asyncio.timeout(SWEEP_SECONDS):
                        await self._must_sweep.wait()
                except TimeoutError:
                    pass
                self._must_sweep.clear()
                await self._sweep()
        finally:
            self._sweeping, self._swept_to = None, None

    async def _sweep(self) -> None:
        try:
            async with self._database.reading() as db:
                account_ids = await self._with_news(db)
        except Exception:  # the database may be away; the next round makes up for it
            log.warning("log_not_swept", exc_info=True)
            return
        for account_id in account_ids:
            for follower in self._followers.get(account_id, ()):
                self._read_soon(follower)

    async def _with_news(self, db: Db) -> list[int]:
        """Those of the accounts that have events past what the last round saw, settled or not."""
        account_ids, swept_to = list(self._followers), self._swept_to
        now = await present(db)
        found = account_ids
        if swept_to is not None:
            place = (swept_to.epoch, swept_to.xid, swept_to.id, swept_to.at)
            found = await db.fetch_values(LIST_ACCOUNTS_WITH_NEWS, *place, account_ids)
        self._swept_to = now
        return found
