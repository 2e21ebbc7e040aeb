"""The rooms of this process: who listens in which account, and what they are told as it happens."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import structlog
from msgspec.structs import replace

from criachat.kit import clock
from criachat.kit.db import Database
from criachat.kit.events import Cursor, Record, catalogue, list_after, present
from criachat.kit.news import NewsReader
from criachat.realtime import queries
from criachat.realtime.payloads import is_pushed, render
from criachat.realtime.room import Pushed, Room, Seat
from criachat.users.shown import Shown

log = structlog.get_logger()

CHECK_SECONDS: Final = 2.0
BATCH: Final = 200
# How many rooms read what was earlier at the same time.
READERS: Final = 4
ACCOUNTS_AT_ONCE: Final = 200
# After so many frames in a row, others get their turn.
FRAMES_IN_A_ROW: Final = 200
# What one returning client may have repeated; past it, it reads its lists anew.
MOST_REPEATED: Final = 1_000
REPEATED_FOR: Final = timedelta(hours=1)
MOST_KEPT_IN_ALL: Final = 5_000

# After these the members of the account, or what they may see, are others: nothing later is pushed before that is read.
# Roles are changed among everything else that administrators change.
CHANGES_MEMBERS: Final = frozenset(
    ("account_cache_invalidated", "administration_changed", "agent_added", "agent_updated", "agent_removed")
)

Participants = Mapping[int, set[int]]
"""Who takes part in conversations, by the database's id."""


class Rooms:
    """The rooms of this process, each at its place in the log. One is open while somebody is in it or enters it."""

    def __init__(self, database: Database, news: NewsReader, shown: Shown) -> None:
        self._database = database
        self._news = news
        self._shown = shown
        self._rooms: dict[int, Room] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._readers = asyncio.Semaphore(READERS)
        self._checking: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to look now and then whether those who listen still may."""
        self._checking = asyncio.create_task(self._keep_checking())

    async def close(self) -> None:
        """Close every room."""
        for room in self._rooms.values():
            self._news.leave(room)
        self._rooms.clear()
        tasks: list[asyncio.Task[Any]] = list(self._opening.values())
        if self._checking is not None:
            tasks.append(self._checking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def find(self, account_id: int) -> Room | None:
        """The account's room, if it is open."""
        return self._rooms.get(account_id)

    @asynccontextmanager
    async def entered(self, account_id: int) -> AsyncGenerator[Room]:
        """The account's room, kept open meanwhile. Nobody was in it: then its place in the log is the present."""
        while (room := self._rooms.get(account_id)) is None:
            opening = self._opening.get(account_id)
            if opening is None:
                opening = self._opening[account_id] = asyncio.create_task(self._open(account_id))
                opening.add_done_callback(lambda _: self._opening.pop(account_id, None))
            await asyncio.shield(opening)
        room.entering += 1
        try:
            yield room
        finally:
            room.entering -= 1
            self._close_if_empty(room)

    async def admits(self, room: Room, seat: Seat) -> bool:
        """Whether this agent belongs to the account; who is new is looked up."""
        if not room.admits(seat):
            await self.check([room])
        return room.admits(seat)

    def leave(self, seat: Seat) -> None:
        """This seat hears nothing any more."""
        room = self._rooms.get(seat.account_id)
        if room is not None:
            room.leave(seat)
            self._close_if_empty(room)

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
        """What was pushed to the account between this place and the room's; None when it cannot be repeated.

        It may be too much, or of a log that was lost since.
        """
        if cursor.epoch != room.cursor.epoch:
            return None
        if room.kept_after.is_after(cursor):
            async with room.lock:
                if room.kept_after.is_after(cursor) and not await self._keep_earlier(room, cursor):
                    return None
        return room.kept_since(cursor)

    async def _open(self, account_id: int) -> None:
        async with self._database.reading() as db:
            cursor = await present(db)
            members = await queries.list_members(db, [account_id])
        self._rooms[account_id] = room = Room(account_id, cursor, members, self._push)
        self._news.follow(room)

    def _close_if_empty(self, room: Room) -> None:
        if room.is_empty and self._rooms.get(room.account_id) is room:
            del self._rooms[room.account_id]
            self._news.leave(room)

    async def _push(self, room: Room, records: Sequence[Record]) -> None:
        if any(record.name in CHANGES_MEMBERS for record in records):
            await self.check([room])
        participants = await self._participants(room, records)
        for record in records:
            pushed = self._rendered(record, participants)
            room.cursor = record.cursor
            if pushed is not None:
                room.keep(pushed)
                for seats, message in room.told(pushed):
                    await push_all(seats, message)

    async def _participants(self, room: Room, records: Sequence[Record]) -> Participants:
        """Who takes part in the conversations of these, where somebody's role shows them by that."""
        pushed = {record.conversation_id for record in records if is_pushed(record.name)}
        return await self.participants_of(room, [number for number in pushed if number is not None])

    async def participants_of(self, room: Room, conversation_ids: Sequence[int]) -> Participants:
        """Who takes part in these conversations; it is only asked where somebody's role shows them by that."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        if conversation_ids and room.asks_who_takes_part:
            async with self._database.reading() as db:
                for each in await queries.list_participations(db, room.account_id, conversation_ids):
                    found[each.conversation_id].add(each.user_id)
        return found

    def _rendered(self, record: Record, participants: Participants) -> Pushed | None:
        if not is_pushed(record.name):
            return None
        try:
            event = catalogue.event_of(record)
            pushed = render(event, self._shown, cursor=record.cursor, now=clock.monotonic())
            taking_part = participants.get(record.conversation_id or 0)
            return replace(pushed, participant_ids=taking_part) if pushed is not None and taking_part else pushed
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
        while not place.is_after(until):
            async with self._readers, self._database.reading() as db:
                records = await list_after(db, room.account_id, place, limit=BATCH)
            participants = await self._participants(room, records)
            for record in records:
                if record.cursor.is_after(until):
                    break
                pushed = self._rendered(record, participants)
                earlier += [] if pushed is None else [pushed]
            seen += len(records)
            if seen > MOST_REPEATED or room.kept_after != until:
                return False
            if len(records) < BATCH:
                break
            place = records[-1].cursor
        room.keep_earlier(earlier, cursor)
        return True

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self._check_all()
            except Exception:  # the database may be away; the next round makes up for it
                log.warning("sockets_not_checked", exc_info=True)

    async def _check_all(self) -> None:
        rooms = list(self._rooms.values())
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
