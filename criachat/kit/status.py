"""How this process is: for balancers, for apps that look for a server, and for those who watch over it.

What is counted in a process is that process's own; with several workers, each scrape meets one of them. What is read
from the database (the relay's lag, jobs that wait or failed) is the same whoever is asked.
"""

from __future__ import annotations

import asyncio
import hmac
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, Final

import msgspec
from prometheus_client import REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from criachat.kit import clock
from criachat.kit.actors import ANYONE
from criachat.kit.db import LOST, Database, Db
from criachat.kit.errors import Forbidden, Unavailable
from criachat.kit.http.answers import Answer
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes
from criachat.kit.limits import client_address
from criachat.kit.relay import lag
from criachat.kit.settings import Settings

# Apps of the family ask for the version of the API they speak, and refuse to work with one they do not know.
API_VERSION: Final = "4.10.0"
PATIENCE_SECONDS: Final = 2.0
FRESH_SECONDS: Final = 1.0
BUCKETS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PLAIN_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
# Whoever sends one of these stands behind something that forwards.
FORWARDING: Final = ("x-forwarded-for", "forwarded", "x-real-ip", "via")

DATABASE_GAUGE = Gauge("criachat_database_up", "Whether PostgreSQL answered the process that was scraped")
DUE_JOBS_GAUGE = Gauge("criachat_jobs_due", "Jobs whose time has come and that nobody has begun yet")
FAILED_JOBS_GAUGE = Gauge("criachat_jobs_failed", "Jobs that failed for good and wait for somebody")

COUNT_JOBS = """
SELECT count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS due,
    count(*) FILTER (WHERE status = 'failed') AS failed
FROM jobs.pgqueuer
"""


class JobCounts(msgspec.Struct, frozen=True):
    """Jobs that should have begun, and jobs that failed for good."""

    due: int
    failed: int


async def count_jobs(db: Db) -> JobCounts:
    """How many jobs wait and how many failed."""
    return await db.fetch_one(JobCounts, COUNT_JOBS)


class Beat(msgspec.Struct, frozen=True):
    """What was found when we last looked."""

    is_reachable: bool
    lag_seconds: float
    at: float


class Pulse:
    """Whether the database answers and the relay keeps up; looked at once a second at most, however many ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last = Beat(is_reachable=False, lag_seconds=0, at=float("-inf"))
        self._looking = asyncio.Lock()

    async def beat(self) -> Beat:
        """How things are, at this moment or a second ago."""
        async with self._looking:
            if clock.monotonic() - self._last.at > FRESH_SECONDS:
                self._last = await self._look()
        return self._last

    async def _look(self) -> Beat:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._database.reading() as db:
                behind = await lag.lag(db)
        except (Unavailable, *LOST):
            return Beat(is_reachable=False, lag_seconds=0, at=clock.monotonic())
        return Beat(is_reachable=True, lag_seconds=behind.seconds, at=clock.monotonic())


class Tally:
    """What a process answered: how often, how, and how fast. Counting costs a fraction of a microsecond."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, int], int] = {}
        self.durations: dict[tuple[str, str], list[float]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One more answer on this route."""
        key = (method, route, status)
        self.answers[key] = self.answers.get(key, 0) + 1
        durations = self.durations.get((method, route))
        if durations is None:
            durations = self.durations[method, route] = [0.0] * (len(BUCKETS) + 2)
        durations[bisect_left(BUCKETS, seconds)] += 1
        durations[-1] += seconds


async def measure_jobs(db: Db) -> None:
    """Set the gauges to how many jobs wait, and how many failed."""
    jobs = await count_jobs(db)
    DUE_JOBS_GAUGE.set(jobs.due)
    FAILED_JOBS_GAUGE.set(jobs.failed)


class Metrics(Collector):
    """What `/metrics` shows: what was counted and measured as it went, and what is read at each scrape."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database = database
        self._tally = tally
        self._own = CollectorRegistry()
        self._own.register(self)

    async def text(self) -> bytes:
        """Everything, in the words of Prometheus. Without a database, what this process knows by itself."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._database.reading() as db:
                await lag.measure(db)
                await measure_jobs(db)
            DATABASE_GAUGE.set(1)
        except (Unavailable, *LOST):
            DATABASE_GAUGE.set(0)
        return generate_latest(REGISTRY) + generate_latest(self._own)

    def collect(self) -> Iterable[Any]:
        """What is counted without Prometheus, because counting must cost nothing."""
        labels = ("method", "route")
        answers = CounterMetricFamily("criachat_requests", "Requests answered", labels=(*labels, "status"))
        for (method, route, status), count in list(self._tally.answers.items()):
            answers.add_metric((method, route, str(status)), count)
        durations = HistogramMetricFamily("criachat_request_seconds", "Time taken to answer", labels=labels)
        for key, counts in list(self._tally.durations.items()):
            edges = [*map(str, BUCKETS), "+Inf"]
            durations.add_metric(key, list(zip(edges, accumulate(counts[:-1]), strict=True)), sum_value=counts[-1])
        statements = CounterMetricFamily("criachat_statements", "Statements sent to PostgreSQL")
        statements.add_metric((), self._database.statements.count)
        return answers, durations, statements


class HealthOut(msgspec.Struct, frozen=True):
    """Whether requests can be answered."""

    status: str


class ServerOut(msgspec.Struct, frozen=True):
    """What an app asks before it shows its sign-in page."""

    version: str
    timestamp: str
    queue_services: str
    data_services: str


class NotForStrangers(Forbidden):
    """Metrics are for callers on this machine, or for those who bring the bearer token of CRIACHAT_METRICS_TOKEN"""


routes = Routes("", tag="Status")


@routes.get("/health", actors=ANYONE)
async def show_health(pulse: Pulse) -> Answer:
    """200 while the database answers, 503 otherwise: for balancers and orchestrators."""
    is_reachable = (await pulse.beat()).is_reachable
    return Answer(
        status=200 if is_reachable else 503,
        body=HealthOut("ok" if is_reachable else "unavailable"),
        headers=(("Cache-Control", "no-store"),),
    )


@routes.get("/api", actors=ANYONE)
async def show_server(pulse: Pulse) -> ServerOut:
    """The version of the API and whether its services work; the mobile app's first question."""
    beat = await pulse.beat()
    keeps_up = beat.is_reachable and beat.lag_seconds <= lag.LATE_SECONDS
    return ServerOut(
        version=API_VERSION,
        timestamp=clock.now().strftime("%Y-%m-%d %H:%M:%S"),
        queue_services="ok" if keeps_up else "failing",
        data_services="ok" if beat.is_reachable else "failing",
    )


@routes.get("/metrics", actors=ANYONE)
async def show_metrics(request: Request, settings: Settings, metrics: Metrics) -> Answer:
    """Counters and gauges of the process that answers, in the text format of Prometheus."""
    if not _may_read(request, settings):
        raise NotForStrangers
    return Answer(body=await metrics.text(), content_type=PLAIN_TEXT, headers=(("Cache-Control", "no-store"),))


def _may_read(request: Request, settings: Settings) -> bool:
    if settings.metrics_token is not None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        expected = settings.metrics_token.encode()
        if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), expected):
            return True
    if any(name in request.headers for name in FORWARDING):
        return False
    return client_address(request.peer, None)[1]
