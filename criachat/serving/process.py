"""What one process does: answer requests, or work behind them, or both, until it is cancelled."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Final

import structlog
import uvicorn
import uvloop

from criachat.main import Loop, Parts
from criachat.serving.address import BACKLOG, listen

log = structlog.get_logger()

DRAIN_SECONDS: Final = 25
# Longer than the reverse proxies in front of us keep theirs, so that it is never us who hang up under a request.
KEEP_ALIVE_SECONDS: Final = 75
LARGEST_FRAME_BYTES: Final = 1024 * 1024 + 1024

Ready = Callable[[], Awaitable[None]]
"""Told when requests are taken."""


class _Server(uvicorn.Server):
    """Uvicorn, stopped by us instead of by signals, with a word to those who stay connected before they are cut off."""

    def __init__(self, parts: Parts, is_ready: Ready) -> None:
        super().__init__(
            uvicorn.Config(
                parts,
                http="httptools",
                ws="websockets-sansio",
                ws_max_size=LARGEST_FRAME_BYTES,
                # Frames are small, and a compressor for each open socket costs four times what the socket does.
                ws_per_message_deflate=False,
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._parts = parts
        self._is_ready = is_ready

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._is_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._parts.say_goodbye()
        await super().shutdown(sockets)


async def run_web(parts: Parts, listening: socket.socket, is_ready: Ready) -> None:
    """Answer requests until cancelled; then take no more, finish those under way, and tell sockets to come back."""
    listen(listening)
    _keep_what_is_there()
    await parts.cable.open()
    server = _Server(parts, is_ready)
    async with asyncio.TaskGroup() as loops:
        for loop in parts.web_loops:
            loops.create_task(_forever(loop))
        serving = asyncio.create_task(server.serve([listening]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise


async def run_worker(parts: Parts) -> None:
    """Walk the log, deliver and run jobs until cancelled; then give back what was claimed."""
    _keep_what_is_there()
    async with asyncio.TaskGroup() as loops:
        for loop in parts.worker_loops:
            loops.create_task(_forever(loop))


async def run_everything(parts: Parts, listening: socket.socket, is_ready: Ready) -> None:
    """Both, in this one process."""
    async with asyncio.TaskGroup() as halves:
        halves.create_task(run_worker(parts))
        halves.create_task(run_web(parts, listening, is_ready))


def _keep_what_is_there() -> None:
    """Have the garbage collector pass over what a process is made of: its hundred thousand objects stay until it ends.

    Looking through them takes it 50 ms and more, in which nobody is answered.
    """
    gc.freeze()


async def _forever(loop: Loop) -> None:
    await loop()
    raise RuntimeError(f"{loop.__qualname__} ended, and nothing here may end by itself")


def run(main: Coroutine[Any, Any, None], *, leash: int | None = None) -> None:
    """Run it until it ends, or until SIGTERM or SIGINT cancels it; being cancelled so is a good end.

    A second Ctrl-C ends the process at once. Nothing that was acknowledged is lost then either. A `leash` is a pipe
    whose other end whoever started us holds: when they are gone, however they went, we stop too.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(main, leash))


async def _until_stopped(main: Coroutine[Any, Any, None], leash: int | None) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)
    received: list[str] = []

    def stop(number: signal.Signals) -> None:
        if not received:
            log.info("stopping", signal=number.name)
            task.cancel()
        received.append(number.name)
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    if leash is not None:
        _watch(leash, lambda: stop(signal.SIGTERM))
    try:
        await task
    except asyncio.CancelledError:
        if not received:
            raise
    if received:
        log.info("stopped")


def _watch(leash: int, stop: Callable[[], None]) -> None:
    """Stop as soon as nobody holds the other end of this pipe."""
    loop = asyncio.get_running_loop()

    def dropped() -> None:
        loop.remove_reader(leash)
        stop()

    loop.add_reader(leash, dropped)
