"""Making a cluster, configuring it, and running a server in it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import asyncpg

from criachat.kit.postgres.places import PORT, ServerDidNotStart, User, give, name_of
from criachat.kit.postgres.processes import status, wait

START_TIMEOUT_SECONDS = 180.0
LARGEST_LOG_BYTES = 10_000_000
ROLE = "criachat"

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - looked at, nothing is kept there

TUNING: dict[str, str] = {
    "shared_buffers": "96MB",
    "max_connections": "60",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "jit": "off",
    # Three processes of I/O workers are worth their memory on large machines only.
    "io_method": "sync",
    "random_page_cost": "1.1",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "1",
    "autovacuum_max_workers": "2",
    "max_wal_senders": "2",
    "max_replication_slots": "2",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    # Compressing the pages it writes to its log took a fifth of PostgreSQL's time under load, to save half the bytes.
    "wal_compression": "off",
    # What leaves the buffers is written soon, not heaped up for the operating system to write in one go while commits
    # wait for the disk.
    "backend_flush_after": "512kB",
    "bgwriter_delay": "50ms",
    "bgwriter_lru_maxpages": "400",
}

# Log lines carry neither statements nor the values in them: these are our users' messages and addresses.
FIXED: dict[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}

HBA = """\
local all all peer map=criachat
"""

# The server shall not outlive us, however we die: Linux tells it (PR_SET_PDEATHSIG) to shut down. That has to be asked
# for after the change of user, which forgets it, and by the process itself: hence this step between us and the server.
# All it needs is loaded first: as the other user it may not be able to read our Python any more.
LAUNCHER = """
import ctypes, os, signal, sys
library = ctypes.CDLL(None)
user, group, parent = map(int, sys.argv[1:4])
os.umask(0o077)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
if parent and sys.platform == "linux":
    library.prctl(1, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit("criachat ended before its database had started")
os.execv(sys.argv[4], sys.argv[4:])
"""

CREATE_ROLE = """
CREATE ROLE criachat LOGIN CREATEDB IN ROLE pg_monitor
"""
CREATE_DATABASE = """
CREATE DATABASE criachat OWNER criachat
"""
FIND_ROLE = """
SELECT 1 FROM pg_roles WHERE rolname = 'criachat'
"""
FIND_DATABASE = """
SELECT 1 FROM pg_database WHERE datname = 'criachat'
"""


async def make_cluster(directory: Path, user: User, programs: Path) -> None:
    """Make the cluster beside its place and move it there when whole, so that no start leaves half of one."""
    unfinished = directory / "cluster.new"
    await asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True)
    unfinished.mkdir(0o700)
    give(unfinished, user, 0o700)
    output, said = open_log(directory)
    try:
        command = [str(programs / "initdb"), "--pgdata", str(unfinished), "--username", "postgres", "--auth", "peer"]
        command += ["--locale", "C.UTF-8", "--locale-provider", "builtin", "--encoding", "UTF8", "--data-checksums"]
        command += ["--no-instructions"]
        child = launch(command, user, output, dies_with_us=True)
    finally:
        os.close(output)
    try:
        in_time = await wait(lambda: has_ended(child), seconds=START_TIMEOUT_SECONDS)
    except BaseException:
        child.kill()
        child.wait()
        raise
    if not in_time or child.returncode != 0:
        child.kill()
        child.wait()
        raise ServerDidNotStart(f"PostgreSQL could not make its cluster in {unfinished}. {said()}")
    unfinished.rename(directory / "cluster")


def configure(directory: Path, user: User, sockets: Path, tuning: dict[str, str]) -> None:
    places = {
        "data_directory": directory / "cluster",
        "hba_file": directory / "hba.conf",
        "ident_file": directory / "ident.conf",
        "unix_socket_directories": f'"{sockets}"',
    }
    settings = {"dynamic_shared_memory_type": _shared_memory()} | tuning | FIXED
    settings |= {name: str(value) for name, value in places.items()}
    lines = [f"{name} = '{_escaped(value)}'" for name, value in settings.items()]
    caller = name_of(os.geteuid())
    callers = {f'criachat "{caller}" {role}' for role in (ROLE, "postgres")}
    for name, text in (
        ("server.conf", "\n".join(lines)),
        ("hba.conf", HBA),
        ("ident.conf", "\n".join(sorted(callers))),
    ):
        path = directory / name
        with path.open("w", encoding="utf-8") as file:
            path.chmod(0o600)
            if user.uid != os.geteuid():
                os.chown(path, -1, user.gid)
                path.chmod(0o640)
            file.write(text + "\n")


def _shared_memory() -> str:
    """Bare containers and chroots have no /dev/shm that everybody may write to; files do as well there."""
    is_open = SHARED_MEMORY.is_dir() and SHARED_MEMORY.stat().st_mode & stat.S_IWOTH
    return "posix" if is_open else "mmap"


def _escaped(value: str) -> str:
    return re.sub(r"(['\\])", r"\1\1", value)


def open_log(directory: Path) -> tuple[int, Callable[[], str]]:
    """The log, to append to, and a function that tells what was written to it from now on."""
    path = directory / "server.log"
    if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
        path.replace(path.with_name("server.log.1"))
    output = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    start = os.fstat(output).st_size

    def said() -> str:
        with path.open("rb") as file:
            file.seek(start)
            lines = file.read().decode(errors="replace").strip().splitlines()[-20:]
        return f"The end of {path}:\n" + "\n".join(lines or ["(nothing)"])

    return output, said


def launch(command: list[str], user: User, output: int, *, dies_with_us: bool) -> subprocess.Popen[bytes]:
    # The signal comes when the thread that made the process ends, so only the main thread may ask for it.
    is_main = threading.current_thread() is threading.main_thread()
    parent = os.getpid() if dies_with_us and is_main else 0
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(user.uid), str(user.gid), str(parent)]
    # A session of its own: the Ctrl-C meant for us would stop the server while we still answer requests.
    return subprocess.Popen(  # noqa: S603 - our own words and paths
        [*launcher, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        start_new_session=True,
    )


async def until_ready(child: subprocess.Popen[bytes], cluster: Path, deadline: float, said: Callable[[], str]) -> None:
    while True:
        if has_ended(child):
            raise ServerDidNotStart(f"PostgreSQL ended with status {child.returncode} while starting. {said()}")
        now = status(cluster)
        if now is not None and now.is_ready and now.pid == child.pid:
            return
        if time.monotonic() > deadline:
            raise ServerDidNotStart(f"PostgreSQL was not ready after {START_TIMEOUT_SECONDS:.0f} seconds. {said()}")
        await asyncio.sleep(0.02)


async def ensure_database(sockets: Path) -> None:
    """Make our role and database, unless they are there. The role is no superuser; it owns this database only."""
    connection = await asyncpg.connect(host=str(sockets), port=PORT, user="postgres", database="postgres")
    try:
        if await connection.fetchval(FIND_ROLE) is None:
            await connection.execute(CREATE_ROLE)
        if await connection.fetchval(FIND_DATABASE) is None:
            await connection.execute(CREATE_DATABASE)
    finally:
        await connection.close()


def has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the process we launched is over."""
    return child.poll() is not None
