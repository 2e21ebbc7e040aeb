"""Our load client: as little CPU for each request as an event loop allows, because it shares the machine with what it
measures. Requests are bytes made beforehand; of an answer it reads the status and the length.
"""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

CONNECTIONS = 16
DRAIN_SECONDS = 15.0
RECONNECT_SECONDS = 0.05
UNREADABLE = -1
# Event loops count in milliseconds and may wake us so much early.
TIMER_SECONDS = 0.002


class Address(msgspec.Struct, frozen=True):
    """Where a server listens."""

    host: str
    port: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found. Latencies are those of good answers, in seconds; `answered` counts the warm-up as well."""

    seconds: float
    latencies: Sequence[float]
    answered: int
    failures: dict[str, int]
    client_cpu_seconds: float

    @property
    def rate(self) -> float:
        """Good answers in a second."""
        return len(self.latencies) / self.seconds

    @property
    def errors(self) -> int:
        """Requests that were not answered well."""
        return sum(self.failures.values())

    @property
    def client_microseconds(self) -> float:
        """What one request cost this client."""
        return 1e6 * self.client_cpu_seconds / max(1, self.answered + self.errors)

    def milliseconds(self, share: float) -> float:
        """The latency that this share of the answers did not exceed."""
        return 1000 * percentile(self.latencies, share)


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Several runs of one load as one."""
    latencies, failures = array("d"), Counter[str]()
    for outcome in outcomes:
        latencies.extend(outcome.latencies)
        failures.update(outcome.failures)
    return Outcome(
        seconds=sum(outcome.seconds for outcome in outcomes),
        latencies=latencies,
        answered=sum(outcome.answered for outcome in outcomes),
        failures=dict(failures),
        client_cpu_seconds=sum(outcome.client_cpu_seconds for outcome in outcomes),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; nan when there is none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """A whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "host: bench"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Run:
    """What one run counts, and what to do with a connection whose answer came."""

    def __init__(self, requests: Iterator[bytes], *, warm_up: float, seconds: float) -> None:
        self.requests = requests
        self.began = time.monotonic()
        self.counts_from = self.began + warm_up
        self.ends = self.counts_from + seconds
        self.latencies = array("d")
        self.failures: Counter[str] = Counter()
        self.answered = 0
        self.waiting = 0
        self.drained = asyncio.Event()

    def send(self, connection: _Connection, due: float) -> None:
        self.waiting += 1
        connection.send(next(self.requests), due)

    def ready(self, connection: _Connection) -> None:
        """The connection is open, and free for its next request."""
        raise NotImplementedError

    def finished(self, status: int, due: float) -> None:
        self.waiting -= 1
        if 200 <= status < 300:
            self.answered += 1
            if self.counts_from <= due < self.ends:
                self.latencies.append(time.monotonic() - due)
        else:
            self.failures["unreadable" if status == UNREADABLE else str(status)] += 1
        if self.is_over:
            self.drained.set()

    def lost(self) -> None:
        self.waiting -= 1
        self.failures["disconnected"] += 1
        if self.is_over:
            self.drained.set()

    @property
    def is_over(self) -> bool:
        return not self.waiting and time.monotonic() >= self.ends


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.is_closed = False
        self.gone = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._due = 0.0
        self._is_busy = False
        self._head = b""
        self._left: int | None = None
        self._status = UNREADABLE

    def itself(self) -> _Connection:
        """For `create_connection`, which asks for a way to make one."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.run.ready(self)

    def send(self, data: bytes, due: float) -> None:
        assert self._transport is not None
        self._due = due
        self._is_busy = True
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self._left is None:
            head = self._head + data
            end = head.find(b"\r\n\r\n")
            if end < 0:
                self._head = head
                return
            self._head = b""
            self._status, length = _status_and_length(head[:end])
            self._left = length - (len(head) - end - 4)
        else:
            self._left -= len(data)
        if self._left <= 0:
            self._left = None
            self._is_busy = False
            self.run.finished(self._status, self._due)
            if self._status == UNREADABLE:
                self.close()
            else:
                self.run.ready(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if self._is_busy:
            self.run.lost()
        if not self.gone.done():
            self.gone.set_result(None)

    def close(self) -> None:
        self.is_closed = True
        if self._transport is not None:
            self._transport.close()


def _status_and_length(head: bytes) -> tuple[int, int]:
    """An answer without a length is read as empty and counts as unreadable."""
    at = head.find(b"content-length: ")
    if at < 0:
        head = head.lower()
        at = head.find(b"content-length: ")
    if at < 0:
        return (204, 0) if head[9:12] == b"204" else (UNREADABLE, 0)
    end = head.find(b"\r", at)
    return int(head[9:12]), int(head[at + 16 : end if end >= 0 else len(head)])


class _ClosedLoop(_Run):
    """Each connection sends its next request as soon as the last one is answered."""

    def ready(self, connection: _Connection) -> None:
        now = time.monotonic()
        if now < self.ends:
            self.send(connection, now)


class _OpenLoop(_Run):
    """Requests are due at fixed moments, whether the server keeps up or not. One that waits for a free connection is
    timed from when it was due: a server that stalls pays for everybody it kept waiting.
    """

    def __init__(self, requests: Iterator[bytes], *, rate: float, warm_up: float, seconds: float) -> None:
        super().__init__(requests, warm_up=warm_up, seconds=seconds)
        self._free: deque[_Connection] = deque()
        self._overdue: deque[float] = deque()
        self._step = 1 / rate
        self._sent = 0

    def start(self) -> None:
        now = time.monotonic()
        while (due := self.began + self._sent * self._step) <= now and due < self.ends:
            self._sent += 1
            self._overdue.append(due)
        self._dispatch()
        if due < self.ends:
            milliseconds = math.ceil(1000 * max(0.0, due - time.monotonic()))
            asyncio.get_running_loop().call_later(milliseconds / 1000, self.start)

    def ready(self, connection: _Connection) -> None:
        self._free.append(connection)
        self._dispatch()

    def _dispatch(self) -> None:
        while self._overdue and self._free:
            connection = self._free.popleft()
            if not connection.is_closed:
                self.send(connection, self._overdue.popleft())

    @property
    def is_over(self) -> bool:
        return not self._overdue and super().is_over


async def closed_loop(
    address: Address,
    requests: Iterator[bytes],
    *,
    seconds: float,
    warm_up: float = 0.0,
    connections: int = CONNECTIONS,
) -> Outcome:
    """As fast as the server answers, on so many connections. Counting begins after the warm-up."""
    return await _finish(address, _ClosedLoop(requests, warm_up=warm_up, seconds=seconds), connections)


async def open_loop(
    address: Address,
    requests: Iterator[bytes],
    *,
    rate: float,
    seconds: float,
    warm_up: float = 0.0,
    connections: int = CONNECTIONS,
) -> Outcome:
    """So many requests in a second, come what may."""
    run = _OpenLoop(requests, rate=rate, warm_up=warm_up, seconds=seconds)
    run.start()
    return await _finish(address, run, connections)


async def _finish(address: Address, run: _Run, connections: int) -> Outcome:
    cpu_before = time.process_time()
    keepers = [asyncio.create_task(_keep_open(address, run)) for _ in range(connections)]
    try:
        await asyncio.sleep(run.ends - time.monotonic() + TIMER_SECONDS)
        if not run.is_over:
            run.drained.clear()
            await asyncio.wait_for(run.drained.wait(), DRAIN_SECONDS)
    except TimeoutError:
        run.failures["unanswered"] += run.waiting
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
    return Outcome(
        seconds=run.ends - run.counts_from,
        latencies=run.latencies,
        answered=run.answered,
        failures=dict(run.failures),
        client_cpu_seconds=time.process_time() - cpu_before,
    )


async def _keep_open(address: Address, run: _Run) -> None:
    """Keep one connection there until the run is over, as a client that reconnects would."""
    while True:
        connection = _Connection(run)
        try:
            await asyncio.get_running_loop().create_connection(connection.itself, address.host, address.port)
            await connection.gone
        except OSError:
            run.failures["not connected"] += 1
            await asyncio.sleep(RECONNECT_SECONDS)
        finally:
            connection.close()
