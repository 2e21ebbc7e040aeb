"""Limits that all processes count together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from harness import World
from starlette.types import Message

from criachat.kit import clock
from criachat.kit.addresses import read_networks
from criachat.kit.errors import TooMany
from criachat.kit.http.request import Request
from criachat.kit.limits import Limit
from criachat.kit.shared_limits import SharedLimiter
from criachat.kit.tokens import random_token

FRONT = Limit("front", 3, 60, "address", "Knocking", exempts_loopback=False)
FAMILY = Limit("family", 2, 60, "email", "Knocking at one family's door")


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def asking(address: str, forwarded_for: str | None = None) -> Request:
    headers = [] if forwarded_for is None else [(b"x-forwarded-for", forwarded_for.encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    return Request({**scope, "client": (address, 4711)}, _nothing)


def limiter(world: World, **chosen: Any) -> SharedLimiter:
    return SharedLimiter(world.parts.database, world.keyring, (FRONT, FAMILY), **chosen)


@pytest.fixture
def family() -> str:
    """One that nobody else knocks at."""
    return f"{random_token(10)}@example.com"


@pytest.fixture(autouse=True)
def later() -> None:
    """Each test at another time, when nobody of the tests before counts any more."""
    clock.travel(timedelta(hours=1))


async def refused(counting: SharedLimiter, request: Request, **subjects: str | None) -> TooMany | None:
    try:
        await counting.count(request, subjects)
    except TooMany as refusal:
        return refusal
    return None


async def test_who_is_refused_is_told_when_to_come_back_and_is_let_in_then(world: World, family: str) -> None:
    counting = limiter(world)

    for _ in range(2):
        assert await refused(counting, asking("203.0.113.1"), family=family) is None
        clock.travel(timedelta(seconds=20))
    too_soon = await refused(counting, asking("203.0.113.1"), family=family)
    clock.travel(timedelta(seconds=20))
    in_time = await refused(counting, asking("203.0.113.1"), family=family)
    again = await refused(counting, asking("203.0.113.1"), family=family)

    assert too_soon is not None
    assert too_soon.told["Retry-After"] == "20"
    assert in_time is None
    assert again is not None


async def test_what_is_left_is_told_in_the_answer(world: World, family: str) -> None:
    request = asking("203.0.113.2")

    await limiter(world).count(request, {"front": None, "family": family})

    told = dict(request.told)
    assert told["RateLimit"] == '"family";r=1;t=60, "front";r=2;t=60'
    assert told["RateLimit-Policy"] == '"family";q=2;w=60, "front";q=3;w=60'


async def test_each_subject_is_counted_for_itself(world: World, family: str) -> None:
    counting = limiter(world)

    for _ in range(2):
        await counting.count(asking("203.0.113.3"), {"family": family})

    assert await refused(counting, asking("203.0.113.3"), family=f"other {family}") is None
    assert await refused(counting, asking("203.0.113.4"), family=family) is not None


async def test_an_address_is_the_one_behind_trusted_proxies(world: World) -> None:
    counting = limiter(world, trusted_proxies=read_networks(["10.0.0.0/8"]))

    first = [await refused(counting, asking("10.0.0.1", "203.0.113.5"), front=None) for _ in range(4)]
    other = await refused(counting, asking("10.0.0.1", "203.0.113.6"), front=None)
    forged = [await refused(counting, asking("203.0.113.7", f"203.0.114.{n}"), front=None) for n in range(4)]

    assert [each is None for each in first] == [True, True, True, False]
    assert other is None
    assert [each is None for each in forged] == [True, True, True, False]


async def test_this_machine_is_exempt_where_the_limit_says_so(world: World, family: str) -> None:
    counting = limiter(world)

    at_home = [await refused(counting, asking("127.0.0.1"), family=family) for _ in range(3)]
    at_the_front = [await refused(counting, asking("127.0.0.1"), front=None) for _ in range(4)]

    assert at_home == [None] * 3
    assert [each is None for each in at_the_front] == [True, True, True, False]


async def test_what_is_done_several_times_at_once_counts_whole_or_not_at_all(world: World, family: str) -> None:
    counting = limiter(world)

    async def too_many(times: int) -> str | None:
        try:
            await counting.count_one("front", family, times=times)
        except TooMany as refusal:
            return refusal.told["Retry-After"]
        return None

    never = await too_many(4)
    first = await too_many(2)
    clock.travel(timedelta(seconds=20))
    second = [await too_many(2), await too_many(1), await too_many(1), await too_many(3)]
    clock.travel(timedelta(seconds=40))
    third = [await too_many(3), await too_many(2)]

    assert (never, first) == ("60", None)
    assert second == ["40", None, "40", "60"]
    assert third == ["20", None]


async def test_limits_that_are_off_or_unknown_count_nothing(world: World, family: str) -> None:
    off = limiter(world, is_on=False)

    with_none = [await refused(off, asking("203.0.113.8"), family=family) for _ in range(3)]
    unknown = [await refused(limiter(world), asking("203.0.113.8"), nothing=family) for _ in range(3)]

    assert with_none == unknown == [None] * 3
