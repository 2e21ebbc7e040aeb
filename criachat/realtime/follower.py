"""Follows the event log for the accounts that have sockets here, and pushes what happens: commit to socket in one hop.

Nothing is polled for accounts nobody listens to. A wake-up names the accounts with news; once a second one question
covers all of them, for wake-ups that got lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog

from criachat.conversations.schemas import Shown
from criachat.kit import clock
from criachat.kit.db import Database, Db
from criachat.kit.events import EVENTS_TOPIC, Cursor, News, Record, catalogue, list_after, list_news, present
from criachat.kit.signals import Signals
from criachat.realtime import queries
from criachat.realtime.payloads import RULES, render
from criachat.realtime.rooms import Pushed, Room, Seat, is_after

log = structlog.get_logger()

SWEEP_SECONDS: Final = 1.0
CHECK_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 0.5
FIRST_LOOK_AGAIN_SECONDS: Final = 0.004
LAST_LOOK_AGAIN_SECONDS: Final = 0.25
BATCH: Final = 200
READERS: Final = 4
ACCOUNTS_AT_ONCE: Final = 200
# After so many frames in a row, others get their turn.
FRAMES_IN_A_ROW: Final = 200
# What one returning client may have repeated; past it, it reads its lists anew.
MOST_REPEATED: Final = 1_000
REPEATED_FOR: Final = timedelta(hours=1)
MOST_KEPT_IN_ALL: Final = 5_000

# After these the members of the account, or what they may see, are others: nothing later is pushed before that is read.
CHANGES_MEMBERS: Final = frozenset(("account_cache_invalidated", "agent_added", "agent_removed"))


class Follower:
    """The rooms of this process, each at its place in the log."""

    def __init__(self, database: Database, signals: Signals, shown: Shown) -> None:
        self.rooms: dict[int, Room] = {}
        self._database = database
        self._signals = signals
        self._shown = shown
        self._opening: dict[int, asyncio.Task[Room]] = {}
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._unread: set[int] = set()
        self._readers = asyncio.Semaphore(READERS)
        self._swept_to: Cursor | None = None
        self._must_sweep = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin to follow."""
        self._signals.subscribe(EVENTS_TOPIC, self._hear)
        self._signals.on_resync(self._must_sweep.set)
        self._tasks = [asyncio.create_task(self._keep_sweeping()), asyncio.create_task(self._keep_checking())]

    async def close(self) -> None:
        """Stop following."""
        self._signals.unsubscribe(EVENTS_TOPIC, self._hear)
        tasks: list[asyncio.Task[Any]] = [*self._tasks, *self._opening.values(), *self._reading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def enter(self, account_id: int) -> Room:
        """The account's room; its place in the log is the present when nobody listened before."""
        room = self.rooms.get(account_id)
        if room is not None:
            return room
        opening = self._opening.get(account_id)
        if opening is None:
            opening = self._opening[account_id] = asyncio.create_task(self._open(account_id))
            opening.add_done_callback(lambda _: self._opening.pop(account_id, None))
        return await asyncio.shield(opening)

    def take(self, room: Room, seat: Seat) -> None:
        """Have this seat hear what comes after the room's place; everybody may have left the room meanwhile."""
        room = self.rooms.setdefault(seat.account_id, room)
        room.take(seat)
        self._read_soon(room)

    def leave(self, seat: Seat) -> None:
        """This seat hears nothing any more; a room without seats is closed."""
        room = self.rooms.get(seat.account_id)
        if room is not None:
            room.leave(seat)
            if room.is_empty:
                del self.rooms[seat.account_id]

    async def check(self, rooms: Sequence[Room]) -> None:
        """Read anew who belongs to these accounts and what they may see, and close the sockets of those who do not."""
        began = clock.monotonic()
        agents = {room.account_id: room.agent_seats() for room in rooms}
        contacts = [seat for room in rooms for seat in room.contact_seats()]
        async with self._database.reading() as db:
            members = await queries.list_members(db, [room.account_id for room in rooms])
            pairs = {(seat.account_id, seat.contact_inbox_id or 0) for seat in contacts}
            visitors = await queries.list_visitors(db, *zip(*pairs, strict=True)) if pairs else []
        for room in rooms:
            room.admit((member for member in members if member.account_id == room.account_id), as_of=began)
            room.recognise(visitor for visitor in visitors if visitor.account_id == room.account_id)
            for seat in agents[room.account_id]:
                if not room.admits(seat):
                    seat.socket.close("remote", reconnect=True)
        known = {(visitor.account_id, visitor.contact_inbox_id) for visitor in visitors}
        for seat in contacts:
            if (seat.account_id, seat.contact_inbox_id) not in known:
                seat.socket.close("remote", reconnect=True)

    async def missed(self, room: Room, cursor: Cursor) -> list[Pushed] | None:
        """What was pushed to the account between this place and the room's; None when that is too much to repeat."""
        if is_after(room.kept_after, cursor):
            async with room.lock:
                if is_after(room.kept_after, cursor) and not await self._keep_earlier(room, cursor):
                    return None
        return room.kept_since(cursor)

    async def _open(self, account_id: int) -> Room:
        async with self._database.reading() as db:
            cursor = await present(db)
            return Room(account_id, cursor, await queries.list_members(db, [account_id]))

    def _hear(self, message: bytes) -> None:
        if not message:
            self._must_sweep.set()
            return
        for part in message.split():
            room = self.rooms.get(int(part))
            if room is not None:
                self._read_soon(room)

    def _read_soon(self, room: Room) -> None:
        self._unread.add(room.account_id)
        if room.account_id not in self._reading:
            self._reading[room.account_id] = asyncio.create_task(self._read(room.account_id))

    async def _read(self, account_id: int) -> None:
        look_again, is_coming = FIRST_LOOK_AGAIN_SECONDS, False
        try:
            while (room := self.rooms.get(account_id)) is not None and (is_coming or account_id in self._unread):
                self._unread.discard(account_id)
                try:
                    news = await self._news(room)
                    await self._push(room, news.records)
                except Exception:  # the database may be away; sockets stay, and get it later
                    log.warning("sockets_cannot_follow", account_id=account_id, exc_info=True)
                    await asyncio.sleep(RETRY_SECONDS)
                    self._unread.add(account_id)
                    continue
                is_coming = news.is_coming
                if news.records:
                    look_again = FIRST_LOOK_AGAIN_SECONDS
                if news.is_more:
                    self._unread.add(account_id)
                elif is_coming:
                    await asyncio.sleep(look_again)
                    look_again = min(look_again * 2, LAST_LOOK_AGAIN_SECONDS)
        finally:
            self._unread.discard(account_id)
            del self._reading[account_id]

    async def _news(self, room: Room) -> News:
        async with self._readers, self._database.reading() as db:
            return await list_news(db, room.account_id, room.cursor, limit=BATCH)

    async def _push(self, room: Room, records: Sequence[Record]) -> None:
        for record in records:
            if record.name in CHANGES_MEMBERS:
                await self.check([room])
            pushed = self._rendered(record)
            room.cursor = record.cursor
            if pushed is not None:
                room.keep(pushed)
                agents, contacts = room.agents_of(pushed.inbox_id), room.contacts_of(pushed)
                await push_all(agents, pushed.for_agents)
                if pushed.for_contact is not None:
                    await push_all(contacts, pushed.for_contact)

    def _rendered(self, record: Record) -> Pushed | None:
        if record.name not in RULES:
            return None
        try:
            event = catalogue.event_of(record)
            return render(event, self._shown, cursor=record.cursor, now=clock.monotonic())
        except Exception:  # one event that cannot be shown must not silence the account
            log.exception("event_not_shown", account_id=record.account_id, event_id=record.id)
            return None

    async def _keep_earlier(self, room: Room, cursor: Cursor) -> bool:
        """Have the room remember what was pushed from this place on; False when that is too much."""
        until, place = room.kept_after, cursor
        if cursor.at < clock.now() - REPEATED_FOR:
            return False
        earlier: list[Pushed] = []
        seen = 0
        while not is_after(place, until):
            async with self._readers, self._database.reading() as db:
                records = await list_after(db, room.account_id, place, limit=BATCH)
            for record in records:
                if is_after(record.cursor, until):
                    break
                pushed = self._rendered(record)
                earlier += [] if pushed is None else [pushed]
            seen += len(records)
            if seen > MOST_REPEATED or room.kept_after != until:
                return False
            if len(records) < BATCH:
                break
            place = records[-1].cursor
        room.keep_earlier(earlier, cursor)
        return True

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._must_sweep.wait()
            except TimeoutError:
                pass
            self._must_sweep.clear()
            await _survive(self._sweep)

    async def _sweep(self) -> None:
        if not self.rooms:
            self._swept_to = None
            return
        async with self._database.reading() as db:
            for account_id in await self._with_news(db):
                room = self.rooms.get(account_id)
                if room is not None:
                    self._read_soon(room)

    async def _with_news(self, db: Db) -> list[int]:
        account_ids, swept_to = list(self.rooms), self._swept_to
        now = await present(db)
        found = account_ids if swept_to is None else await queries.list_accounts_with_news(db, swept_to, account_ids)
        self._swept_to = now
        return found

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await _survive(self._check_all)

    async def _check_all(self) -> None:
        rooms = list(self.rooms.values())
        for at in range(0, len(rooms), ACCOUNTS_AT_ONCE):
            await self.check(rooms[at : at + ACCOUNTS_AT_ONCE])
        kept = sum(room.kept_count for room in rooms)
        most = MOST_KEPT_IN_ALL // max(len(rooms), 1) if kept > MOST_KEPT_IN_ALL else kept
        for room in rooms:
            room.forget_old(most=most)


async def push_all(seats: Sequence[Seat], message: str) -> None:
    """Send one message to many, with pauses for others."""
    for number, seat in enumerate(seats, 1):
        seat.push(message)
        if number % FRAMES_IN_A_ROW == 0:
            await asyncio.sleep(0)


async def _survive(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception:  # the database may be away; the next round makes up for it
        log.warning("sockets_not_checked", exc_info=True)
