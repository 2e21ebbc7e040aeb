from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from harness import PATIENCE_SECONDS

from criachat.kit import clock, handover, postgres, relay
from criachat.kit.db import Database, Tx
from criachat.kit.epochs import check_epoch
from criachat.kit.events import EVENTS_TOPIC, Event, Listeners, declare, emit
from criachat.kit.failures import Failure, list_failures, replay_failure
from criachat.kit.migrate import migrate
from criachat.kit.partitions import make_partitions
from criachat.kit.relay import Relay
from criachat.kit.relay.lag import lag

ANA, BRUNO = 1, 2
A_LONG_TIME = 3600.0
CREATE_DIARY = "CREATE TABLE diary (number bigserial, account_id bigint, listener text, sequence bigint, words text)"
WRITE_DIARY = "INSERT INTO diary (account_id, listener, sequence, words) VALUES ($1, $2, $3, $4)"
READ_DIARY = "SELECT words FROM diary WHERE account_id = $1 AND listener = $2 ORDER BY number"
# Deferred triggers see how a transaction is about to be committed.
NOTE_COMMITS = """
CREATE TABLE commits (waits text);
CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO commits VALUES (current_setting('synchronous_commit'));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER note_commit AFTER INSERT ON diary DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION note_commit();
"""
EMIT_BROKEN = """
INSERT INTO events (account_id, epoch, name, details, created_at)
SELECT $1, epoch, 'relay_said', '{"words": 5}', $2 FROM event_epoch
"""


@declare("relay_said")
class Said(Event, frozen=True, kw_only=True):
    """Somebody of these tests said something."""

    words: str


class Diary:
    """A listener that writes down what it hears, in its transaction, and does as it is told before and after."""

    def __init__(self, name: str = "diary") -> None:
        self.name = name
        self.listeners = Listeners(name)
        self.first: Callable[[Tx, Sequence[Said]], Awaitable[None]] | None = None
        self.then: Callable[[Tx, Sequence[Said]], Awaitable[None]] | None = None
        self.batches: list[int] = []
        self.listeners.on(Said)(self.write)

    async def write(self, tx: Tx, events: Sequence[Said]) -> None:
        if self.first is not None:
            await self.first(tx, events)
        rows: list[tuple[object, ...]] = [
            (event.account_id, self.name, event.sequence, event.words) for event in events
        ]
        await tx.execute_many(WRITE_DIARY, rows)
        if self.then is not None:
            await self.then(tx, events)
        self.batches.append(len(events))

    def fails_at(self, *words: str) -> None:
        """Fail whenever one of these words is heard, after having written."""

        async def fail(_: Tx, events: Sequence[Said]) -> None:
            if any(event.words in words for event in events):
                raise ValueError("that was too much")

        self.then = fail


class Wait:
    """Something for a listener to do: stop in the middle of its batch until told to go on."""

    def __init__(self) -> None:
        self.is_there = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def __call__(self, _tx: Tx, _events: Sequence[Said]) -> None:
        self.is_there.set()
        await self.may_go_on.wait()


@pytest.fixture
async def log(migrated: Database) -> AsyncIterator[Database]:
    """A database whose log these tests write."""
    connection = await migrated.connect()
    await connection.execute(CREATE_DIARY)
    yield migrated
    await connection.close()


@pytest.fixture
def diary() -> Diary:
    return Diary()


async def say(database: Database, *words: str, account_id: int = ANA) -> None:
    async with database.transaction() as tx:
        await emit(tx, *(Said(account_id=account_id, words=word) for word in words))


async def heard(database: Database, diary: Diary, account_id: int = ANA) -> list[Any]:
    async with database.reading() as db:
        return await db.fetch_values(READ_DIARY, account_id, diary.name)


async def sequences(database: Database, account_id: int = ANA) -> list[Any]:
    async with database.reading() as db:
        return await db.fetch_values("SELECT sequence FROM diary WHERE account_id = $1 ORDER BY number", account_id)


async def failures(database: Database) -> list[Failure]:
    async with database.reading() as db:
        return await list_failures(db)


@asynccontextmanager
async def running(relay: Relay, database: Database) -> AsyncGenerator[None]:
    """The relay at work, woken by commits of this process."""
    database.wake = lambda topic, _part="": relay.wake() if topic == EVENTS_TOPIC else None
    work = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


# --- order, and nothing skipped


