"""`/cable`: the websocket endpoint of agents, contacts and their apps, as a raw ASGI application."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from criachat.conversations import access as conversations
from criachat.conversations.typing import TYPING_TOPIC, Typing, read_typing
from criachat.kit.cursors import BadCursor, read_cursor
from criachat.kit.db import Database
from criachat.kit.errors import Unavailable
from criachat.kit.events import Cursor
from criachat.kit.files import Files
from criachat.kit.http.request import Receive, Scope, Send
from criachat.kit.news import NewsReader
from criachat.kit.signals import Signals
from criachat.realtime import queries
from criachat.realtime.heartbeat import Heartbeat
from criachat.realtime.payloads import message_text, presence_payload, typing_for_contact, typing_payload
from criachat.realtime.protocol import (
    WELCOME,
    Command,
    Identifier,
    choose_subprotocol,
    confirmation,
    read_action,
    read_command,
    read_id,
    read_identifier,
    rejection,
)
from criachat.realtime.room import Pushed, Room, Seat
from criachat.realtime.rooms import Rooms, push_all
from criachat.realtime.sockets import (
    FRAME_COSTS,
    POLICY_VIOLATION,
    SUBSCRIPTION_COSTS,
    TOO_BIG,
    Socket,
)
from criachat.users.presence import Presence, availability
from criachat.users.shown import Shown

log = structlog.get_logger()

LONGEST_FRAME: Final = 1024 * 1024
MOST_SEATS: Final = 20
MOST_TYPING_WAITING: Final = 1_000
GOODBYE_SECONDS: Final = 5


class Cable:
    """All websockets of this process. Call `open` before the first and `close` before the server stops."""

    def __init__(
        self, database: Database, news: NewsReader, *, presence: Presence, signals: Signals, files: Files
    ) -> None:
        self._database = database
        self._presence = presence
        self._signals = signals
        self._shown = Shown(presence, files)
        self._rooms = Rooms(database, news, self._shown)
        self._heartbeat = Heartbeat()
        self._sockets: set[Socket] = set()
        self._typing: asyncio.Queue[Typing] = asyncio.Queue(MOST_TYPING_WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closing = False

    @property
    def socket_count(self) -> int:
        """How many clients are connected to this process."""
        return len(self._sockets)

    async def open(self) -> None:
        """Begin to give signs of life, and to show who types."""
        self._signals.subscribe(TYPING_TOPIC, self._hear_typing)
        self._rooms.open()
        self._tasks = [asyncio.create_task(self._heartbeat.run()), asyncio.create_task(self._keep_showing_typing())]

    async def close(self) -> None:
        """Tell every client to come back in a moment, then hang up. New ones are sent away likewise."""
        self._is_closing = True
        for number, socket in enumerate(list(self._sockets), 1):
            socket.close("server_restart", reconnect=True)
            if number % 200 == 0:
                await asyncio.sleep(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await asyncio.gather(*(socket.farewell() for socket in list(self._sockets)))
        if self._tasks:
            self._signals.unsubscribe(TYPING_TOPIC, self._hear_typing)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rooms.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until it goes; callers without an upgrade find nothing here."""
        if scope["type"] != "websocket":
            await _not_found(send)
            return
        await receive()
        await send({"type": "websocket.accept", "subprotocol": choose_subprotocol(scope.get("subprotocols", ()))})
        socket = Socket(send)
        self._sockets.add(socket)
        try:
            socket.push(WELCOME)
            if self._is_closing:
                socket.close("server_restart", reconnect=True)
            self._heartbeat.add(socket)
            await self._listen(socket, receive)
        finally:
            socket.forget()
            self._sockets.discard(socket)
            self._heartbeat.remove(socket)
            for seat in socket.seats.values():
                self._rooms.leave(seat)
            socket.seats.clear()

    async def _listen(self, socket: Socket, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            if socket.is_closing:
                continue
            text = message.get("text") or ""
            if len(text) > LONGEST_FRAME:
                socket.close("invalid_request", reconnect=False, code=TOO_BIG)
            elif not socket.may(FRAME_COSTS):
                log.info("socket_floods", seats=len(socket.seats))
                socket.close("invalid_request", reconnect=False, code=POLICY_VIOLATION)
            else:
                await self._obey(socket, read_command(text))

    async def _obey(self, socket: Socket, command: Command | None) -> None:
        """Do what the client wants; what makes no sense is ignored."""
        match command:
            case Command("subscribe", identifier):
                try:
                    await self._subscribe(socket, identifier)
                except Unavailable:
                    socket.close("server_restart", reconnect=True)
            case Command("unsubscribe", identifier):
                seat = socket.seats.pop(identifier, None)
                if seat is not None:
                    self._rooms.leave(seat)
            case Command("message", identifier, data):
                seat = socket.seats.get(identifier)
                room = None if seat is None else self._rooms.find(seat.account_id)
                if seat is not None and room is not None and read_action(data) == "update_presence":
                    self._update_presence(room, seat)
            case _:
                pass

    async def _subscribe(self, socket: Socket, text: str) -> None:
        if text in socket.seats:
            return
        if not socket.may(SUBSCRIPTION_COSTS):
            socket.close("invalid_request", reconnect=False, code=POLICY_VIOLATION)
            return
        identifier = read_identifier(text) if len(socket.seats) < MOST_SEATS else None
        if identifier is None or not await self._seat(socket, text, identifier):
            socket.push(rejection(text))

    async def _seat(self, socket: Socket, text: str, identifier: Identifier) -> bool:
        """Give this subscription its seat; False when nobody may have it."""
        token = identifier.pubsub_token
        if identifier.is_agent:
            account_id, user_id = read_id(identifier.account_id), read_id(identifier.user_id)
            if account_id is None or user_id is None:
                return False
            seat = Seat(socket, text, account_id=account_id, token=token, user_id=user_id)
        else:
            async with self._database.reading() as db:
                visitor = await queries.find_visitor(db, token)
            if visitor is None:
                return False
            seat = Seat(socket, text, account_id=visitor.account_id, token=token, visitor=visitor)
        async with self._rooms.entered(seat.account_id) as room:
            if identifier.is_agent and not await self._rooms.admits(room, seat):
                return False
            await self._take(room, seat, after=identifier.after)
            return True

    async def _take(self, room: Room, seat: Seat, *, after: str | None) -> None:
        cursor = _cursor_of(after)
        missed = None if cursor is None else await self._rooms.missed(room, cursor)
        # From here on nothing waits: the room's place must not move between what is repeated and what is heard.
        if not seat.socket.is_closing:
            seat.socket.push(confirmation(seat.identifier))
            seat.socket.seats[seat.identifier] = seat
            self._repeat(room, seat, missed, is_asked=after is not None)
            room.take(seat)
            self._update_presence(room, seat)

    def _repeat(self, room: Room, seat: Seat, missed: list[Pushed] | None, *, is_asked: bool) -> None:
        told = [message for pushed in missed or () if (message := room.hears(seat, pushed)) is not None]
        if missed is not None and seat.socket.has_room_for(told):
            for message in told:
                seat.push(message)
        elif is_asked:
            seat.push(message_text("resync", {"account_id": seat.account_id}))

    def _update_presence(self, room: Room, seat: Seat) -> None:
        """Note the sign of life, and tell the caller (on all their devices here) who else is there."""
        if seat.user_id is not None:
            self._presence.touch_user(seat.account_id, seat.user_id)
            message = self._presence_message(room, tells_contacts=True)
            for own in room.seats_of(seat.user_id):
                own.push(message)
        elif seat.contact_id is not None:
            self._presence.touch_contact(seat.account_id, seat.contact_id)
            seat.push(self._presence_message(room, tells_contacts=False))

    def _presence_message(self, room: Room, *, tells_contacts: bool) -> str:
        present = set(self._presence.present_users(room.account_id))
        users = {
            member.user_id: availability(
                member.availability, auto_offline=member.auto_offline, is_present=member.user_id in present
            )
            for member in room.members.values()
            if member.user_id in present or not member.auto_offline
        }
        contacts = dict.fromkeys(self._presence.present_contacts(room.account_id), "online") if tells_contacts else None
        return message_text("presence.update", presence_payload(room.account_id, users, contacts))

    def _hear_typing(self, message: bytes) -> None:
        try:
            typing = read_typing(message)
        except msgspec.DecodeError:
            log.warning("typing_not_understood")
            return
        if self._rooms.find(typing.account_id) is not None:
            with suppress(asyncio.QueueFull):
                self._typing.put_nowait(typing)

    async def _keep_showing_typing(self) -> None:
        while True:
            typing = await self._typing.get()
            try:
                await self._show_typing(typing)
            except Exception:  # nobody misses a typing mark, everybody the ones after it
                log.warning("typing_not_shown", account_id=typing.account_id, exc_info=True)

    async def _show_typing(self, typing: Typing) -> None:
        async with self._database.reading() as db:
            found = await conversations.find_conversation_by_id(db, typing.account_id, typing.conversation_id)
        room = self._rooms.find(typing.account_id)
        if found is None or room is None:
            return
        snapshot = found.snapshot()
        name = "conversation.typing_on" if typing.is_on else "conversation.typing_off"
        payload = typing_payload(typing, snapshot, self._shown)
        participants = await self._rooms.participants_of(room, [found.id])
        agents = room.shown(room.agents_of(found.inbox_id), (found.assignee_id,), participants.get(found.id, ()))
        seats = [seat for seat in agents if seat.user_id != typing.user_id]
        await push_all(seats, message_text(name, payload))
        if typing.typist is not None and not typing.is_private:
            contacts = room.seats_of_contact_inbox(found.contact_inbox_id)
            await push_all(contacts, message_text(name, typing_for_contact(payload, snapshot)))


def _cursor_of(after: str | None) -> Cursor | None:
    if after is None:
        return None
    try:
        return read_cursor(after)
    except BadCursor:
        return None


async def _not_found(send: Send) -> None:
    body = b"Page not found"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
