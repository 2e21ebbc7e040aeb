"""Several web processes on one socket and a worker beside them, kept alive by the process that started them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from criachat.kit.settings import PREFIX, Settings
from criachat.serving.foundation import Foundation

log = structlog.get_logger()

# Longer than a process takes to drain.
STOP_SECONDS: Final = 30
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 15.0
LONG_ENOUGH_SECONDS: Final = 60.0


async def supervise(
    settings: Settings,
    foundation: Foundation,
    listening: socket.socket,
    *,
    address: str,
    is_ready: Callable[[], Awaitable[None]],
) -> None:
    """Run the processes until cancelled, and start anew what dies; then stop them."""
    environment = {
        **os.environ,
        PREFIX + "DATABASE_URL": foundation.database_url,
        PREFIX + "SECRET_KEY": ",".join(foundation.secret_keys),
        PREFIX + "BASE_URL": address,
        PREFIX + "DATA_DIR": str(settings.data_directory()),
        PREFIX + "WORKERS": "1",
    }
    descriptor = listening.fileno()
    async with asyncio.TaskGroup() as keepers:
        keepers.create_task(_keep("worker", ("worker",), environment))
        for _ in range(settings.workers):
            keepers.create_task(_keep("web", ("web", "--listening-fd", str(descriptor)), environment, descriptor))
        await is_ready()


async def _keep(name: str, words: tuple[str, ...], environment: Mapping[str, str], *descriptors: int) -> None:
    """Keep one process running; one that dies again and again is given more and more time."""
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE_SECONDS
    while True:
        started = loop.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "criachat",
            *words,
            "--leashed",
            env=environment,
            pass_fds=descriptors,
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
        )
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            await _stop(process)
            raise
        log.error("process_died", process=name, pid=process.pid, status=status)
        pause = FIRST_PAUSE_SECONDS if loop.time() - started > LONG_ENOUGH_SECONDS else pause
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        log.error("process_killed", pid=process.pid)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
