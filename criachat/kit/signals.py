"""The signal bus: news that nobody keeps. Wake-ups after a commit, who is typing, who is there.

A signal may get lost when PostgreSQL restarts; whoever must miss nothing reads its tables on each wake-up, and once
more on each resync.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias

import asyncpg
import msgspec
import structlog

from criachat.kit import tokens

Callback: TypeAlias = Callable[[bytes], None]
Connect: TypeAlias = "Callable[[], Awaitable[asyncpg.Connection[Any]]]"

log = structlog.get_logger()

LONGEST_MESSAGE: Final = 5_000
MOST_PARTS: Final = 200


class MessageTooLong(ValueError):
    """A signal carries at most 5,000 bytes; send an id and let the listener read the rest"""


class Signals:
    """The bus within one process; its subclass spans processes.

    Callbacks are called on the event loop, in order, and must not block: they set an event or fill a queue.
    """

    def __init__(self) -> None:
        self._callbacks: defaultdict[str, list[Callback]] = defaultdict(list)
        self._resyncs: list[Callable[[], None]] = []
        self._woken: dict[str, set[str]] = {}

    def subscribe(self, topic: str, callback: Callback) -> None:
        """Have this called with every message of the topic, from whichever process."""
        self._callbacks[topic].append(callback)

    def unsubscribe(self, topic: str, callback: Callback) -> None:
        """Stop calling it."""
        self._callbacks[topic].remove(callback)
        if not self._callbacks[topic]:
            del self._callbacks[topic]

    def on_resync(self, callback: Callable[[], None]) -> None:
        """Have this called when signals of other processes may have been missed."""
        self._resyncs.append(callback)

    async def publish(self, topic: str, message: bytes) -> None:
        """Send a message to all subscribers in all processes; those of this process have had it on return."""
        if len(topic.encode()) + len(message) > LONGEST_MESSAGE:
            raise MessageTooLong
        self._deliver(topic, message)

    def wake(self, topic: str, part: str = "") -> None:
        """Tell the topic's subscribers that there is news: cheap, to be called after every commit.

        A burst is delivered as one message. It names the parts there is news of, separated by blanks, and is empty
        when they are unknown or too many to name.
        """
        if not self._woken:
            asyncio.get_running_loop().call_soon(self._deliver_wakes)
        self._woken.setdefault(topic, set()).add(part)

    async def open(self) -> None:
        """Begin to exchange signals with other processes."""

    async def close(self) -> None:
        """Send what is still to be sent, then stop."""

    def _deliver_wakes(self) -> None:
        woken, self._woken = self._woken, {}
        for topic, parts in woken.items():
            self._deliver(topic, _message_of(parts))

    def _deliver(self, topic: str, message: bytes) -> None:
        for callback in tuple(self._callbacks.get(topic, ())):
            try:
                callback(message)
            except Exception:  # one listener must not silence the others
                log.exception("signal_callback_failed", topic=topic)

    def _resync(self) -> None:
        for callback in tuple(self._resyncs):
            callback()


def _message_of(parts: set[str]) -> bytes:
    return b"" if "" in parts or len(parts) > MOST_PARTS else " ".join(sorted(parts)).encode()


class Packet(msgspec.Struct, array_like=True):
    """What one `NOTIFY` carries: the process that sent it and its signals."""

    sender: str
    signals: list[tuple[str, bytes]]


CHANNEL: Final = "criachat"
NOTIFY: Final = "SELECT pg_notify($1, packet) FROM unnest($2::text[]) AS packet"
# PostgreSQL refuses payloads of 8,000 bytes; base64 makes 4 bytes of 3, and the rest is commas and quotes.
LONGEST_PACKET: Final = 7_900
MOST_WAITING: Final = 10_000
GAP_SECONDS: Final = 0.002
CHECK_SECONDS: Final = 10
TIMEOUT_SECONDS: Final = 5
FIRST_RETRY_SECONDS: Final = 0.1
LAST_RETRY_SECONDS: Final = 5

_decode_packet = msgspec.json.Decoder(Packet).decode
_encode = msgspec.json.Encoder().encode


class PostgresSignals(Signals):
    """The bus between processes that share a database: `LISTEN` on one connection, `NOTIFY` on another.

    `NOTIFY` never stands in a transaction that writes: commits that notify queue behind one lock of the whole server.
    At most one is under way; what comes meanwhile goes with the next.
    """

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connect = connect
        self._sender = tokens.random_token(12)
        self._to_wake: dict[str, set[str]] = {}
        self._to_send: deque[tuple[str, bytes]] = deque(maxlen=MOST_WAITING)
        self._has_something_to_send = asyncio.Event()
        self._is_listening = asyncio.Event()
        self._is_closing = False
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        self._tasks = [asyncio.create_task(self._keep_listening()), asyncio.create_task(self._keep_sending())]
        await self._is_listening.wait()

    async def close(self) -> None:
        self._is_closing = True
        self._has_something_to_send.set()
        if self._tasks:
            listening, sending = self._tasks
            await asyncio.wait([sending], timeout=TIMEOUT_SECONDS)
            listening.cancel()
            sending.cancel()
            await asyncio.gather(listening, sending, return_exceptions=True)

    async def publish(self, topic: str, message: bytes) -> None:
        await super().publish(topic, message)
        self._to_send.append((topic, message))
        self._has_something_to_send.set()

    def wake(self, topic: str, part: str = "") -> None:
        super().wake(topic, part)
        self._to_wake.setdefault(topic, set()).add(part)
        self._has_something_to_send.set()

    async def _keep_sending(self) -> None:
        retry_seconds = FIRST_RETRY_SECONDS
        while not self._is_closing:
            try:
                connection = await self._connect()
                try:
                    retry_seconds = FIRST_RETRY_SECONDS
                    await self._send_on(connection)
                finally:
                    connection.terminate()
            except Exception as failure:  # noqa: BLE001 - a cut connection fails in many ways; none may end the loop
                log.warning("signals_not_sent", failure=type(failure).__name__)
                retry_seconds = await _pause(retry_seconds)

    async def _send_on(self, connection: asyncpg.Connection[Any]) -> None:
        while True:
            await self._has_something_to_send.wait()
            self._has_something_to_send.clear()
            woken, self._to_wake = self._to_wake, {}
            messages = list(self._to_send)
            self._to_send.clear()
            if woken or messages:
                wakes = [(topic, _message_of(parts)) for topic, parts in woken.items()]
                try:
                    await connection.execute(
                        NOTIFY, CHANNEL, _packets(self._sender, [*wakes, *messages]), timeout=TIMEOUT_SECONDS
                    )
                except BaseException:
                    self._take_back(woken, messages)
                    raise
            if self._is_closing:
                return
            await asyncio.sleep(GAP_SECONDS)

    def _take_back(self, woken: dict[str, set[str]], messages: list[tuple[str, bytes]]) -> None:
        for topic, parts in woken.items():
            self._to_wake.setdefault(topic, set()).update(parts)
        self._to_send.extendleft(reversed(messages[: MOST_WAITING - len(self._to_send)]))
        self._has_something_to_send.set()

    async def _keep_listening(self) -> None:
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                connection = await self._connect()
                try:
                    await self._listen_on(connection)
                finally:
                    connection.terminate()
            except Exception as failure:  # noqa: BLE001 - the same
                log.warning("signals_not_heard", failure=type(failure).__name__)
            if self._is_listening.is_set():
                retry_seconds = FIRST_RETRY_SECONDS
                self._is_listening.clear()
            retry_seconds = await _pause(retry_seconds)

    async def _listen_on(self, connection: asyncpg.Connection[Any]) -> None:
        is_lost = asyncio.Event()
        connection.add_termination_listener(lambda _: is_lost.set())
        await connection.add_listener(CHANNEL, self._receive)
        self._is_listening.set()
        self._resync()
        while not is_lost.is_set():
            # A line that went dead without a word is found by asking.
            try:
                await asyncio.wait_for(is_lost.wait(), CHECK_SECONDS)
            except TimeoutError:
                await connection.fetchval("SELECT 1", timeout=TIMEOUT_SECONDS)

    def _receive(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        try:
            packet = _decode_packet(str(payload))
        except msgspec.DecodeError:
            log.warning("signal_not_understood")
            return
        if packet.sender != self._sender:
            for topic, message in packet.signals:
                self._deliver(topic, message)


def _packets(sender: str, signals: Iterable[tuple[str, bytes]]) -> list[str]:
    packets: list[str] = []
    batch: list[tuple[str, bytes]] = []
    size = 0
    for signal in signals:
        length = len(_encode(signal)) + 1
        if batch and size + length > LONGEST_PACKET - len(sender):
            packets.append(_encode(Packet(sender, batch)).decode())
            batch, size = [], 0
        batch.append(signal)
        size += length
    packets.append(_encode(Packet(sender, batch)).decode())
    return packets


async def _pause(seconds: float) -> float:
    """Wait, not at the same moment as every other process; how long to wait the next time."""
    await asyncio.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
    return min(seconds * 2, LAST_RETRY_SECONDS)
