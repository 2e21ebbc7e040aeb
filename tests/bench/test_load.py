"""The load client: its arithmetic, and what it says of servers that behave badly."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import repeat

import pytest
from hypothesis import given, strategies

from bench.load import Address, closed_loop, open_loop, percentile, request

GET = request("GET", "/")
GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"

Answer = Callable[[int, asyncio.Transport], None]


class Server(asyncio.Protocol):
    """Calls `answer` with the number of the request, for each request that comes."""

    count = 0

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert data == GET
        Server.count += 1
        self.answer(Server.count, self.transport)


@asynccontextmanager
async def served(answer: Answer) -> AsyncGenerator[Address]:
    Server.count = 0
    server = await asyncio.get_running_loop().create_server(lambda: Server(answer), "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()


@given(strategies.lists(strategies.floats(0, 100), min_size=1), strategies.floats(0.01, 1))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values: list[float], share: float) -> None:
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_percentiles_of_a_hundred_values_are_what_everybody_expects() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]


def test_nothing_measured_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.5))


async def test_a_closed_loop_has_one_request_on_its_way_for_each_connection() -> None:
    on_their_way: set[asyncio.Transport] = set()
    most = 0

    def answer(_number: int, transport: asyncio.Transport) -> None:
        nonlocal most
        assert transport not in on_their_way
        on_their_way.add(transport)
        most = max(most, len(on_their_way))
        asyncio.get_running_loop().call_soon(finish, transport)

    def finish(transport: asyncio.Transport) -> None:
        on_their_way.remove(transport)
        transport.write(GOOD)

    async with served(answer) as address:
        outcome = await closed_loop(address, repeat(GET), seconds=0.2, connections=4)

    assert most == 4
    assert outcome.answered == len(outcome.latencies) == Server.count
    assert outcome.errors == 0
    assert outcome.rate == pytest.approx(outcome.answered / 0.2)


async def test_an_answer_that_comes_in_pieces_is_one_answer() -> None:
    def answer(_number: int, transport: asyncio.Transport) -> None:
        for at in range(len(GOOD)):
            asyncio.get_running_loop().call_later(0.0005 * at, transport.write, GOOD[at : at + 1])

    async with served(answer) as address:
        outcome = await closed_loop(address, repeat(GET), seconds=0.2, connections=1)

    assert outcome.answered == Server.count > 0
    assert outcome.failures == {}


async def test_the_warm_up_is_answered_but_not_measured() -> None:
    async with served(lambda _number, transport: transport.write(GOOD)) as address:
        outcome = await open_loop(address, repeat(GET), rate=100, warm_up=0.2, seconds=0.3, connections=2)

    assert outcome.answered == 50
    assert len(outcome.latencies) == 30


async def test_an_open_loop_counts_the_wait_of_all_who_came_during_a_stall() -> None:
    stall = 0.25

    def answer(number: int, transport: asyncio.Transport) -> None:
        asyncio.get_running_loop().call_later(stall if number == 1 else 0, transport.write, GOOD)

    async with served(answer) as address:
        outcome = await open_loop(address, repeat(GET), rate=200, seconds=0.6, connections=1)

    assert len(outcome.latencies) == 120
    assert outcome.milliseconds(1.0) >= 1000 * stall
    # Those due in the first four fifths of the stall waited for its last fifth at least.
    assert sum(latency >= stall / 5 for latency in outcome.latencies) >= 0.8 * stall * 200


async def test_an_open_loop_keeps_its_rate_over_a_slow_server() -> None:
    def answer(_number: int, transport: asyncio.Transport) -> None:
        asyncio.get_running_loop().call_later(0.05, transport.write, GOOD)

    async with served(answer) as address:
        began = time.monotonic()
        outcome = await open_loop(address, repeat(GET), rate=100, seconds=0.5, connections=20)

    assert outcome.rate == pytest.approx(100)
    assert time.monotonic() - began < 2


async def test_refusals_and_lost_connections_are_failures_and_the_load_goes_on() -> None:
    def answer(number: int, transport: asyncio.Transport) -> None:
        if number == 1:
            transport.write(BAD)
        elif number == 2:
            transport.abort()
        else:
            transport.write(GOOD)

    async with served(answer) as address:
        outcome = await closed_loop(address, repeat(GET), seconds=0.4, connections=1)

    assert outcome.failures == {"503": 1, "disconnected": 1}
    assert outcome.answered == Server.count - 2 > 0
