"""The yardstick of deliveries: a bare `aiohttp` client that posts the same bodies to the same receiver."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle

import aiohttp

from bench.child import Answers, child

HEADERS = {"content-type": "application/json"}


async def post(url: str, bodies: Sequence[bytes], *, seconds: float, at_once: int) -> float:
    """How many it posted in a second, so many at once, in a process of its own."""
    async with child(_begin) as process:
        return await process.call("post", url, list(bodies), seconds, at_once)


async def _begin() -> Answers:
    return {"post": _post}


async def _post(url: str, bodies: list[bytes], seconds: float, at_once: int) -> float:
    next_body = cycle(bodies)
    began = time.monotonic()
    ends = began + seconds
    posted = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:

        async def keep_posting() -> None:
            nonlocal posted
            while time.monotonic() < ends:
                async with session.post(url, data=next(next_body), headers=HEADERS) as answer:
                    answer.raise_for_status()
                    await answer.read()
                posted += 1

        await asyncio.gather(*(keep_posting() for _ in range(at_once)))
    return posted / (time.monotonic() - began)
