from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from multiprocessing.synchronize import Event as ProcessEvent
from pathlib import Path

import asyncpg
import msgspec
import pytest
from harness import PATIENCE_SECONDS

from criachat.kit import clock
from criachat.kit.db import Database
from criachat.kit.files import Files
from criachat.kit.jobs import GiveUp, JobContext, Jobs, Retry, list_failed, requeue
from criachat.kit.jobs import runner as job_runner
from criachat.kit.jobs.runner import JobRunner, WorkersDied, housekeeping, prune
from criachat.kit.jobs.store import install
from criachat.kit.outside import Outside
from criachat.kit.settings import Settings
from criachat.kit.signals import PostgresSignals, Signals


class Greet(msgspec.Struct, frozen=True):
    """Whom to greet."""

    name: str


class Guests:
    """A slice's jobs and what became of them; each test has its own."""

    def __init__(self) -> None:
        self.jobs = Jobs("guests")
        self.greeted: list[str] = []
        self.attempts: list[int] = []
        self.swept = 0
        self.fails_with: Exception | None = None
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.greet = self.jobs.define(retry=Retry(attempts=3, first_wait_seconds=60))(self._greet)
        self.sweep = self.jobs.schedule("0 4 1 1 *")(self._sweep)

    async def _greet(self, context: JobContext, params: Greet) -> None:
        self.attempts.append(context.attempt)
        self.began.set()
        await self.may_end.wait()
        if self.fails_with is not None:
            raise self.fails_with
        self.greeted.append(params.name)

    async def _sweep(self, _: JobContext) -> None:
        self.swept += 1


@pytest.fixture
def guests() -> Guests:
    return Guests()


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    database = Database(fresh_database)
    connection = await database.connect()
    await install(connection)
    await connection.close()
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def context(database: Database, tmp_path: Path) -> JobContext:
    return a_context(database, tmp_path)


def a_context(database: Database, folder: Path) -> JobContext:
    files = Files(folder, b"k" * 32, "http://127.0.0.1")
    return JobContext(database=database, outside=Outside((), "tests"), files=files, settings=Settings())