@pytest.mark.promise("EV-1")
async def test_a_transaction_that_commits_late_is_not_skipped(log: Database, diary: Diary) -> None:
    relay = Relay(log, [diary.listeners])
    slow, quick = await log.connect(), await log.connect()
    async with slow.transaction():
        await emit(Tx(slow, log.statements), Said(account_id=ANA, words="first id, last commit"))
        await emit_on(quick, "second id, first commit")
        await relay.drain(ANA, patience_seconds=0)
        heard_meanwhile = await heard(log, diary)
    await relay.drain(ANA)

    assert heard_meanwhile == []
    assert await heard(log, diary) == ["first id, last commit", "second id, first commit"]
    await slow.close()
    await quick.close()


async def emit_on(connection: Any, words: str) -> None:
    async with connection.transaction():
        await emit(Tx(connection, Database("").statements), Said(account_id=ANA, words=words))


async def test_events_are_heard_in_commit_order_and_counted_for_each_account(log: Database, diary: Diary) -> None:
    for number in range(3):
        await say(log, f"{number}a", f"{number}b")
    await say(log, "elsewhere", account_id=BRUNO)

    await Relay(log, [diary.listeners]).drain()

    assert await heard(log, diary) == ["0a", "0b", "1a", "1b", "2a", "2b"]
    assert await sequences(log) == [1, 2, 3, 4, 5, 6]
    assert await sequences(log, BRUNO) == [1]


async def test_a_listener_gets_its_batch_at_once(log: Database, diary: Diary) -> None:
    await say(log, *map(str, range(20)))

    await Relay(log, [diary.listeners]).drain()

    assert diary.batches == [20]


async def test_a_slow_transaction_does_not_have_events_walked_one_by_one(log: Database, diary: Diary) -> None:
    async def take_long(_tx: Tx, _events: Sequence[Said]) -> None:
        await asyncio.sleep(2 * relay.WORK_SECONDS)

    diary.then = take_long
    walking = Relay(log, [diary.listeners])
    await say(log, "alone")
    await walking.drain()
    await say(log, *map(str, range(2 * relay.FEWEST)))

    await walking.drain()

    assert diary.batches == [1, relay.FEWEST, relay.FEWEST]


async def test_what_a_listener_emits_is_heard_too(log: Database, diary: Diary) -> None:
    async def echo(tx: Tx, events: Sequence[Said]) -> None:
        await emit(tx, *(Said(account_id=ANA, words="echo") for event in events if event.words != "echo"))

    diary.then = echo
    await say(log, "hello")

    await Relay(log, [diary.listeners]).drain(ANA)

    assert await heard(log, diary) == ["hello", "echo"]


async def test_news_seen_by_another_relay_while_an_account_is_walked_is_not_forgotten(
    log: Database, diary: Diary
) -> None:
    await say(log, "one")
    # Before it has written anything: so its transaction does not hold back what is said meanwhile.
    diary.first = wait = Wait()
    first = asyncio.create_task(Relay(log, [diary.listeners]).drain(ANA))
    await wait.is_there.wait()

    await say(log, "two")
    await Relay(log, [diary.listeners]).drain(BRUNO, patience_seconds=0)
    wait.may_go_on.set()
    await first

    assert await heard(log, diary) == ["one", "two"]


# --- once, whoever works


async def test_two_relays_at_once_hand_over_each_event_once_and_in_order(log: Database, diary: Diary) -> None:
    accounts = range(1, 16)
    words = [f"{number}" for number in range(40)]
    other = Database(log.url)
    await other.open()
    for start in range(0, 40, 8):
        for account_id in accounts:
            await say(log, *words[start : start + 8], account_id=account_id)

    await asyncio.gather(
        *(Relay(database, [diary.listeners]).drain() for database in (log, other)),
        *(say(log, "40", account_id=account_id) for account_id in accounts),
    )
    await Relay(log, [diary.listeners]).drain()

    for account_id in accounts:
        assert await heard(log, diary, account_id) == [*words, "40"]
        assert await sequences(log, account_id) == list(range(1, 42))
    await other.close()


async def test_a_relay_cut_off_in_mid_batch_leaves_nothing_behind(log: Database, diary: Diary) -> None:
    await say(log, "one", "two")
    diary.then = wait = Wait()
    walking = asyncio.create_task(Relay(log, [diary.listeners]).drain(ANA))
    await wait.is_there.wait()
    walking.cancel()
    with suppress(asyncio.CancelledError):
        await walking
    diary.then = None

    await Relay(log, [diary.listeners]).drain(ANA)

    assert await heard(log, diary) == ["one", "two"]


