"""Jobs: work done later or outside, and work done again and again.

What a transaction enqueues is there when it commits and never was when it rolls back. A job may run twice: when its
worker dies, another one takes it over. `criachat.kit.jobs.runner` runs them; it alone loads the queue's library.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias, TypeVar, get_type_hints

import msgspec

from criachat.kit import clock
from criachat.kit.db import Database, Db, Tx
from criachat.kit.files import Files
from criachat.kit.outside import Outside
from criachat.kit.settings import Settings

TOPIC: Final = "jobs"


class JobContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a job works with. It opens short transactions itself, and holds none while it waits for the outside."""

    database: Database
    outside: Outside
    files: Files
    settings: Settings
    base_url: str = ""
    """The address of this server, which links in mails begin with."""
    attempt: int = 1
    """1 when the job runs for the first time."""


class GiveUp(Exception):
    """Raised by a job that trying again would not help: it fails at once, and is kept with this reason."""


class Retry(msgspec.Struct, frozen=True):
    """How often a job that fails is tried, and how long it waits in between: each time twice as long."""

    attempts: int = 8
    first_wait_seconds: float = 2
    longest_wait_seconds: float = 3600

    def wait(self, attempt: int) -> timedelta | None:
        """How long to wait after this attempt failed; None when it was the last."""
        if attempt >= self.attempts:
            return None
        return timedelta(seconds=min(self.first_wait_seconds * 2.0 ** (attempt - 1), self.longest_wait_seconds))


NEVER_AGAIN: Final = Retry(attempts=1)
TEN_MINUTES: Final = 600

Params = TypeVar("Params", bound=msgspec.Struct)
Job: TypeAlias = Callable[[JobContext, Params], Awaitable[None]]
ScheduledJob: TypeAlias = Callable[[JobContext], Awaitable[None]]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of job: its name in the queue, how it is run, and when."""

    name: str
    call: Callable[[JobContext, bytes | None], Awaitable[None]]
    retry: Retry
    timeout_seconds: float
    cron: str | None = None


# The row of a key is locked until this transaction ends, also when it was there: the job cannot begin before what this
# transaction wrote can be seen. Both sides of the predicate are spelled as in the index, or it is not recognised.
INSERT_JOBS: Final = """
INSERT INTO jobs.pgqueuer AS job (priority, entrypoint, payload, execute_after, dedupe_key, headers, status)
SELECT 0, $1, new.payload, now() + $2::interval, new.dedupe_key, $5::jsonb, 'queued'
FROM unnest($3::bytea[], $4::text[]) AS new (payload, dedupe_key)
ON CONFLICT (dedupe_key)
    WHERE status = ANY (ARRAY['queued'::jobs.pgqueuer_status, 'picked'::jobs.pgqueuer_status])
        AND dedupe_key IS NOT NULL
    DO UPDATE SET execute_after = least(job.execute_after, excluded.execute_after)