@pytest.fixture
def no_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker hears of in time, it was woken for."""
    monkeypatch.setattr(job_runner, "POLL_SECONDS", 2 * PATIENCE_SECONDS)


@pytest.fixture
def runner(guests: Guests, context: JobContext) -> JobRunner:
    return JobRunner([guests.jobs], context, Signals())


@pytest.fixture
def signals(database: Database) -> Signals:
    signals = Signals()
    database.wake = signals.wake
    return signals


@asynccontextmanager
async def running(runner: JobRunner) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(runner.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - whether it is so stands in many places
            await asyncio.sleep(0.01)


async def until_no_job_is_left(database: Database) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await count_jobs(database):  # noqa: ASYNC110 - the database does not tell
            await asyncio.sleep(0.01)


async def count_jobs(database: Database) -> int:
    async with database.reading() as db:
        return await db.fetch_value("SELECT count(*) FROM jobs.pgqueuer")


async def test_a_job_runs_once_after_its_transaction_has_committed(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))

    assert await runner.drain() == []
    assert await runner.drain() == []
    assert guests.greeted == ["Ana"]
    assert guests.attempts == [1]
    assert await count_jobs(database) == 0


async def test_a_job_of_a_transaction_that_rolled_back_never_was(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    async def enqueue_and_fail() -> None:
        async with database.transaction() as tx:
            await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail()

    await runner.drain()

    assert guests.greeted == []
    assert await count_jobs(database) == 0


async def test_many_jobs_are_enqueued_in_one_trip(database: Database, guests: Guests, runner: JobRunner) -> None:
    names = [f"guest {number}" for number in range(50)]

    async with database.transaction() as tx:
        before = database.statements.count
        await guests.jobs.enqueue_all(tx, guests.greet, [Greet(name) for name in names])
        await guests.jobs.enqueue_all(tx, guests.greet, [])
        assert database.statements.count - before <= 2

    await runner.drain()
    assert guests.greeted == names


async def test_a_job_for_later_waits_for_its_time(database: Database, guests: Guests, runner: JobRunner) -> None:
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"), execute_after=timedelta(hours=1))
        await guests.jobs.enqueue(tx, guests.greet, Greet("Bruno"), execute_after=clock.now() + timedelta(hours=2))

    await runner.drain()
    assert guests.greeted == []
    await runner.drain(ahead=timedelta(minutes=61))
    assert guests.greeted == ["Ana"]
    await runner.drain(ahead=timedelta(minutes=60))
    assert guests.greeted == ["Ana", "Bruno"]


async def test_a_job_with_the_key_of_one_that_waits_is_not_added(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"), dedupe_key="greet", execute_after=timedelta(hours=1))
    async with database.transaction() as tx:
        await guests.jobs.enqueue_all(tx, guests.greet, [Greet("Bruno")] * 2, dedupe_keys=["greet", "greet"])

    await runner.drain()

    assert guests.greeted == ["Ana"]


async def test_a_job_that_waits_is_cancelled_by_its_key_once_that_has_committed(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    async with database.transaction() as tx:
        for name in ("Ana", "Bruno", "Clara"):
            await guests.jobs.enqueue(tx, guests.greet, Greet(name), dedupe_key=name)

    async with database.transaction() as tx:
        await guests.jobs.cancel(tx, guests.greet, dedupe_key="Ana")
    with suppress(LookupError):
        async with database.transaction() as tx:
            await guests.jobs.cancel(tx, guests.greet, dedupe_key="Bruno")
            raise LookupError
    await runner.drain()

    assert sorted(guests.greeted) == ["Bruno", "Clara"]


async def test_a_job_with_the_key_of_one_that_runs_is_added(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    guests.may_end.clear()
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"), dedupe_key="greet")

    async with running(JobRunner([guests.jobs], context, signals)):
        await asyncio.wait_for(guests.began.wait(), PATIENCE_SECONDS)
        async with database.transaction() as tx:
            await guests.jobs.enqueue(tx, guests.greet, Greet("Bruno"), dedupe_key="greet")
        guests.may_end.set()
        await until(lambda: guests.greeted == ["Ana", "Bruno"])


async def test_a_job_with_a_key_does_not_begin_before_the_last_who_enqueued_it_has_committed(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"), dedupe_key="greet")

    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"), dedupe_key="greet")
        await runner.drain()
        assert guests.greeted == []

    await runner.drain()
    assert guests.greeted == ["Ana"]


async def test_a_job_that_fails_is_tried_again_after_a_growing_wait(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    guests.fails_with = ConnectionError("their server is down")
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))

    assert await runner.drain() == [guests.fails_with]
    assert await runner.drain(ahead=timedelta(seconds=50)) == []
    assert await runner.drain(ahead=timedelta(seconds=11)) == [guests.fails_with]
    assert await runner.drain(ahead=timedelta(seconds=110)) == []
    guests.fails_with = None
    assert await runner.drain(ahead=timedelta(seconds=11)) == []

    assert guests.attempts == [1, 2, 3]
    assert guests.greeted == ["Ana"]


async def test_a_job_that_failed_for_good_is_kept_with_its_error_and_can_be_run_again(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    guests.fails_with = ConnectionError("their server is down")
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))
    for _ in range(5):
        await runner.drain(ahead=timedelta(hours=1))

    async with database.reading() as db:
        (failed,) = await list_failed(db)
    guests.fails_with = None
    async with database.transaction() as tx:
        requeued = await requeue(tx, [failed.id])
    await runner.drain()

    assert (failed.name, failed.attempts) == ("guests._greet", 3)
    assert failed.error == "ConnectionError: their server is down"
    assert requeued == 1
    assert guests.attempts == [1, 2, 3, 1]
    assert guests.greeted == ["Ana"]


async def test_a_job_that_gives_up_is_not_tried_again(database: Database, guests: Guests, runner: JobRunner) -> None:
    guests.fails_with = GiveUp("the address does not exist")
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))

    await runner.drain()

    async with database.reading() as db:
        assert [failed.error for failed in await list_failed(db)] == ["GiveUp: the address does not exist"]


async def test_a_job_that_takes_too_long_is_ended(database: Database, context: JobContext) -> None:
    jobs = Jobs("slow")

    @jobs.define(retry=Retry(attempts=1), timeout_seconds=0.05)
    async def wait_for_ever(_context: JobContext, _params: Greet) -> None:
        await asyncio.Event().wait()

    async with database.transaction() as tx:
        await jobs.enqueue(tx, wait_for_ever, Greet("Ana"))

    (failure,) = await JobRunner([jobs], context, Signals()).drain()

    assert isinstance(failure, TimeoutError)


@pytest.mark.usefixtures("no_polls")
async def test_a_running_worker_hears_of_new_jobs_at_once(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    async with running(JobRunner([guests.jobs], context, signals)):
        for number in range(30):
            async with database.transaction() as tx:
                await guests.jobs.enqueue(tx, guests.greet, Greet(str(number)))
            await until(lambda number=number: len(guests.greeted) == number + 1)


@pytest.mark.usefixtures("no_polls")
async def test_a_worker_in_another_process_hears_of_new_jobs_at_once(
    database: Database, guests: Guests, context: JobContext
) -> None:
    web, worker = PostgresSignals(database.connect), PostgresSignals(database.connect)
    await web.open()
    await worker.open()
    database.wake = web.wake
    try:
        async with running(JobRunner([guests.jobs], context, worker)):
            async with database.transaction() as tx:
                await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))
            await until(lambda: guests.greeted == ["Ana"])
    finally:
        await web.close()
        await worker.close()


@pytest.mark.usefixtures("no_polls")
async def test_a_worker_wakes_up_for_a_job_that_becomes_due(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    async with running(JobRunner([guests.jobs], context, signals)):
        async with database.transaction() as tx:
            await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"), execute_after=timedelta(milliseconds=300))
        await until(lambda: guests.greeted == ["Ana"])


async def test_no_more_jobs_run_at_once_than_allowed(database: Database, context: JobContext, signals: Signals) -> None:
    jobs, now_running, most = Jobs("guests"), 0, 0

    @jobs.define()
    async def pass_through(_context: JobContext, _params: Greet) -> None:
        nonlocal now_running, most
        now_running += 1
        most = max(most, now_running)
        await asyncio.sleep(0.01)
        now_running -= 1

    async with database.transaction() as tx:
        await jobs.enqueue_all(tx, pass_through, [Greet("Ana")] * 40)

    async with running(JobRunner([jobs], context, signals, concurrency=4)):
        await until_no_job_is_left(database)

    assert most == 4


async def test_two_workers_share_the_jobs_and_run_each_once(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    names = [f"guest {number}" for number in range(200)]

    async with running(JobRunner([guests.jobs], context, signals)), running(JobRunner([guests.jobs], context, signals)):
        for start in range(0, 200, 10):
            async with database.transaction() as tx:
                await guests.jobs.enqueue_all(tx, guests.greet, [Greet(name) for name in names[start : start + 10]])
        await until(lambda: len(guests.greeted) >= 200)

    assert sorted(guests.greeted) == sorted(names)


async def test_a_worker_that_stops_lets_its_jobs_finish(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    guests.may_end.clear()
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))

    async with running(JobRunner([guests.jobs], context, signals)) as task:
        await asyncio.wait_for(guests.began.wait(), PATIENCE_SECONDS)
        task.cancel()
        guests.may_end.set()

    assert guests.greeted == ["Ana"]
    assert await count_jobs(database) == 0


async def test_a_worker_that_stops_gives_back_the_jobs_that_take_too_long(
    database: Database, guests: Guests, context: JobContext, signals: Signals, runner: JobRunner
) -> None:
    guests.may_end.clear()
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))

    async with running(JobRunner([guests.jobs], context, signals, grace_seconds=0.1)):
        await asyncio.wait_for(guests.began.wait(), PATIENCE_SECONDS)

    guests.may_end.set()
    await runner.drain()
    assert guests.greeted == ["Ana"]


async def test_a_job_that_runs_longer_than_a_lease_is_not_taken_over(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    guests.may_end.clear()
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))
    other = JobRunner([guests.jobs], context, Signals(), lease_seconds=1)

    async with running(JobRunner([guests.jobs], context, signals, lease_seconds=1)):
        await asyncio.wait_for(guests.began.wait(), PATIENCE_SECONDS)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await seconds_since_begun(database) < 2.5:
                await other.drain()
                await asyncio.sleep(0.1)
        guests.may_end.set()
        await until(lambda: guests.greeted == ["Ana"])

    assert guests.attempts == [1]


async def seconds_since_begun(database: Database) -> float:
    async with database.reading() as db:
        return await db.fetch_value("SELECT extract(epoch FROM now() - updated)::float FROM jobs.pgqueuer")


async def test_a_worker_goes_on_when_its_connections_are_cut(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    async with running(JobRunner([guests.jobs], context, signals)) as task:
        for number in range(3):
            stranger = await database.connect()
            await stranger.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await stranger.execute(
                "INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, status)"
                " VALUES (0, 'guests._greet', convert_to(format('{\"name\": \"%s\"}', $1::int), 'UTF8'), 'queued')",
                number,
            )
            await stranger.close()
            signals.wake("jobs")
            await until(lambda number=number: str(number) in guests.greeted)

        assert not task.done()


async def test_the_job_of_a_killed_worker_is_run_by_another(
    database: Database, guests: Guests, context: JobContext, fresh_database: str, tmp_path: Path
) -> None:
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))
    process_context = multiprocessing.get_context("spawn")
    began = process_context.Event()
    doomed = process_context.Process(target=work_until_killed, args=(fresh_database, tmp_path, began))
    doomed.start()
    assert await asyncio.to_thread(began.wait, 30)
    doomed.kill()
    await asyncio.to_thread(doomed.join)

    survivor = JobRunner([guests.jobs], context, Signals(), lease_seconds=1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not guests.greeted:
            await survivor.drain()
            await asyncio.sleep(0.05)

    assert guests.greeted == ["Ana"]
    assert await count_jobs(database) == 0


def work_until_killed(url: str, folder: Path, began: ProcessEvent) -> None:
    asyncio.run(work(url, folder, began))


async def work(url: str, folder: Path, began: ProcessEvent) -> None:
    guests, database = Guests(), Database(url)
    guests.may_end.clear()
    await database.open()
    context = a_context(database, folder)
    async with running(JobRunner([guests.jobs], context, Signals(), lease_seconds=1)):
        await guests.began.wait()
        began.set()
        await asyncio.Event().wait()


async def test_a_job_that_kills_every_worker_is_not_run_for_ever(
    database: Database, guests: Guests, context: JobContext
) -> None:
    async with database.transaction() as tx:
        await guests.jobs.enqueue(tx, guests.greet, Greet("Ana"))
    async with database.transaction() as tx:
        await tx.execute("UPDATE jobs.pgqueuer SET execute_after = now() - interval '1 hour'")
    runner = JobRunner([guests.jobs], context, Signals())
    for _ in range(3):
        await claim_and_die(database, runner)

    (failure,) = await runner.drain()

    assert isinstance(failure, WorkersDied)
    assert guests.attempts == []
    async with database.reading() as db:
        assert len(await list_failed(db)) == 1


async def claim_and_die(database: Database, runner: JobRunner) -> None:
    assert len(await runner._claim(1)) == 1
    async with database.transaction() as tx:
        await tx.execute("UPDATE jobs.pgqueuer SET heartbeat = now() - interval '1 hour'")


async def test_a_schedule_fires_once_however_many_workers_there_are(
    database: Database, guests: Guests, context: JobContext
) -> None:
    runners = [JobRunner([guests.jobs], context, Signals()) for _ in range(4)]
    await runners[0].drain(ahead=timedelta())

    async with database.transaction() as tx:
        await tx.execute("UPDATE jobs.pgqueuer_schedules SET next_run = now() - interval '1 second'")
    await asyncio.gather(*[runner.drain(ahead=timedelta()) for runner in runners])

    assert guests.swept == 1


async def test_a_schedule_runs_in_working_processes(
    database: Database, guests: Guests, context: JobContext, signals: Signals
) -> None:
    await JobRunner([guests.jobs], context, Signals()).drain(ahead=timedelta())
    async with database.transaction() as tx:
        await tx.execute("UPDATE jobs.pgqueuer_schedules SET next_run = now() - interval '1 second'")

    async with running(JobRunner([guests.jobs], context, signals)), running(JobRunner([guests.jobs], context, signals)):
        await until(lambda: guests.swept > 0)
        await until_no_job_is_left(database)

    assert guests.swept == 1


async def test_a_schedule_missed_many_times_runs_once_and_then_at_its_next_time(
    database: Database, guests: Guests, runner: JobRunner
) -> None:
    await runner.drain(ahead=timedelta())

    await runner.drain(ahead=timedelta(days=3 * 366))
    await runner.drain()

    assert guests.swept == 1
    assert await is_due_at_its_next_time(database)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_schedule_does_not_fire_twice_when_the_clock_of_a_machine_is_wrong(
    database: Database, guests: Guests, context: JobContext, hours: int
) -> None:
    right, wrong = (JobRunner([guests.jobs], context, Signals()) for _ in range(2))
    await right.drain(ahead=timedelta())

    clock.travel(timedelta(hours=hours))
    try:
        await wrong.drain(ahead=timedelta(days=366))
    finally:
        clock.travel(timedelta(hours=-hours))
    await right.drain(ahead=timedelta())

    assert guests.swept == 1
    assert await is_due_at_its_next_time(database)


async def is_due_at_its_next_time(database: Database) -> bool:
    async with database.reading() as db:
        return await db.fetch_value(
            "SELECT next_run > now() AND next_run <= now() + interval '366 days'"
            " AND to_char(next_run AT TIME ZONE 'UTC', 'MM-DD HH24:MI:SS') = '01-01 04:00:00'"
            " FROM jobs.pgqueuer_schedules WHERE entrypoint = 'guests._sweep'"
        )


async def test_old_news_of_jobs_is_forgotten(database: Database, guests: Guests, context: JobContext) -> None:
    runner = JobRunner([guests.jobs], context, Signals())
    async with database.transaction() as tx:
        await guests.jobs.enqueue_all(tx, guests.greet, [Greet("Ana")] * 3)
    await runner.drain()
    async with database.transaction() as tx:
        await tx.execute("UPDATE jobs.pgqueuer_log SET created = now() - interval '8 days' WHERE status = 'picked'")

    await prune(context)

    async with database.reading() as db:
        assert await db.fetch_values("SELECT status::text FROM jobs.pgqueuer_log") == ["successful"] * 3


def test_a_job_has_one_name_and_a_schedule_a_time_that_exists(context: JobContext) -> None:
    jobs = Jobs("guests")

    async def sweep(_: JobContext) -> None: ...

    jobs.schedule("61 * * * *")(sweep)
    with pytest.raises(RuntimeError, match="defined twice"):
        jobs.schedule("* * * * *")(sweep)
    with pytest.raises(ValueError, match="not a cron expression"):
        JobRunner([jobs], context, Signals())
    with pytest.raises(RuntimeError, match="same name"):
        JobRunner([housekeeping], context, Signals())


def test_waits_double_up_to_the_longest() -> None:
    retry = Retry(attempts=5, first_wait_seconds=2, longest_wait_seconds=10)

    assert [retry.wait(attempt) for attempt in range(1, 6)] == [*map(timedelta, [0] * 4, [2, 4, 8, 10]), None]


async def test_installing_twice_or_at_once_leaves_one_queue_and_nothing_that_notifies(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGQUEUER_PREFIX", "other_")
    database = Database(fresh_database)
    connections = [await database.connect() for _ in range(3)]

    await asyncio.gather(*[install(connection) for connection in connections])
    await install(connections[0])

    tables = await connections[0].fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ 'pgqueuer'")
    assert {row["relname"] for row in tables} == {
        "pgqueuer",
        "pgqueuer_log",
        "pgqueuer_schedules",
        "pgqueuer_statistics",
    }
    assert await what_notifies(connections[0]) == []
    for connection in connections:
        await connection.close()


async def test_a_queue_installed_by_the_library_itself_is_taken_over_without_its_trigger(fresh_database: str) -> None:
    connection = await Database(fresh_database).connect()
    await install(connection)
    await connection.execute(
        "CREATE FUNCTION jobs.pgqueuer_changed() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN PERFORM pg_notify('jobs', ''); RETURN NULL; END $$"
    )
    await connection.execute(
        "CREATE TRIGGER pgqueuer_changed AFTER INSERT ON jobs.pgqueuer EXECUTE FUNCTION jobs.pgqueuer_changed()"
    )
    assert await what_notifies(connection) != []
    await connection.execute("DROP INDEX jobs.pgqueuer_unique_dedupe_key")
    await connection.execute("ALTER TABLE jobs.pgqueuer DROP COLUMN headers")

    await install(connection)

    assert await what_notifies(connection) == []
    upgraded = await connection.fetchval("SELECT to_regclass('jobs.pgqueuer_unique_dedupe_key') IS NOT NULL")
    assert upgraded
    assert await connection.fetch("SELECT headers FROM jobs.pgqueuer") == []
    await connection.close()


async def what_notifies(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'jobs.%'"
        " UNION ALL SELECT proname FROM pg_proc WHERE prosrc ILIKE '%notify%'"
        " AND pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'jobs')"
    )
    return [row["name"] for row in rows]