# --- fairness


async def test_a_noisy_account_does_not_keep_others_waiting(log: Database, diary: Diary) -> None:
    order: list[int] = []

    async def note(_: Tx, events: Sequence[Said]) -> None:
        order.extend(event.account_id for event in events)

    diary.then = note
    for _ in range(10):
        await say(log, *["noise"] * 100, account_id=BRUNO)
    await say(log, "a word, please")

    await Relay(log, [diary.listeners]).drain()

    assert order.count(BRUNO) == 1000
    assert order.index(ANA) <= 2 * relay.BATCH


async def test_a_listener_that_hangs_in_one_account_holds_up_the_others_only_until_it_is_cut_off(
    log: Database, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "LISTENER_SECONDS", 0.1)
    is_there, never = asyncio.Event(), asyncio.Event()
    was_heard = asyncio.Event()

    async def hang(_: Tx, events: Sequence[Said]) -> None:
        if events[0].account_id == BRUNO:
            is_there.set()
            await never.wait()
        else:
            was_heard.set()

    diary.then = hang
    await say(log, *["stuck"] * 100, account_id=BRUNO)
    async with running(Relay(log, [diary.listeners]), log):
        await is_there.wait()
        await say(log, "a word, please")
        await was_heard.wait()
        assert len(await failures(log)) < 100


# --- failures


@pytest.mark.promise("EV-4")
async def test_an_event_a_listener_cannot_take_is_set_aside_and_blocks_nobody(log: Database, diary: Diary) -> None:
    healthy = Diary("healthy")
    diary.fails_at("poison")
    await say(log, *"abc", "poison", *"defg")
    await say(log, "elsewhere", account_id=BRUNO)

    await Relay(log, [diary.listeners, healthy.listeners]).drain()

    assert await heard(log, diary) == [*"abcdefg"]
    assert await heard(log, healthy) == [*"abc", "poison", *"defg"]
    assert await heard(log, diary, BRUNO) == await heard(log, healthy, BRUNO) == ["elsewhere"]
    (failure,) = await failures(log)
    assert (failure.account_id, failure.listener, failure.event_name) == (ANA, "diary.write", "relay_said")
    assert "that was too much" in failure.error


@pytest.mark.promise("EV-4")
async def test_a_failure_is_tried_again_later_and_forgotten_when_it_works(log: Database, diary: Diary) -> None:
    relay = Relay(log, [diary.listeners])
    diary.fails_at("poison")
    await say(log, "a", "poison", "b")
    await relay.drain()
    tried_at_once = await relay.retry_failures()
    clock.travel(timedelta(seconds=6))
    tried_later = await relay.retry_failures()
    (failure,) = await failures(log)
    diary.then = None
    clock.travel(timedelta(seconds=31))

    tried_last = await relay.retry_failures()

    assert [tried_at_once, tried_later, tried_last] == [0, 1, 1]
    assert failure.tries == 2
    assert failure.due_at is not None
    assert await failures(log) == []
    assert await heard(log, diary) == ["a", "b", "poison"]
    assert await sequences(log) == [1, 3, 2]


async def test_after_three_days_it_waits_for_somebody_to_replay_it(log: Database, diary: Diary) -> None:
    relay = Relay(log, [diary.listeners])
    diary.fails_at("poison")
    await say(log, "poison")
    await relay.drain()
    started = clock.now()
    while (failure := (await failures(log))[0]).due_at is not None:
        clock.travel(failure.due_at - clock.now())
        await relay.retry_failures()
    took = clock.now() - started
    diary.then = None
    clock.travel(timedelta(days=30))
    assert await relay.retry_failures() == 0

    async with log.transaction() as tx:
        is_known = await replay_failure(tx, failure.account_id, failure.id)
        is_unknown = await replay_failure(tx, BRUNO, failure.id)
    await relay.retry_failures()

    assert timedelta(days=2, hours=20) < took < timedelta(days=3, hours=4)
    assert (is_known, is_unknown) == (True, False)
    assert await failures(log) == []
    assert await heard(log, diary) == ["poison"]


