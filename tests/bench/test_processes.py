"""The processes beside the one that measures: clients of sockets, the echo server, the receiver of webhooks."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from harness import Given

from bench import poster
from bench.bare import Script, bare, script_of
from bench.child import settled
from bench.echo import echo
from bench.listener import listeners
from bench.marks import BLANK_CONTENT, Marked, mark_in
from bench.receiver import receiver

CREATED = b'{"message":{"event":"message.created","data":{"content":"bench-mark-00000007"}}}'
UPDATED = b'{"message":{"event":"message.updated","data":{"content":"bench-mark-00000007"}}}'


@pytest.mark.parametrize("size", [1, 125, 126, 65_535])
async def test_every_frame_comes_back_whatever_its_length(size: int) -> None:
    async with echo() as server, listeners(server.address, "/") as clients:
        await clients.open([b""] * 3)
        await clients.send(b"x" * size, 2)
        frames, size_of_all, _ = await clients.take()

        assert (frames, size_of_all) == (6, 6 * size)
        assert await clients.close(keep=1) == 0


async def test_only_a_message_that_was_created_counts_as_arrived() -> None:
    before = time.monotonic()
    async with echo() as server, listeners(server.address, "/") as clients:
        await clients.open([b""])
        await clients.send(UPDATED, 1)
        await clients.send(CREATED, 1)
        frames, _, arrivals = await clients.take()

    assert frames == 2
    assert [mark for mark, _ in arrivals] == [7]
    assert before < arrivals[0][1] < time.monotonic()


async def test_the_receiver_notes_each_delivery_of_a_connection_that_is_kept() -> None:
    async with receiver() as target:
        rate = await poster.post(target.url("/hook"), [CREATED, b"{}"], seconds=0.3, at_once=2)
        count = await target.quiet()
        arrivals, bodies = await target.take()

        assert await target.quiet() == 0

    assert count == len(arrivals) == pytest.approx(0.3 * rate, rel=0.2)
    assert {each.mark for each in arrivals} == {7, None}
    assert set(bodies) == {CREATED, b"{}"}


def test_every_request_has_a_mark_of_its_own_and_the_moment_it_was_sent() -> None:
    requests = Marked(iter([BLANK_CONTENT.encode()] * 2), first=41)

    marks = [mark_in(request) for request in requests]

    assert marks == [41, 42] == list(requests.sent_at)
    assert mark_in(b"nothing of ours") is None


async def test_a_count_is_settled_when_it_has_stood_still_for_a_while() -> None:
    counts = iter([0, 1, 2, 3, *[4] * 50])

    async def count() -> int:
        return next(counts)

    assert await asyncio.wait_for(settled(count), 5) == 4


async def test_the_bare_server_answers_each_request_with_the_rows_of_its_statement(given: Given) -> None:
    script = Script("SELECT number, number * 2 AS double FROM generate_series(1, $1) AS number", 3, 3)

    async with (
        bare(script, given.world.parts.database.url) as address,
        aiohttp.ClientSession(f"http://{address.host}:{address.port}") as session,
        session.get("/") as answer,
    ):
        rows = await answer.json()

    assert rows == [{"number": number, "double": 2 * number} for number in (1, 2, 3)]


def test_a_yardstick_becomes_a_statement_with_one_value() -> None:
    script = script_of("-- What it is.\n\\set place random(0, :busy)\nSELECT 1\nOFFSET :place * 25;\n", {"busy": 40})

    assert script.statement.endswith("SELECT 1\nOFFSET $1 * 25")
    assert (script.first, script.last) == (0, 40)
