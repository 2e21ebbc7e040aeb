"""The engine: claims what is due, sends it, and records what came back.

A delivery is leased, not locked: no connection is held while a receiver takes its time, and the lease of a worker that
died is over within a minute. Each target has a lane of its own with few places, so that one that hangs keeps nobody else
waiting; what is claimed of one conversation at once goes one after the other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from prometheus_client import Counter, Gauge, Histogram

from criachat.kit import clock
from criachat.kit.db import TRY_AGAIN, Database
from criachat.kit.errors import Unavailable
from criachat.kit.outside import Outside, OutsideFailed
from criachat.kit.settings import Settings
from criachat.kit.tokens import Keyring, UnknownKey
from criachat.webhooks import operations, signing
from criachat.webhooks.models import Lane, Result, ToSend, Tried
from criachat.webhooks.outcomes import judge
from criachat.webhooks.queries import queue

log = structlog.get_logger()

LEASE: Final = timedelta(seconds=45)
RENEW_SECONDS: Final = 12
LOOK_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 0.5
LEAVE_SECONDS: Final = 25
# How many are claimed for each place of a lane: enough to keep it busy while the next are fetched.
CLAIMED_FOR_A_PLACE: Final = 4
# After so many failures in a row a lane gets a single place until something succeeds.
SUSPICIOUS: Final = 5
MOST_CLAIMED: Final = 256
MOST_LANES: Final = 200
FIRST: Final = Lane(0, "")

SENT_COUNTER = Counter("criachat_webhook_tries_total", "Tries to deliver a webhook", ["outcome"])
SECONDS_HISTOGRAM = Histogram("criachat_webhook_seconds", "Time receivers of webhooks took to answer")
CLAIMED_GAUGE = Gauge("criachat_webhook_claimed", "Deliveries claimed by this process and not recorded yet")

Chain = list[ToSend]


class _Track:
    """One target: what is claimed for it and not begun, and how it fares."""

    def __init__(self) -> None:
        self.chains: deque[Chain] = deque()
        self.claimed = 0
        self.active = 0
        self.failures = 0

    def places(self, most: int) -> int:
        return 1 if self.failures >= SUSPICIOUS else most

    def room(self, most: int) -> int:
        return self.places(most) * (1 if self.failures >= SUSPICIOUS else CLAIMED_FOR_A_PLACE) - self.claimed


class DeliveryWorker:
    """Any number of them share the work."""

    def __init__(self, database: Database, outside: Outside, keyring: Keyring, settings: Settings) -> None:
        self._database = database
        self._outside = outside
        self._settings = settings
        self._id = uuid4()
        self._open_secret = lru_cache(2048)(lambda sealed, context: keyring.open(sealed, context=context))
        self._tracks: defaultdict[Lane, _Track] = defaultdict(_Track)
        self._waiting: deque[Lane] = deque()
        self._at_host: defaultdict[str, int] = defaultdict(int)
        self._held: dict[tuple[int, object], ToSend] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._news = asyncio.Event()
        self._has_results = asyncio.Event()
        self._is_leaving = False

    def wake(self) -> None:
        """There may be something new to send."""
        self._news.set()

    async def run(self) -> None:
        """Send what is due until cancelled. When the database is away, wait for it.

        Once cancelled, what is under way may end; what was not begun is given back.
        """
        self._is_leaving = False
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep(self._claim_round, self._news, LOOK_SECONDS))
                tasks.create_task(self._keep(self._record_round, self._has_results, LOOK_SECONDS))
                tasks.create_task(self._keep(self._renew_round, asyncio.Event(), RENEW_SECONDS))
        finally:
            await self._leave()

    async def drain(self) -> None:
        """Send what is due now until nothing is, or nothing may go before its time. For tests and rehearsals."""
        while True:
            claimed = await self._claim()
            if not claimed and not self._sending:
                return
            while self._sending:
                await asyncio.wait(self._sending)
            await self._record()

    async def _keep(self, work: Callable[[], Awaitable[None]], bell: asyncio.Event, pause: float) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await bell.wait()
            bell.clear()
            try:
                await work()
            except (Unavailable, *TRY_AGAIN) as failure:
                log.warning("deliveries_wait_for_database", failure=type(failure.__cause__ or failure).__name__)
                await asyncio.sleep(AWAY_SECONDS)
                bell.set()

    async def _claim_round(self) -> None:
        # Asked again at once only when this look found something: what it left behind is not to wait for the next bell.
        if await self._claim():
            self._news.set()

    async def _record_round(self) -> None:
        while self._results:
            await self._record()
            # A place became free, or a conversation may go on.
            self._news.set()

    async def _renew_round(self) -> None:
        held = list(self._held.values())
        if held:
            async with self._database.transaction() as tx:
                await queue.renew_leases(tx, held, worker_id=self._id, leased_until=clock.now() + LEASE)

    async def _claim(self) -> int:
        """Lease what there is room for, and begin; how much it was."""
        if len(self._held) >= MOST_CLAIMED:
            return 0
        claimed: list[ToSend] = []
        for list_lanes, claim in (
            (queue.list_fresh_lanes, queue.claim_fresh),
            (queue.list_retry_lanes, queue.claim_retries),
        ):
            after = FIRST
            while True:
                async with self._database.reading() as db:
                    lanes = await list_lanes(db, after=after, limit=MOST_LANES)
                claimed += await self._claim_for(lanes, claim)
                if len(lanes) < MOST_LANES or len(self._held) >= MOST_CLAIMED:
                    break
                after = lanes[-1]
        return len(claimed)

    async def _claim_for(self, lanes: Sequence[Lane], claim: Callable[..., Awaitable[list[ToSend]]]) -> list[ToSend]:
        room = self._room(lanes)
        if not room:
            return []
        claimed: list[ToSend] = []
        async with self._database.transaction() as tx:
            for account_id in await queue.lock_accounts(tx, list(room)):
                claimed += await claim(
                    tx, account_id, room[account_id], worker_id=self._id, leased_until=clock.now() + LEASE
                )
        self._take(claimed)
        self._begin()
        return claimed

    def _room(self, lanes: Sequence[Lane]) -> dict[int, list[tuple[str, int]]]:
        """How much to claim for each target, by account: the same for all when there is not enough for all."""
        left = MOST_CLAIMED - len(self._held)
        share = max(left // max(len(lanes), 1), 1)
        room: dict[int, list[tuple[str, int]]] = {}
        for lane in lanes:
            track = self._tracks.get(lane)
            most = self._settings.webhook_concurrency_per_host
            free = min(track.room(most) if track else most * CLAIMED_FOR_A_PLACE, share, left)
            if free > 0:
                room.setdefault(lane.account_id, []).append((lane.target, free))
                left -= free
        return room

    def _take(self, claimed: Sequence[ToSend]) -> None:
        for each in claimed:
            self._held[each.account_id, each.delivery_id] = each
        CLAIMED_GAUGE.set(len(self._held))
        for lane, of_lane in groupby(claimed, key=lambda each: each.lane):
            track = self._tracks[lane]
            chains: dict[object, Chain] = {}
            for each in of_lane:
                key = each.delivery_id if each.conversation_id is None else each.conversation_id
                chains.setdefault(key, []).append(each)
                track.claimed += 1
            track.chains.extend(chains.values())
            if lane not in self._waiting:
                self._waiting.append(lane)

    def _begin(self) -> None:
        """Fill free places, one lane after the other."""
        passed = 0
        while self._waiting and passed < len(self._waiting) and len(self._sending) < self._settings.webhook_concurrency:
            lane = self._waiting.popleft()
            track = self._tracks[lane]
            host = _host(track.chains[0][0])
            most = self._settings.webhook_concurrency_per_host
            if track.active < track.places(most) and self._at_host[host] < most:
                passed = 0
                self._start(lane, track, host)
            else:
                passed += 1
            if track.chains:
                self._waiting.append(lane)

    def _start(self, lane: Lane, track: _Track, host: str) -> None:
        chain = track.chains.popleft()
        track.active += 1
        self._at_host[host] += 1
        task = asyncio.create_task(self._send_chain(chain, track))
        self._sending.add(task)
        task.add_done_callback(lambda done: self._ended(done, lane, track, host))

    def _ended(self, task: asyncio.Task[None], lane: Lane, track: _Track, host: str) -> None:
        self._sending.discard(task)
        track.active -= 1
        self._at_host[host] -= 1
        if not self._at_host[host]:
            del self._at_host[host]
        if not track.claimed and not track.failures:
            self._tracks.pop(lane, None)
        if not task.cancelled():
            task.result()
        if not self._is_leaving:
            self._begin()

    async def _send_chain(self, chain: Chain, track: _Track) -> None:
        """Send these one after the other; behind one that failed the rest has to wait."""
        for index, each in enumerate(chain):
            if self._is_leaving:
                self._give_back(chain[index:], track)
                return
            result = await self._send(each)
            track.failures = 0 if result.status == "delivered" else track.failures + (result.tried is not None)
            self._settle(result, track)
            if result.status == "pending" and each.tries == 0:
                self._give_back(chain[index + 1 :], track)
                return

    def _give_back(self, rest: Sequence[ToSend], track: _Track) -> None:
        for each in rest:
            self._settle(Result(sent=each, status="pending", is_told_failed=each.is_told_failed), track)

    def _settle(self, result: Result, track: _Track) -> None:
        track.claimed -= 1
        self._results.append(result)
        self._has_results.set()

    async def _send(self, sent: ToSend) -> Result:
        if sent.url is None or sent.body is None:
            return Result(sent=sent, status="cancelled")
        tried = await self._try(sent, sent.url, sent.body)
        result = judge(sent, tried)
        SENT_COUNTER.labels("delivered" if tried.is_success else tried.error_kind or "refused").inc()
        if not tried.is_success:
            log.info(
                "webhook_delivery_failed",
                account_id=sent.account_id,
                delivery_id=str(sent.delivery_id),
                target=sent.target,
                conversation_id=sent.conversation_id,
                message_id=sent.message_id,
                status=tried.status,
                kind=tried.error_kind,
                is_over=result.status != "pending",
            )
        return result

    async def _try(self, sent: ToSend, url: str, body: bytes) -> Tried:
        started_at, started = clock.now(), clock.monotonic()
        try:
            headers = self._headers(sent, body)
        except UnknownKey:
            return Tried(started_at=started_at, error_kind="unknown_key", error="The secret cannot be opened")
        timeout_seconds = sent.timeout_seconds or self._settings.webhook_timeout_seconds
        try:
            answer = await self._outside.post(url, body=body, headers=headers, timeout_seconds=timeout_seconds)
        except OutsideFailed as failure:
            duration_ms = round((clock.monotonic() - started) * 1000)
            return Tried(started_at=started_at, error_kind=failure.kind, error=failure.text, duration_ms=duration_ms)
        SECONDS_HISTOGRAM.observe(answer.duration_seconds)
        return Tried(
            started_at=started_at,
            status=answer.status,
            headers=answer.headers,
            answer=answer.body,
            duration_ms=round(answer.duration_seconds * 1000),
            first_byte_ms=round(answer.first_byte_seconds * 1000),
        )

    def _headers(self, sent: ToSend, body: bytes) -> dict[str, str]:
        secrets = [self._open_secret(sealed, context) for sealed, context in sent.secrets]
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            **signing.headers(secrets, str(sent.delivery_id), timestamp=int(clock.unix()), body=body),
        }
        if sent.event_id is not None:
            headers["X-CriaChat-Sequence"] = str(sent.sequence)
        return headers

    async def _record(self) -> None:
        """Write down all results there are, in one transaction. What could not be written is kept for the next time."""
        results, self._results = self._results, []
        if not results:
            return
        try:
            async with self._database.transaction() as tx:
                await operations.record(tx, results, worker_id=self._id)
        except BaseException:
            self._results = results + self._results
            raise
        for result in results:
            self._held.pop((result.sent.account_id, result.sent.delivery_id), None)
        CLAIMED_GAUGE.set(len(self._held))

    async def _leave(self) -> None:
        """Let end what is under way, give back the rest, and write all of it down."""
        self._is_leaving = True
        self._waiting.clear()
        for track in self._tracks.values():
            while track.chains:
                self._give_back(track.chains.popleft(), track)
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=LEAVE_SECONDS)
            for task in late:
                task.cancel()
        with suppress(Unavailable, *TRY_AGAIN):
            await self._record()


def _host(sent: ToSend) -> str:
    """Where it goes, for counting what goes there at the same time."""
    return urlsplit(sent.url or "").netloc.rpartition("@")[2].lower()
