from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from harness import open_folder
from relay_process import CREATE_DIARY, Said, listeners

import criachat
from criachat.kit import postgres
from criachat.kit.db import Database
from criachat.kit.epochs import check_epoch
from criachat.kit.events import emit
from criachat.kit.migrate import migrate
from criachat.kit.partitions import make_partitions
from criachat.kit.relay import Relay

ANA, BRUNO = 1, 2
ROOT = Path(criachat.__file__).parents[1]
SCRIPT = Path(__file__).with_name("relay_process.py")
READ_DIARY = "SELECT words FROM diary WHERE account_id = $1 ORDER BY number"
READ_SEQUENCES = "SELECT sequence FROM diary WHERE account_id = $1 ORDER BY number"


@pytest.fixture
async def log() -> AsyncIterator[Database]:
    """A database whose log these tests write, on a server of its own."""
    with open_folder() as folder:
        server = await postgres.start(folder, tuning={"fsync": "off"})
        database = Database(server.url)
        database.on_connect(check_epoch)
        connection = await database.connect()
        await migrate(connection, also=(check_epoch, make_partitions))
        await connection.execute(CREATE_DIARY)
        await connection.close()
        await database.open()
        yield database
        await database.close()
        await server.stop()


@asynccontextmanager
async def relay_process(log: Database, *, stops: str = "nowhere") -> AsyncGenerator[Process]:
    """A relay of another process, at work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), log.url, stops, stdout=PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        await told(process, "running")
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def told(process: Process, what: str) -> None:
    """Wait until the process says so; it says other things as well."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while line := await process.stdout.readline():
            if line.decode().strip() == what:
                return
    raise AssertionError(f"the relay ended and never said: {what}")


async def say(log: Database, *words: str, account_id: int) -> None:
    async with log.transaction() as tx:
        await emit(tx, *(Said(account_id=account_id, words=word) for word in words))


async def read(log: Database, sql: Any, account_id: int) -> list[Any]:
    async with log.reading() as db:
        return await db.fetch_values(sql, account_id)


async def until_heard(log: Database, count: int, *, within: float) -> float:
    """How long it took until so many events were written down."""
    started = time.monotonic()
    async with log.reading() as db, asyncio.timeout(within):
        while await db.fetch_value("SELECT count(*) FROM diary") < count:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)
    return time.monotonic() - started


@pytest.mark.promise("EV-5")
@pytest.mark.parametrize("stops", ["idle", "statement"])
async def test_when_a_relay_is_killed_in_mid_batch_the_other_goes_on_within_five_seconds(
    log: Database, stops: str
) -> None:
    words = [*"abc", "trap", *"def"]
    async with relay_process(log, stops=stops) as victim, relay_process(log) as survivor:
        # Held still for a moment, so that it is the other one that takes the batch.
        survivor.send_signal(signal.SIGSTOP)
        await say(log, *words, account_id=ANA)
        await told(victim, "in mid-batch")
        survivor.send_signal(signal.SIGCONT)
        await say(log, "elsewhere", account_id=BRUNO)
        victim.kill()

        took = await until_heard(log, len(words) + 1, within=20)

    assert took < 5
    assert await read(log, READ_DIARY, ANA) == words
    assert await read(log, READ_SEQUENCES, ANA) == [1, 2, 3, 4, 5, 6, 7]
    assert await read(log, READ_DIARY, BRUNO) == ["elsewhere"]


@pytest.mark.promise("EV-5")
async def test_of_two_busy_relays_one_is_killed_again_and_again_and_nothing_is_lost_doubled_or_disordered(
    log: Database,
) -> None:
    accounts, words = range(1, 11), [str(number) for number in range(10)]
    rounds = 0
    async with relay_process(log):
        for _ in range(5):
            async with relay_process(log) as victim:
                victim_works = asyncio.create_task(told(victim, "heard"))
                while not victim_works.done():
                    for account_id in accounts:
                        await say(log, *words, account_id=account_id)
                    rounds += 1
                await victim_works
                victim.kill()

        await until_heard(log, len(accounts) * rounds * len(words), within=60)

    await Relay(log, [listeners]).drain()
    for account_id in accounts:
        assert await read(log, READ_DIARY, account_id) == words * rounds
        assert await read(log, READ_SEQUENCES, account_id) == list(range(1, rounds * len(words) + 1))
