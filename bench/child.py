"""Processes of ours beside the server: what they do must not be charged to the process that loads it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any

import uvloop

END_SECONDS = 10.0
LOOK_SECONDS = 0.25
QUIET_LOOKS = 8
Answers = Mapping[str, Callable[..., Awaitable[Any]]]
Begin = Callable[[], Awaitable[Answers]]


class Child:
    """A process that answers calls, one at a time."""

    def __init__(self, process: Any, pipe: Connection[Any, Any]) -> None:
        self.pid: int = process.pid
        self._pipe = pipe
        self._process = process

    async def call(self, name: str, *values: object) -> Any:
        """What its function of this name returns."""
        self._pipe.send((name, values))
        answer = await asyncio.to_thread(self._pipe.recv)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def end(self) -> None:
        """Have it end."""
        self._pipe.close()
        await asyncio.to_thread(self._process.join, END_SECONDS)
        if self._process.is_alive():
            self._process.kill()


@asynccontextmanager
async def child(begin: Begin) -> AsyncGenerator[Child]:
    """A process that runs `begin`, and then answers with the functions it returned."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(begin, theirs), daemon=True)
    process.start()
    theirs.close()
    made = Child(process, ours)
    try:
        yield made
    finally:
        await made.end()


async def settled(count: Callable[[], Awaitable[int]]) -> int:
    """Wait until a count that was growing has stood still for two seconds; what it is then."""
    last, looks = await count(), 0
    while looks < QUIET_LOOKS:
        await asyncio.sleep(LOOK_SECONDS)
        now = await count()
        looks = looks + 1 if now == last else 0
        last = now
    return last


def _run(begin: Begin, pipe: Connection[Any, Any]) -> None:
    uvloop.run(_answer(begin, pipe))


async def _answer(begin: Begin, pipe: Connection[Any, Any]) -> None:
    answers = await begin()
    there_is_news = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), there_is_news.set)
    # The loop made it non-blocking, and a long call comes in pieces.
    os.set_blocking(pipe.fileno(), True)
    while True:
        await there_is_news.wait()
        there_is_news.clear()
        try:
            while pipe.poll():
                name, values = pipe.recv()
                pipe.send(await _outcome(answers, name, values))
        except (EOFError, OSError):
            return


async def _outcome(answers: Answers, name: str, values: tuple[object, ...]) -> Any:
    try:
        return await answers[name](*values)
    except Exception as failure:  # noqa: BLE001 - the caller, in the other process, decides what to do
        return RuntimeError(f"{name}: {failure!r}")
