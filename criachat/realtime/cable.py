"""`/cable`: the websocket endpoint of agents, contacts and their apps, as a raw ASGI application."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from criachat.conversations import access as conversations
from criachat.conversations.schemas import Shown
from criachat.conversations.typing import TYPING_TOPIC, Typing, read_typing
from criachat.kit.cursors import BadCursor, read_cursor
from criachat.kit.db import Database
from criachat.kit.errors import Unavailable
from criachat.kit.events import Cursor
from criachat.kit.files import Files
from criachat.kit.http.request import Receive, Scope, Send
from criachat.kit.signals import Signals
from criachat.realtime import queries
from criachat.realtime.follower import Follower, push_all
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
from criachat.realtime.rooms import Pushed, Room, Seat
from criachat.realtime.sockets import (
    FRAME_COSTS,
    POLICY_VIOLATION,
    SUBSCRIPTION_COSTS,
    TOO_BIG,
    Socket,
)
from criachat.users.presence import Presence, availability

log = structlog.get_logger()

LONGEST_FRAME: Final = 1024 * 1024
MOST_SEATS: Final = 20
MOST_TYPING_WAITING: Final = 1_000
GOODBYE_SECONDS: Final = 5


class Cable:
    """All websockets of this process. Call `open` before the first and `close` before the server stops."""

    def __init__(self, database: Database, *, presence: Presence, signals: Signals, files: Files) -> None:
        self._database = database
        self._presence = presence
        self._signals = signals
        self._shown = Shown(presence, files)
        self._follower = Follower(database, signals, self._shown)
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
        """Begin to follow the log and to give signs of life."""
        self._signals.subscribe(TYPING_TOPIC, self._hear_typing)
        self._follower.open()
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
        self._signals.unsubscribe(TYPING_TOPIC, self._hear_typing)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._follower.close()

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
                self._follower.leave(seat)
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
                    self._follower.leave(seat)
            case Command("message", identifier, data):
                seat = socket.seats.get(identifier)
                if seat is not None and read_action(data) == "update_presence":
                    self._update_presence(seat)
            case _:
                pass

    async def _subscribe(self, socket: Socket, text: str) -> None:
        if text in socket.seats:
            return
        if not socket.may(SUBSCRIPTION_COSTS):
            socket.close("invalid_request", reconnect=False, code=POLICY_VIOLATION)
            return
        identifier = read_identifier(text)
        found = None
        if identifier is not None and len(socket.seats) < MOST_SEATS:
            found = await (self._agent(socket, text, identifier) if identifier.is_agent
                           else self._contact(socket, text, identifier))  # fmt: skip
        if identifier is None or found is None:
            socket.push(rejection(text))
            return
        room, seat = found
        cursor = _cursor_of(identifier)
        missed = None if cursor is None else await self._follower.missed(room, cursor)
        # From here on nothing waits: the room's place must not move between what is repeated and what is heard.
        if not socket.is_closing:
            socket.push(confirmation(text))
            socket.seats[text] = seat
            self._repeat(room, seat, missed, is_asked=identifier.after is not None)
            self._follower.take(room, seat)
            self._update_presence(seat)

    async def _agent(self, socket: Socket, text: str, identifier: Identifier) -> tuple[Room, Seat] | None:
        account_id, user_id = read_id(identifier.account_id), read_id(identifier.user_id)
        if account_id is None or user_id is None:
            return None
        room = await self._follower.enter(account_id)
        seat = Seat(socket, text, account_id=account_id, token=identifier.pubsub_token, user_id=user_id)
        if not room.admits(seat):
            await self._follower.check([room])
        return (room, seat) if room.admits(seat) else None

    async def _contact(self, socket: Socket, text: str, identifier: Identifier) -> tuple[Room, Seat] | None:
        async with self._database.reading() as db:
            visitor = await queries.find_visitor(db, identifier.pubsub_token)
        if visitor is None:
            return None
        room = await self._follower.enter(visitor.account_id)
        token = identifier.pubsub_token
        return room, Seat(socket, text, account_id=visitor.account_id, token=token, visitor=visitor)

    def _repeat(self, room: Room, seat: Seat, missed: list[Pushed] | None, *, is_asked: bool) -> None:
        if missed is not None:
            for pushed in missed:
                message = room.hears(seat, pushed)
                if message is not None:
                    seat.push(message)
        elif is_asked:
            seat.push(message_text("resync", {"account_id": seat.account_id}))

    def _update_presence(self, seat: Seat) -> None:
        """Note the sign of life, and tell the caller (on all their devices here) who else is there."""
        room = self._follower.rooms[seat.account_id]
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
        if not self._follower.rooms:
            return
        try:
            typing = read_typing(message)
        except msgspec.DecodeError:
            log.warning("typing_not_understood")
            return
        if typing.account_id in self._follower.rooms:
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
        room = self._follower.rooms.get(typing.account_id)
        if found is None or room is None:
            return
        snapshot = found.snapshot()
        name = "conversation.typing_on" if typing.is_on else "conversation.typing_off"
        payload = typing_payload(typing, snapshot, self._shown)
        seats = [seat for seat in room.agents_of(found.inbox_id) if seat.user_id != typing.user_id]
        await push_all(seats, message_text(name, payload))
        if typing.typist is not None and not typing.is_private:
            contacts = room.seats_of_contact_inbox(found.contact_inbox_id)
            await push_all(contacts, message_text(name, typing_for_contact(payload, snapshot)))


def _cursor_of(identifier: Identifier) -> Cursor | None:
    if identifier.after is None:
        return None
    try:
        return read_cursor(identifier.after)
    except BadCursor:
        return None


async def _not_found(send: Send) -> None:
    body = b"Page not found"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