"""
# One that is being run is past cancelling.
DELETE_JOB: Final = "DELETE FROM jobs.pgqueuer WHERE dedupe_key = $1 AND status = 'queued'"
RELEASES_KEY: Final = "releases_key"


class Jobs:
    """The jobs of one slice."""

    def __init__(self, slice_name: str) -> None:
        self.slice_name = slice_name
        self.definitions: list[Definition] = []
        self._names: dict[object, str] = {}

    def define(
        self, *, retry: Retry | None = None, timeout_seconds: float = TEN_MINUTES
    ) -> Callable[[Job[Params]], Job[Params]]:
        """Decorator: this function is a job, to be enqueued with the struct that is its second parameter."""

        def register(job: Job[Params]) -> Job[Params]:
            kind = list(get_type_hints(job).values())[1]
            decode = msgspec.json.Decoder(kind).decode

            def call(context: JobContext, payload: bytes | None) -> Awaitable[None]:
                return job(context, decode(payload or b"{}"))

            self._add(job, call, retry or Retry(), timeout_seconds, cron=None)
            return job

        return register

    def schedule(self, cron: str, *, timeout_seconds: float = TEN_MINUTES) -> Callable[[ScheduledJob], ScheduledJob]:
        """Decorator: run this function at these times, in UTC by the clock of PostgreSQL.

        Each time is run once, by one of the processes, and what fails waits for the next time; it is passed over while
        the time before is still running. After all processes were away, what was missed is run once.
        """

        def register(job: ScheduledJob) -> ScheduledJob:
            def call(context: JobContext, _: bytes | None) -> Awaitable[None]:
                return job(context)

            self._add(job, call, NEVER_AGAIN, timeout_seconds, cron=cron)
            return job

        return register

    async def enqueue(
        self,
        tx: Tx,
        job: Job[Params],
        params: Params,
        *,
        execute_after: timedelta | datetime | None = None,
        dedupe_key: str | None = None,
    ) -> None:
        """Have the job run after this transaction has committed, or some time after that.

        While one with the same `dedupe_key` waits there is no second one; if it waits for a later time than this,
        its time is moved forward. One that runs already does not count, since it may have read what we changed since.
        """
        keys = None if dedupe_key is None else [dedupe_key]
        await self.enqueue_all(tx, job, [params], execute_after=execute_after, dedupe_keys=keys)

    async def enqueue_all(
        self,
        tx: Tx,
        job: Job[Params],
        params: Sequence[Params],
        *,
        execute_after: timedelta | datetime | None = None,
        dedupe_keys: Sequence[str] | None = None,
    ) -> None:
        """Enqueue one job for each of the params, in one trip; of those with the same key, the first."""
        if not params:
            return
        name = self._names[job]
        payloads = [msgspec.json.encode(each) for each in params]
        keys: list[str | None] = [None] * len(payloads)
        if dedupe_keys is not None:
            distinct: dict[str, bytes] = {}
            for key, payload in zip(dedupe_keys, payloads, strict=True):
                distinct.setdefault(f"{name}:{key}", payload)
            # In order, so that two transactions with the same keys wait for each other instead of locking up.
            keys = [*sorted(distinct)]
            payloads = [distinct[key] for key in sorted(distinct)]
        wait = execute_after - clock.now() if isinstance(execute_after, datetime) else execute_after or timedelta()
        headers = None if dedupe_keys is None else {RELEASES_KEY: True}
        await tx.execute(INSERT_JOBS, name, wait, payloads, keys, headers)
        tx.wake(TOPIC)

    async def cancel(self, tx: Tx, job: Job[Params], *, dedupe_key: str) -> None:
        """Do not have the job run that waits under this key."""
        await tx.execute(DELETE_JOB, f"{self._names[job]}:{dedupe_key}")

    def _add(
        self,
        job: object,
        call: Callable[[JobContext, bytes | None], Awaitable[None]],
        retry: Retry,
        timeout_seconds: float,
        *,
        cron: str | None,
    ) -> None:
        name = f"{self.slice_name}.{getattr(job, '__name__', '')}"
        if name in self._names.values():
            raise RuntimeError(f"job {name} is defined twice")
        self._names[job] = name
        self.definitions.append(
            Definition(name=name, call=call, retry=retry, timeout_seconds=timeout_seconds, cron=cron)
        )


class FailedJob(msgspec.Struct, frozen=True):
    """A job that failed for good, kept with the last error for whoever looks after the installation."""

    id: int
    name: str
    attempts: int
    created_at: datetime
    failed_at: datetime
    error: str | None


# The library writes the record of an error as JSON in a JSON string.
LIST_FAILED: Final = """
SELECT job.id, job.entrypoint AS name, job.attempts + 1 AS attempts, job.created AS created_at,
    job.updated AS failed_at, last.error
FROM jobs.pgqueuer AS job
LEFT JOIN LATERAL (
    SELECT (traceback #>> '{}')::jsonb ->> 'exception_type' || ': '
        || ((traceback #>> '{}')::jsonb ->> 'exception_message') AS error
    FROM jobs.pgqueuer_log
    WHERE job_id = job.id AND status = 'failed'
    ORDER BY created DESC
    LIMIT 1
) AS last ON true
WHERE job.status = 'failed'
ORDER BY job.updated DESC
LIMIT $1
"""


async def list_failed(db: Db, *, limit: int = 100) -> list[FailedJob]:
    """The jobs that failed for good, the latest first."""
    return await db.fetch_all(FailedJob, LIST_FAILED, limit)


REQUEUE_FAILED: Final = """
WITH requeued AS (
    UPDATE jobs.pgqueuer
    SET status = 'queued', attempts = 0, execute_after = now(), updated = now()
    WHERE id = ANY($1::bigint[]) AND status = 'failed'
    RETURNING id, entrypoint, priority
)
INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, 'queued', entrypoint, priority FROM requeued
"""


async def requeue(tx: Tx, ids: Sequence[int]) -> int:
    """Have failed jobs run again, as if for the first time; how many there were."""
    count = await tx.execute(REQUEUE_FAILED, list(ids))
    tx.wake(TOPIC)
    return count
