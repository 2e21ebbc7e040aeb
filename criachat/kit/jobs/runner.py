"""Runs jobs: claims those that are due, keeps their leases, tries again, starts schedules.

The loop is ours and the statements are pgqueuer's. Its own loop listens to notifications, records a job that a
shutdown cut short as cancelled, so that it never runs again, and computes schedules from the clock of each machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

import msgspec
import structlog
from croniter import croniter
from pgqueuer.domain import models
from pgqueuer.domain.types import JobId, QueueEntrypoint, QueueManagerId
from pgqueuer.queries import EntrypointExecutionParameter

from criachat.kit.errors import Unavailable
from criachat.kit.jobs import TOPIC, Definition, GiveUp, JobContext, Jobs
from criachat.kit.jobs.store import statements_on
from criachat.kit.signals import Signals

log = structlog.get_logger()

CONCURRENCY: Final = 20
LEASE_SECONDS: Final = 30
POLL_SECONDS: Final = 10
TICK_SECONDS: Final = 30
GRACE_SECONDS: Final = 20
RETRY_SECONDS: Final = 1
MOST_DEATHS: Final = 3

RELEASE_KEY: Final = "UPDATE jobs.pgqueuer SET dedupe_key = NULL WHERE id = $1"

COUNT_CLAIMS: Final = """
SELECT count(*)
FROM jobs.pgqueuer_log
WHERE job_id = $1
    AND status = 'picked'
    AND created > coalesce(
        (SELECT max(created) FROM jobs.pgqueuer_log WHERE job_id = $1 AND status = 'queued'), '-infinity'
    )
"""


class WorkersDied(GiveUp):
    """Every worker that ran this job died before it ended"""


class DueSchedule(msgspec.Struct, frozen=True):
    """A schedule whose time has come, and the time it is in the database."""

    id: int
    name: str
    cron: str
    now: datetime


INSERT_SCHEDULES: Final = """
INSERT INTO jobs.pgqueuer_schedules (entrypoint, expression, next_run)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (expression, entrypoint) DO NOTHING
"""

CLAIM_DUE_SCHEDULES: Final = """
SELECT id, entrypoint AS name, expression AS cron, now() AS now
FROM jobs.pgqueuer_schedules
WHERE (entrypoint, expression) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    AND next_run <= now()
ORDER BY id
FOR UPDATE SKIP LOCKED
"""

SET_NEXT_RUNS: Final = """
UPDATE jobs.pgqueuer_schedules AS schedule
SET next_run = new.next_run, last_run = now(), updated = now()
FROM unnest($1::bigint[], $2::timestamptz[]) AS new (id, next_run)
WHERE schedule.id = new.id
"""

# The key is not released when the job begins: while one time is still running, the next is passed over.
INSERT_SCHEDULED_JOBS: Final = """
INSERT INTO jobs.pgqueuer (priority, entrypoint, dedupe_key, status)
SELECT 0, name, name, 'queued'
FROM unnest($1::text[]) AS name
ON CONFLICT (dedupe_key)
    WHERE status = ANY (ARRAY['queued'::jobs.pgqueuer_status, 'picked'::jobs.pgqueuer_status])
        AND dedupe_key IS NOT NULL
    DO NOTHING
"""

SECONDS_TO_NEXT_SCHEDULE: Final = """
SELECT extract(epoch FROM min(next_run) - clock_timestamp())::float
FROM jobs.pgqueuer_schedules
WHERE (entrypoint, expression) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

ADVANCE_JOBS: Final = "UPDATE jobs.pgqueuer SET execute_after = execute_after - $1::interval WHERE status = 'queued'"
ADVANCE_SCHEDULES: Final = "UPDATE jobs.pgqueuer_schedules SET next_run = next_run - $1::interval"