async def test_a_running_relay_tries_failures_again_by_itself(log: Database, diary: Diary) -> None:
    diary.fails_at("poison")
    await say(log, "poison")
    relay = Relay(log, [diary.listeners])
    await relay.drain()
    was_heard = asyncio.Event()

    async def note(_tx: Tx, _events: Sequence[Said]) -> None:
        was_heard.set()

    diary.then = note
    clock.travel(timedelta(seconds=6))

    async with running(relay, log):
        await was_heard.wait()


async def test_a_listener_that_always_fails_has_everything_set_aside_in_order(log: Database, diary: Diary) -> None:
    healthy = Diary("healthy")
    words = [str(number) for number in range(12)]
    diary.fails_at(*words)
    await say(log, *words)
    relay = Relay(log, [diary.listeners, healthy.listeners])
    await relay.drain()
    diary.then = None
    clock.travel(timedelta(seconds=6))

    assert await relay.retry_failures() == 12

    assert sorted(await heard(log, diary), key=int) == words
    assert await heard(log, healthy) == words


async def test_a_listener_that_hangs_is_cut_off_and_its_event_set_aside(
    log: Database, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "LISTENER_SECONDS", 0.05)
    never = asyncio.Event()

    async def hang(_: Tx, events: Sequence[Said]) -> None:
        if any(event.words == "poison" for event in events):
            await never.wait()

    diary.then = hang
    await say(log, "a", "poison", "b")

    await Relay(log, [diary.listeners]).drain()

    assert await heard(log, diary) == ["a", "b"]
    assert [failure.listener for failure in await failures(log)] == ["diary.write"]


async def test_a_listener_that_swallows_an_error_of_the_database_is_found_out(log: Database, diary: Diary) -> None:
    healthy = Diary("healthy")

    async def swallow(tx: Tx, _: Sequence[Said]) -> None:
        with suppress(asyncpg.PostgresError):
            await tx.execute("SELECT 1 / 0")

    diary.then = swallow
    await say(log, "hello")

    await Relay(log, [diary.listeners, healthy.listeners]).drain()

    assert await heard(log, diary) == []
    assert await heard(log, healthy) == ["hello"]
    assert [failure.listener for failure in await failures(log)] == ["diary.write"]


async def test_work_undone_by_a_listener_itself_stays_undone_when_the_rest_fails(log: Database, diary: Diary) -> None:
    async def fail_twice(tx: Tx, _: Sequence[Said]) -> None:
        with suppress(KeyError):
            async with tx.savepoint():
                raise KeyError
        raise ValueError

    diary.then = fail_twice
    await say(log, "hello")

    await Relay(log, [diary.listeners]).drain()

    assert await heard(log, diary) == []
    assert len(await failures(log)) == 1


async def test_an_event_that_cannot_be_read_is_set_aside_as_it_stands(log: Database, diary: Diary) -> None:
    await say(log, "before")
    async with log.transaction() as tx:
        await tx.execute(EMIT_BROKEN, ANA, clock.now())
    await say(log, "after")

    await Relay(log, [diary.listeners]).drain()

    assert await heard(log, diary) == ["before", "after"]
    assert [failure.event_name for failure in await failures(log)] == ["relay_said"]


async def test_a_failure_of_a_listener_that_is_gone_is_kept_and_says_so(log: Database, diary: Diary) -> None:
    diary.fails_at("poison")
    await say(log, "poison")
    await Relay(log, [diary.listeners]).drain()
    clock.travel(timedelta(seconds=6))

    await Relay(log, []).retry_failures()

    (failure,) = await failures(log)
    assert "ListenerGone" in failure.error


# --- who hears from when on


async def test_a_new_listener_starts_at_the_present(log: Database, diary: Diary) -> None:
    await Relay(log, [diary.listeners]).start_listeners()
    await say(log, "before")
    newcomer = Diary("newcomer")
    relay = Relay(log, [diary.listeners, newcomer.listeners])
    await relay.start_listeners()
    await say(log, "after")

    await relay.drain()

    assert await heard(log, diary) == ["before", "after"]
    assert await heard(log, newcomer) == ["after"]


async def test_a_listener_that_was_there_before_a_restart_misses_nothing(log: Database, diary: Diary) -> None:
    await Relay(log, [diary.listeners]).start_listeners()
    await say(log, "meanwhile")

    await Relay(log, [diary.listeners]).drain()

    assert await heard(log, diary) == ["meanwhile"]


async def test_on_a_new_installation_nothing_is_missed_before_the_first_start(log: Database, diary: Diary) -> None:
    await say(log, "the first words")

    await Relay(log, [diary.listeners]).drain()

    assert await heard(log, diary) == ["the first words"]


