"""The engine: claims what is due, sends it, and records what came back.

A delivery is leased, not locked: no connection is held while a receiver takes its time, and the lease of a worker that
died is over within a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid4

import structlog
from prometheus_client import Counter, Gauge, Histogram

from criachat.kit import clock
from criachat.kit.db import TRY_AGAIN, Database
from criachat.kit.errors import Unavailable
from criachat.kit.outside import Outside, OutsideFailed
from criachat.kit.settings import Settings
from criachat.kit.tokens import Keyring, UnknownKey
from criachat.webhooks import operations, signing
from criachat.webhooks.lanes import Chain, Lanes
from criachat.webhooks.models import Lane, Result, ToSend, Tried
from criachat.webhooks.outcomes import judge
from criachat.webhooks.queries import queue

log = structlog.get_logger()

LEASE: Final = timedelta(seconds=45)
RENEW_SECONDS: Final = 12
LOOK_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 0.5
GATHER_SECONDS: Final = 0.01
LEAVE_SECONDS: Final = 25
MOST_CLAIMED: Final = 256
MOST_LANES: Final = 200
FIRST: Final = Lane(0, "")

TRIES_COUNTER = Counter("criachat_webhook_tries_total", "Tries to deliver a webhook", ["outcome"])
SECONDS_HISTOGRAM = Histogram("criachat_webhook_seconds", "Time receivers of webhooks took to answer")
CLAIMED_GAUGE = Gauge("criachat_webhook_claimed", "Deliveries claimed by this process and not recorded yet")


class Source:
    """A kind of due work, and how far the round through its lanes has come."""

    def __init__(self, list_lanes: queue.ListLanes, claim: queue.Claim, *, may_be_kept_back: bool) -> None:
        self.list_lanes = list_lanes
        self.claim = claim
        self.may_be_kept_back = may_be_kept_back
        self.after = FIRST


class DeliveryWorker:
    """Any number of them share the work."""

    def __init__(self, database: Database, outside: Outside, keyring: Keyring, settings: Settings) -> None:
        @lru_cache(2048)
        def open_secret(sealed: bytes, context: str) -> str:
            return keyring.open(sealed, context=context)

        self._database = database
        self._outside = outside
        self._settings = settings
        self._id = uuid4()
        self._open_secret = open_secret
        self._sources = [
            Source(queue.list_fresh_lanes, queue.claim_fresh, may_be_kept_back=True),
            Source(queue.list_retry_lanes, queue.claim_retries, may_be_kept_back=False),
        ]
        self._lanes = Lanes(settings)
        self._held: dict[tuple[int, UUID], ToSend] = {}
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
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep(self._claim_round, self._news, LOOK_SECONDS))
                tasks.create_task(self._keep(self._record_round, self._has_results, LOOK_SECONDS))
                tasks.create_task(self._keep(self._renew_round, asyncio.Event(), RENEW_SECONDS))
        finally:
            await self._leave()

    async def drain(self, account_id: int | None = None) -> None:
        """Send what this account (or any) has due, until nothing may go before its time. For tests and rehearsals."""
        while await self._claim(account_id) or self._sending:
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
            except Exception:  # whatever it is, everybody else's deliveries have to go on
                log.exception("deliveries_round_failed")
                await asyncio.sleep(AWAY_SECONDS)

    async def _claim_round(self) -> None:
        # Asked again at once only when this look found something: what it left behind is not to wait for the next bell.
        if await self._claim():
            self._news.set()

    async def _record_round(self) -> None:
        while self._results:
            # So much is written down in the time of a single result that it pays to wait for others.
            await asyncio.sleep(GATHER_SECONDS)
            await self._record()
            # A place became free, or a conversation may go on.
            self._news.set()

    async def _renew_round(self) -> None:
        held = list(self._held.values())
        if held:
            async with self._database.transaction() as tx:
                await queue.renew_leases(tx, held, worker_id=self._id, leased_until=clock.now() + LEASE)

    async def _claim(self, account_id: int | None = None) -> bool:
        """Lease what there is room for, and begin; whether to look again at once."""
        found = [await self._claim_from(source, account_id) for source in self._sources]
        # What is tried again and what is new take turns in being served first, or one could keep the other out.
        self._sources.reverse()
        return any(found)

    async def _claim_from(self, source: Source, account_id: int | None) -> bool:
        """One time round the lanes, beginning behind the one where there was no room for more the last time."""
        found = False
        began = source.after
        while len(self._held) < MOST_CLAIMED:
            async with self._database.reading() as db:
                lanes = await source.list_lanes(db, after=source.after, limit=MOST_LANES)
            wanted = [lane for lane in lanes if account_id in (None, lane.account_id)]
            found = await self._claim_for(wanted, source) or found
            is_last = len(lanes) < MOST_LANES
            if is_last and began == FIRST:
                source.after = FIRST
                break
            if is_last:
                source.after, began = FIRST, FIRST
            else:
                source.after = lanes[-1]
        return found

    async def _claim_for(self, lanes: Sequence[Lane], source: Source) -> bool:
        wanted = self._lanes.rested(lanes) if source.may_be_kept_back else lanes
        shares = self._lanes.shares(wanted, MOST_CLAIMED - len(self._held))
        if not shares:
            return False
        claimed: list[ToSend] = []
        leased_until = clock.now() + LEASE
        async with self._database.transaction() as tx:
            accounts = await queue.lock_accounts(tx, list(shares))
            for account_id in accounts:
                claimed += await source.claim(
                    tx, account_id, shares[account_id], worker_id=self._id, leased_until=leased_until
                )
        for each in claimed:
            self._held[each.account_id, each.delivery_id] = each
        CLAIMED_GAUGE.set(len(self._held))
        self._lanes.take(claimed)
        self._begin()
        goes_on = False
        if source.may_be_kept_back:
            asked = {Lane(account_id, share.target) for account_id in accounts for share in shares[account_id]}
            goes_on = await self._look_further(asked - {each.lane for each in claimed})
        return bool(claimed) or goes_on

    async def _look_further(self, lanes: Collection[Lane]) -> bool:
        """Where all that was seen of a lane is kept back, have the next look begin behind it."""
        if not lanes:
            return False
        async with self._database.reading() as db:
            ends = await queue.list_view_ends(db, [(lane, self._lanes.place_of(lane)) for lane in lanes])
        going_on = [self._lanes.looked_in_vain(Lane(end.account_id, end.target), until=end.until) for end in ends]
        return any(going_on)

    def _begin(self) -> None:
        while chain := self._lanes.begin():
            task = asyncio.create_task(self._send_chain(chain))
            self._sending.add(task)
            task.add_done_callback(lambda done, chain=chain: self._ended(done, chain))

    def _ended(self, task: asyncio.Task[None], chain: Chain) -> None:
        self._sending.discard(task)
        # What was not settled is let go: somebody claims it again when its lease is over.
        for each in chain.rest:
            self._held.pop((each.account_id, each.delivery_id), None)
        CLAIMED_GAUGE.set(len(self._held))
        self._lanes.ended(chain)
        if not task.cancelled() and (failure := task.exception()) is not None:
            lane = chain.track.lane
            log.error("delivery_broke_off", account_id=lane.account_id, target=lane.target, exc_info=failure)
        if not self._is_leaving:
            self._begin()

    async def _send_chain(self, chain: Chain) -> None:
        """Send these one after the other; behind one that failed the rest has to wait."""
        while chain.rest and not self._is_leaving:
            sent = chain.rest[0]
            result = await self._send(sent)
            self._settle(chain, result)
            if result.status == "pending" and sent.tries == 0:
                break
        self._give_back(chain)

    def _settle(self, chain: Chain, result: Result) -> None:
        chain.rest.popleft()
        chain.track.claimed -= 1
        chain.track.note(result)
        self._results.append(result)
        self._has_results.set()

    def _give_back(self, chain: Chain) -> None:
        while chain.rest:
            each = chain.rest[0]
            self._settle(chain, Result(sent=each, status="pending", is_told_failed=each.is_told_failed))

    async def _send(self, sent: ToSend) -> Result:
        if sent.url is None or sent.body is None:
            return Result(sent=sent, status="cancelled", is_told_failed=sent.is_told_failed)
        tried = await self._try(sent, sent.url, sent.body)
        result = judge(sent, tried)
        TRIES_COUNTER.labels("delivered" if tried.is_success else tried.error_kind or "refused").inc()
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
        batches, self._results = [self._results], []
        try:
            while batches:
                await self._write(batches)
        finally:
            self._results = [*(result for batch in reversed(batches) for result in batch), *self._results]

    async def _write(self, batches: list[list[Result]]) -> None:
        """Write the last batch and take it off; around a result that cannot be written, write the others."""
        batch = batches[-1]
        try:
            if batch:
                async with self._database.transaction() as tx:
                    await operations.record(tx, batch, worker_id=self._id)
        except (Unavailable, *TRY_AGAIN):
            raise
        except Exception:
            batches.pop()
            if len(batch) > 1:
                batches += [batch[len(batch) // 2 :], batch[: len(batch) // 2]]
                return
            log.exception("delivery_not_recorded", delivery_id=str(batch[0].sent.delivery_id))
        else:
            batches.pop()
        # What could not be written is somebody's again when its lease is over.
        for result in batch:
            self._held.pop((result.sent.account_id, result.sent.delivery_id), None)
            self._lanes.has_news(result.sent.lane)
        CLAIMED_GAUGE.set(len(self._held))

    async def _leave(self) -> None:
        """Let end what is under way, give back the rest, and write all of it down."""
        self._is_leaving = True
        for chain in self._lanes.empty():
            self._give_back(chain)
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=LEAVE_SECONDS)
            for task in late:
                task.cancel()
        with suppress(Unavailable, *TRY_AGAIN):
            await self._record()
        self._is_leaving = False
