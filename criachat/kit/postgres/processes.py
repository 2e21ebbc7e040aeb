"""Which processes work in a cluster, and how they are made to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil


class Status(NamedTuple):
    """What `postmaster.pid` says, when it speaks of a process that really is the server of that cluster."""

    pid: int
    is_ready: bool


def status(cluster: Path) -> Status | None:
    """The server of this cluster, if one runs."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not any(process.pid == pid for process in servers(cluster, pid)):
        return None
    return Status(pid, len(lines) >= 8 and lines[7].strip() == "ready")


def servers(cluster: Path, pid: int | None = None) -> Iterator[psutil.Process]:
    """The processes of PostgreSQL that work in this cluster (or of them, this one)."""
    try:
        processes = psutil.process_iter() if pid is None else [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and Path(process.cwd()) == cluster.resolve():
                yield process


async def clear(cluster: Path) -> None:
    """End every process that works in the cluster: the server, or what a killed one left behind.

    After that nothing else writes to it, and a `postmaster.pid` that is still there names a stranger: the same number
    given to another process, which would keep PostgreSQL from starting.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    for sign, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 15), (signal.SIGKILL, 15)):
        working = {process.pid: process for process in await asyncio.to_thread(lambda: list(servers(cluster)))}
        for process in working.values():
            with contextlib.suppress(psutil.Error):
                if process.ppid() not in working:
                    process.send_signal(sign)
        if await wait(partial(_have_ended, list(working.values())), seconds=seconds):
            break
    else:
        raise TimeoutError(f"The processes of PostgreSQL that work in {cluster} do not end, not even when killed")
    pid_file.unlink(missing_ok=True)


def _have_ended(processes: list[psutil.Process]) -> bool:
    return not any(map(_still_runs, processes))


def _still_runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


async def wait(is_true: Callable[[], bool], *, seconds: float) -> bool:
    """Whether it became true within this time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
