"""The embedded PostgreSQL server: on an empty machine, a way to get a database URL.

What it keeps under `<data_dir>/postgres`:

    cluster/      the data, open to the server's user alone
    run/          the Unix socket, likewise; a link to a shorter folder where this path is too long for a socket
    server.conf, hba.conf, ident.conf   written anew at each start; `ALTER SYSTEM` is for operators and stays
    server.log    what the server says
    lock          held by the process that runs the server; carries its URL while it is ready

Nobody is ever trusted by default: there is no TCP listener, the socket's folder is private, and the server asks the
kernel who is calling (`peer`), so there is no password to keep.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from criachat.kit.postgres.cluster import (
    ROLE,
    START_TIMEOUT_SECONDS,
    TUNING,
    configure,
    ensure_database,
    has_ended,
    launch,
    make_cluster,
    open_log,
    until_ready,
)
from criachat.kit.postgres.places import (
    PORT,
    ServerDidNotStart,
    User,
    binaries,
    make_directory,
    programs_for,
    server_user,
    socket_folder,
)
from criachat.kit.postgres.processes import clear, status, wait

__all__ = ["Embedded", "ServerDidNotStart", "binaries", "is_running", "start"]


class Embedded:
    """A running server: ours to stop, or one that another process of this machine runs and shares with us."""

    def __init__(self, url: str, directory: Path, lock: int | None, child: subprocess.Popen[bytes] | None) -> None:
        self.url = url
        self.directory = directory
        self._lock = lock
        self._child = child

    @property
    def is_ours(self) -> bool:
        """Whether `stop` stops the server."""
        return self._lock is not None

    @property
    def system_pid(self) -> int:
        """The process id of the server at this moment; another one after `pg_ctl restart`."""
        server = status(self.directory / "cluster")
        if server is None:
            raise ProcessLookupError(f"No PostgreSQL server runs in {self.directory}")
        return server.pid

    async def stop(self) -> None:
        """Shut the server down in good order and wait for it; one that another process runs is left alone."""
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        try:
            os.ftruncate(lock, 0)
            await clear(self.directory / "cluster")
            if (child := self._child) is not None:
                await wait(lambda: has_ended(child), seconds=5)
        finally:
            os.close(lock)


async def start(data_dir: Path, *, tuning: Mapping[str, str] | None = None) -> Embedded:
    """The server of this folder, ready to answer; it is made on the first call, and ends when this process does.

    When another process runs it already (or is starting it), that server is shared: its `stop` is not ours to call.
    A server or a half-made cluster that a killed process left behind is cleared away first. `tuning` overrides TUNING.
    """
    user = await asyncio.to_thread(server_user)
    directory = await asyncio.to_thread(make_directory, data_dir, user)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS

    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _try_lock(lock):
            if url := os.pread(lock, 4096, 0).decode():
                os.close(lock)
                return Embedded(url, directory, None, None)
            if time.monotonic() > deadline:
                raise ServerDidNotStart(
                    f"Another process holds {directory / 'lock'}, but its PostgreSQL server does not get ready. "
                    f"Stop that process (`fuser {directory / 'lock'}` names it), then try again."
                )
            await asyncio.sleep(0.05)
        return await _start_own(directory, user, lock, TUNING | dict(tuning or {}), deadline)
    except BaseException:
        with contextlib.suppress(OSError):
            os.close(lock)
        raise


def is_running(data_dir: Path) -> bool:
    """Whether a server of this folder takes connections at this moment."""
    server = status(data_dir.absolute() / "postgres" / "cluster")
    return server is not None and server.is_ready


async def _start_own(directory: Path, user: User, lock: int, tuning: dict[str, str], deadline: float) -> Embedded:
    cluster = directory / "cluster"
    os.ftruncate(lock, 0)
    await clear(cluster)
    programs = await asyncio.to_thread(programs_for, user)
    if not cluster.exists():
        await make_cluster(directory, user, programs)
    sockets = socket_folder(directory, user)
    configure(directory, user, sockets, tuning)

    output, said = open_log(directory)
    try:
        command = [str(programs / "postgres"), "-D", str(cluster), "-c", f"config_file={directory / 'server.conf'}"]
        child = launch(command, user, output, dies_with_us=True)
    finally:
        os.close(output)
    try:
        await until_ready(child, cluster, deadline, said)
        await ensure_database(sockets)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        await asyncio.shield(wait(lambda: has_ended(child), seconds=30))
        raise

    url = f"postgresql://{ROLE}@/{ROLE}?host={quote(str(sockets))}&port={PORT}"
    os.pwrite(lock, url.encode(), 0)
    return Embedded(url, directory, lock, child)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