class JobRunner:
    """Runs the jobs of all slices in this process, beside those of any number of others."""

    def __init__(
        self,
        jobs: Sequence[Jobs],
        context: JobContext,
        signals: Signals,
        *,
        concurrency: int = CONCURRENCY,
        lease_seconds: float = LEASE_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        definitions = [definition for each in (*jobs, housekeeping) for definition in each.definitions]
        self._definitions = {definition.name: definition for definition in definitions}
        if len(self._definitions) < len(definitions):
            raise RuntimeError("two slices define jobs of the same name")
        self._schedules = [definition for definition in definitions if definition.cron is not None]
        for schedule in self._schedules:
            if not croniter.is_valid(schedule.cron or ""):
                raise ValueError(f"{schedule.cron!r} of {schedule.name} is not a cron expression")
        self._entrypoints = {QueueEntrypoint(name): EntrypointExecutionParameter(0) for name in self._definitions}
        self._context = context
        self._database = context.database
        self._queue = statements_on(context.database)
        self._signals = signals
        self._concurrency = concurrency
        self._lease = timedelta(seconds=lease_seconds)
        self._grace_seconds = grace_seconds
        self._id = QueueManagerId(uuid4())
        self._running: dict[int, asyncio.Task[Exception | None]] = {}
        self._has_news = asyncio.Event()

    async def run(self) -> None:
        """Run jobs until cancelled; then let those under way finish, and give back those that take too long."""
        self._signals.subscribe(TOPIC, self._wake)
        beating = asyncio.create_task(self._keep(self._beat))
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._keep(self._start_due))
                loops.create_task(self._keep(self._tick_and_wait))
        finally:
            self._signals.unsubscribe(TOPIC, self._wake)
            await self._settle()
            beating.cancel()

    async def drain(self, *, ahead: timedelta | None = None) -> list[Exception]:
        """Run what is due, and what that makes due, one after the other, until nothing is; how jobs failed.

        With `ahead`, what is due within this time is due now, schedules included. For tests.
        """
        if ahead is not None:
            await self._register()
            async with self._database.transaction() as tx:
                await tx.execute(ADVANCE_JOBS, ahead)
                await tx.execute(ADVANCE_SCHEDULES, ahead)
            await self._tick()
        failures: list[Exception] = []
        while claimed := await self._claim(self._concurrency):
            for job in claimed:
                failure = await self._run(job)
                if failure is not None:
                    failures.append(failure)
        return failures

    def _wake(self, _message: bytes = b"") -> None:
        self._has_news.set()

    async def _keep(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Unavailable:
                log.warning("jobs_without_database")
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("jobs_failed")
                await asyncio.sleep(RETRY_SECONDS)

    async def _start_due(self) -> None:
        """Claim as many due jobs as there is room for; when there are none, wait for news."""
        self._has_news.clear()
        room = self._concurrency - len(self._running)
        claimed = await self._claim(room) if room else []
        for job in claimed:
            task = asyncio.create_task(self._run(job))
            self._running[job.id] = task
            task.add_done_callback(partial(self._forget, job.id))
        if room and len(claimed) == room:
            return
        eta = await self._queue.next_deferred_eta(list(self._entrypoints)) if room else None
        wait_seconds = POLL_SECONDS if eta is None else min(max(eta.total_seconds(), 0.01), POLL_SECONDS)
        await _wait(self._has_news, wait_seconds)

    async def _claim(self, count: int) -> list[models.Job]:
        claimed = await self._queue.dequeue(
            batch_size=count,
            entrypoints=self._entrypoints,
            queue_manager_id=self._id,
            global_concurrency_limit=None,
            heartbeat_timeout=self._lease,
        )
        # A lease of our own that lapsed while we were held up is taken up again by the job that still runs.
        return [job for job in claimed if job.id not in self._running]

    def _forget(self, job_id: int, task: asyncio.Task[Exception | None]) -> None:
        del self._running[job_id]
        self._has_news.set()
        if not task.cancelled() and (failure := task.exception()):
            log.error("job_end_not_recorded", job_id=job_id, exc_info=failure)

    async def _run(self, job: models.Job) -> Exception | None:
        """Run one job to whatever end, and record it; how it failed, if it did."""
        definition = self._definitions[job.entrypoint]
        try:
            failure = await self._call(definition, job)
            if failure is None:
                await self._queue.log_jobs([(job, "successful", None)])
            else:
                await self._record(definition, job, failure)
        except asyncio.CancelledError:
            await self._queue.retry_job(job, timedelta(), None)
            raise
        except Unavailable as lost:
            # Its lease lapses, and then it runs again.
            log.warning("job_end_not_recorded", job=definition.name, job_id=job.id)
            return lost
        return failure

    async def _call(self, definition: Definition, job: models.Job) -> Exception | None:
        try:
            await self._check_deaths(job)
            if job.headers:
                async with self._database.transaction() as tx:
                    await tx.execute(RELEASE_KEY, job.id)
            context = msgspec.structs.replace(self._context, attempt=job.attempts + 1)
            async with asyncio.timeout(definition.timeout_seconds):
                await definition.call(context, job.payload)
        except Exception as failure:  # noqa: BLE001 - whatever a job raises is recorded with it
            return failure
        return None

    async def _check_deaths(self, job: models.Job) -> None:
        """Refuse a job that was claimed again and again and never came to an end."""
        if job.updated - job.execute_after < self._lease:
            return
        async with self._database.reading() as db:
            claims = await db.fetch_value(COUNT_CLAIMS, job.id)
        if claims > MOST_DEATHS:
            raise WorkersDied(f"{claims} workers began this job and none ended it")

    async def _record(self, definition: Definition, job: models.Job, failure: Exception) -> None:
        attempt = job.attempts + 1
        wait = None if isinstance(failure, GiveUp) else definition.retry.wait(attempt)
        record = models.TracebackRecord.from_exception(failure, job.id)
        told = {"job": definition.name, "job_id": job.id, "attempt": attempt}
        if wait is not None:
            log.warning("job_retried", **told, failure=type(failure).__name__, wait_seconds=wait.total_seconds())
            await self._queue.retry_job(job, wait, record)
        else:
            log.error("job_failed", **told, exc_info=failure)
            await self._queue.log_jobs([(job, "failed", record)])

    async def _beat(self) -> None:
        """Renew the leases of what runs, often enough to miss one."""
        if self._running:
            await self._queue.update_heartbeat([JobId(job_id) for job_id in self._running])
        await asyncio.sleep(self._lease.total_seconds() / 4)

    async def _settle(self) -> None:
        if not self._running:
            return
        _, late = await asyncio.wait(list(self._running.values()), timeout=self._grace_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _tick_and_wait(self) -> None:
        await self._register()
        await self._tick()
        async with self._database.reading() as db:
            seconds = await db.fetch_value(SECONDS_TO_NEXT_SCHEDULE, *self._schedule_keys())
        await asyncio.sleep(min(max(seconds or 0, 0.01), TICK_SECONDS))

    async def _register(self) -> None:
        names, crons = self._schedule_keys()
        async with self._database.transaction() as tx:
            now: datetime = await tx.fetch_value("SELECT now()")
            await tx.execute(INSERT_SCHEDULES, names, crons, [_next_run(cron, now) for cron in crons])

    async def _tick(self) -> None:
        """Enqueue the schedules whose time has come. Only the clock of the database counts: there is one of it."""
        async with self._database.transaction() as tx:
            due = await tx.fetch_all(DueSchedule, CLAIM_DUE_SCHEDULES, *self._schedule_keys())
            if not due:
                return
            next_runs = [_next_run(schedule.cron, schedule.now) for schedule in due]
            await tx.execute(SET_NEXT_RUNS, [schedule.id for schedule in due], next_runs)
            await tx.execute(INSERT_SCHEDULED_JOBS, [schedule.name for schedule in due])
            tx.wake(TOPIC)

    def _schedule_keys(self) -> tuple[list[str], list[str]]:
        return [each.name for each in self._schedules], [each.cron or "" for each in self._schedules]


def _next_run(cron: str, after: datetime) -> datetime:
    return croniter(cron, after).get_next(datetime)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


housekeeping = Jobs("jobs")

LOG_KEPT: Final = timedelta(days=7)
FAILED_KEPT: Final = timedelta(days=90)
BATCH: Final = 5_000

DELETE_OLD_LOG: Final = """
DELETE FROM jobs.pgqueuer_log
WHERE id IN (SELECT id FROM jobs.pgqueuer_log WHERE created < now() - $1::interval ORDER BY created LIMIT $2)
"""

DELETE_OLD_FAILED: Final = """
DELETE FROM jobs.pgqueuer
WHERE id IN (
    SELECT id FROM jobs.pgqueuer WHERE status = 'failed' AND updated < now() - $1::interval ORDER BY id LIMIT $2
)
"""


@housekeeping.schedule("23 * * * *")
async def prune(context: JobContext) -> None:
    """Forget what happened to jobs long ago."""
    deleted = BATCH
    while deleted == BATCH:
        async with context.database.transaction() as tx:
            deleted = await tx.execute(DELETE_OLD_LOG, LOG_KEPT, BATCH)
    async with context.database.transaction() as tx:
        await tx.execute(DELETE_OLD_FAILED, FAILED_KEPT, BATCH)
