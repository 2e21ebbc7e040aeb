"""Answers that are sent piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from doors import application
from harness import PATIENCE_SECONDS, World
from wires import served

from criachat.kit.actors import ANYONE
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes


class Tap:
    """Runs until somebody turns it off."""

    def __init__(self) -> None:
        self.is_off = asyncio.Event()

    async def run(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"drop\n"
                await asyncio.sleep(0)
        finally:
            self.is_off.set()

    async def drip(self) -> AsyncIterator[bytes]:
        """One drop, and no other."""
        try:
            yield b"drop\n"
            await asyncio.Event().wait()
        finally:
            self.is_off.set()


@pytest.mark.parametrize("way", ["run", "drip"])
async def test_a_stream_ends_when_its_reader_hangs_up(world: World, way: str) -> None:
    tap, routes = Tap(), Routes("/tap", tag="Tests")

    @routes.get(actors=ANYONE)
    async def open_tap() -> Stream:  # pyright: ignore[reportUnusedFunction]
        return Stream(getattr(tap, way)(), content_type="text/plain")

    async with served(application(world, routes)) as address, httpx.AsyncClient() as client:
        async with client.stream("GET", f"http://{address}/tap") as answer:
            first = await anext(answer.aiter_lines())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await tap.is_off.wait()

    assert first == "drop"


async def test_a_stream_that_breaks_off_is_seen_to_have_broken_off_and_counted(world: World) -> None:
    counted: list[tuple[object, ...]] = []
    routes = Routes("/broken", tag="Tests")

    async def break_off() -> AsyncIterator[bytes]:
        yield b"drop\n"
        raise ValueError("the tap fell off")

    @routes.get(actors=ANYONE)
    async def open_tap() -> Stream:  # pyright: ignore[reportUnusedFunction]
        return Stream(break_off(), content_type="text/plain")

    broken = application(world, routes, count=lambda *request: counted.append(request[:3]))
    async with served(broken) as address, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"http://{address}/broken")

    assert counted == [("GET", "/broken", 200)]