def test_two_listeners_of_one_name_are_refused() -> None:
    with pytest.raises(RuntimeError, match="same name"):
        Relay(Database(""), [Diary().listeners, Diary().listeners])


# --- at work


async def test_a_running_relay_is_woken_by_a_commit(
    log: Database, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SWEEP_SECONDS", A_LONG_TIME)
    was_heard = asyncio.Event()

    async def note(_tx: Tx, _events: Sequence[Said]) -> None:
        was_heard.set()

    diary.then = note
    async with running(Relay(log, [diary.listeners]), log):
        for word in ("one", "two", "three"):
            was_heard.clear()
            await say(log, word)
            await was_heard.wait()


async def test_an_event_held_back_by_a_neighbour_is_heard_soon_after_though_nobody_wakes_the_relay(
    log: Database, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SWEEP_SECONDS", A_LONG_TIME)
    was_heard = asyncio.Event()

    async def note(_tx: Tx, _events: Sequence[Said]) -> None:
        was_heard.set()

    diary.then = note
    neighbour = await log.connect()
    async with running(Relay(log, [diary.listeners]), log):
        async with neighbour.transaction():
            await neighbour.execute("INSERT INTO diary (words) VALUES ('something else')")
            await say(log, "held back")
            await until_it_looked_twice(log)
        await was_heard.wait()
    await neighbour.close()


async def until_it_looked_twice(database: Database) -> None:
    """The relay is all that uses this database now."""
    before = database.statements.count
    while database.statements.count < before + 2 * 5:  # noqa: ASYNC110 - counting is all we can do
        await asyncio.sleep(0.001)


async def test_a_restart_of_the_database_heals_by_itself(server_folder: Path, diary: Diary) -> None:
    server = await postgres.start(server_folder, tuning={"fsync": "off"})
    database = Database(server.url)
    database.on_connect(check_epoch)
    connection = await database.connect()
    await migrate(connection, also=(check_epoch, make_partitions))
    await connection.execute(CREATE_DIARY)
    await database.open()
    was_heard = asyncio.Event()

    async def note(_tx: Tx, _events: Sequence[Said]) -> None:
        was_heard.set()

    diary.then = note
    async with running(Relay(database, [diary.listeners]), database):
        await say(database, "before")
        await was_heard.wait()
        was_heard.clear()
        await server.stop()
        server = await postgres.start(server_folder, tuning={"fsync": "off"})
        speaker = Database(server.url)
        await speaker.open()
        await say(speaker, "after")
        await was_heard.wait()

    await Relay(speaker, [diary.listeners]).drain()
    assert await heard(speaker, diary) == ["before", "after"]
    await speaker.close()
    await database.close()
    await server.stop()


async def test_lag_tells_what_waits_and_for_how_long(log: Database, diary: Diary) -> None:
    relay = Relay(log, [diary.listeners])
    await say(log, "long ago")
    clock.travel(timedelta(minutes=5))

    async with log.reading() as db:
        before = await lag(db)
        await relay.drain()
        after = await lag(db)

    assert 300 <= before.seconds < 330
    assert (after.seconds, after.accounts, after.failures) == (0, 0, 0)


async def test_nobody_is_looked_at_for_ever_when_what_was_news_is_gone(log: Database, diary: Diary) -> None:
    first = Relay(log, [diary.listeners])
    await say(log, "erased")
    await first.drain(BRUNO)
    async with log.transaction() as tx:
        await tx.execute("DELETE FROM events WHERE account_id = $1", ANA)
    await say(log, "kept", account_id=BRUNO)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await first.drain()
    await say(log, "later")
    await first.drain()

    assert await heard(log, diary) == ["later"]


@pytest.mark.parametrize(("said", "waits"), [(["answer"], "on"), ([], "off")])
async def test_only_a_walk_that_emits_waits_for_the_disk(
    log: Database, diary: Diary, said: list[str], waits: str
) -> None:
    connection = await log.connect()
    await connection.execute(NOTE_COMMITS)

    async def answer(tx: Tx, _: Sequence[Said]) -> None:
        await emit(tx, *(Said(account_id=BRUNO, words=words) for words in said))

    diary.then = answer
    await say(log, "hello")
    await Relay(log, [diary.listeners]).drain(ANA)

    noted = await connection.fetchval("SELECT waits FROM commits")
    await connection.close()
    assert noted == waits
