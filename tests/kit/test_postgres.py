"""The embedded server, started for real: what it promises when all goes well, and after kill -9."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from socket import AddressFamily
from typing import Any

import asyncpg
import psutil
import pytest
from harness import PATIENCE_SECONDS

from criachat.kit import postgres
from criachat.kit.postgres import Embedded, ServerDidNotStart

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")

# A process that starts the server of a folder, says so, and waits to be ended.
STARTER = """
import asyncio, sys
from pathlib import Path
from criachat.kit import postgres
async def main():
    server = await postgres.start(Path(sys.argv[1]))
    print(server.system_pid, server.is_ours, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()
asyncio.run(main())
"""


@contextmanager
def folder() -> Generator[Path]:
    # Not tmp_path: its parent is closed to all but us, so that a server started by root could not pass.
    parent = Path(tempfile.mkdtemp(prefix="criachat-test-"))
    parent.chmod(0o711)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with folder() as path:
        yield path


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Embedded]:
    """One server for the tests that only look at it."""
    with folder() as path:
        server = await postgres.start(path, tuning={"fsync": "off"})
        yield server
        await server.stop()


@pytest.fixture
async def start(data_dir: Path) -> AsyncIterator[Callable[[], Awaitable[Embedded]]]:
    servers: list[Embedded] = []

    async def start_another() -> Embedded:
        servers.append(await postgres.start(data_dir, tuning={"fsync": "off"}))
        return servers[-1]

    yield start_another
    for server in servers:
        await server.stop()


@asynccontextmanager
async def connected(server: Embedded) -> AsyncGenerator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(server.url)
    try:
        yield connection
    finally:
        await connection.close()


async def ended(pid: int) -> None:
    """Wait until the process is over, or fail."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.01)


@contextmanager
def starter(data_dir: Path) -> Generator[tuple[subprocess.Popen[str], int]]:
    """Another process that runs the server, and the pid of that server."""
    command = [sys.executable, "-c", STARTER, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ourselves
        assert process.stdout is not None
        pid, is_ours = process.stdout.readline().split()
        assert is_ours == "True"
        yield process, int(pid)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_server_started_in_an_empty_folder_answers(server: Embedded) -> None:
    async with connected(server) as connection:
        answer = await connection.fetchval("SELECT 1")

    assert answer == 1
    assert server.is_ours
    assert psutil.Process(server.system_pid).name() == "postgres"


async def test_our_role_owns_the_database_without_being_superuser(server: Embedded) -> None:
    async with connected(server) as connection:
        row = await connection.fetchrow(
            "SELECT rolname, rolsuper, datdba = r.oid AS owns, pg_encoding_to_char(encoding) AS encoding,"
            " current_setting('data_checksums') AS checksums"
            " FROM pg_roles AS r, pg_database WHERE rolname = current_user AND datname = current_database()"
        )
        await connection.execute("CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent; CREATE EXTENSION btree_gin")

    assert row is not None
    assert tuple(row) == ("criachat", False, True, "UTF8", "on")


async def test_data_outlives_a_restart(start: Callable[[], Awaitable[Embedded]]) -> None:
    first = await start()
    async with connected(first) as connection:
        await connection.execute("CREATE TABLE notes AS SELECT 'kept' AS text")
    await first.stop()

    async with connected(await start()) as connection:
        assert await connection.fetchval("SELECT text FROM notes") == "kept"


async def test_stop_ends_the_server_and_may_be_called_twice(
    start: Callable[[], Awaitable[Embedded]], data_dir: Path
) -> None:
    server = await start()
    pid = server.system_pid
    assert postgres.is_running(data_dir)

    await server.stop()
    await server.stop()

    assert not postgres.is_running(data_dir)
    assert not psutil.pid_exists(pid)
    with pytest.raises(ProcessLookupError):
        _ = server.system_pid


async def test_of_two_starts_at_once_one_runs_the_server_and_the_other_shares_it(
    start: Callable[[], Awaitable[Embedded]],
) -> None:
    servers = await asyncio.gather(start(), start(), start())

    assert sorted(server.is_ours for server in servers) == [False, False, True]
    assert len({(server.url, server.system_pid) for server in servers}) == 1
    for server in servers:
        if not server.is_ours:
            await server.stop()
    async with connected(servers[0]) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_server_of_another_process_is_shared_and_left_running(
    start: Callable[[], Awaitable[Embedded]], data_dir: Path
) -> None:
    with starter(data_dir) as (process, pid):
        server = await start()
        async with connected(server) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        await server.stop()

        assert not server.is_ours
        assert server.system_pid == pid
        assert process.poll() is None


async def test_the_server_ends_with_a_criachat_that_was_killed_and_the_next_one_starts(
    start: Callable[[], Awaitable[Embedded]], data_dir: Path
) -> None:
    with starter(data_dir) as (process, pid):
        process.kill()
        if sys.platform == "linux":
            await ended(pid)
        server = await start()

    assert server.is_ours
    assert server.system_pid != pid
    async with connected(server) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_killed_server_is_recovered_though_its_sessions_linger(
    start: Callable[[], Awaitable[Embedded]],
) -> None:
    first = await start()
    connection = await asyncpg.connect(first.url)
    await connection.execute("CREATE TABLE notes AS SELECT 'kept' AS text")
    pid = first.system_pid
    sleeping = asyncio.create_task(connection.execute("SELECT pg_sleep(600)"))

    os.kill(pid, signal.SIGKILL)
    await ended(pid)
    await first.stop()
    second = await start()

    with pytest.raises((asyncpg.PostgresError, ConnectionError, asyncpg.InterfaceError)):
        await sleeping
    connection.terminate()
    async with connected(second) as again:
        assert await again.fetchval("SELECT text FROM notes") == "kept"


async def test_a_stale_pid_file_that_names_a_stranger_is_no_obstacle(
    start: Callable[[], Awaitable[Embedded]], data_dir: Path
) -> None:
    first = await start()
    pid_file = data_dir / "postgres" / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    await first.stop()
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")

    assert not postgres.is_running(data_dir)
    async with connected(await start()) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert stranger.returncode is None
    await stranger.communicate(b"\n")


async def test_a_half_made_cluster_is_made_again(start: Callable[[], Awaitable[Embedded]], data_dir: Path) -> None:
    half_made = data_dir / "postgres" / "cluster.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    server = await start()

    assert postgres.is_running(data_dir)
    assert not (server.directory / "cluster.new").exists()


async def test_nobody_else_may_look_inside(server: Embedded) -> None:
    assert permissions(server.directory / "cluster") == 0o700
    assert permissions(server.directory / "run") == 0o700
    assert permissions(server.directory / "lock") == 0o600
    assert permissions(server.directory / "server.log") == 0o600
    for path in [server.directory, *server.directory.iterdir()]:
        assert permissions(path) & 0o007 == 0, path
    assert "trust" not in (server.directory / "hba.conf").read_text()


async def test_there_is_no_tcp_listener(server: Embedded) -> None:
    process = psutil.Process(server.system_pid)

    sockets = process.net_connections("all")

    assert [socket.laddr for socket in sockets if socket.family == AddressFamily.AF_UNIX]
    assert [socket.laddr for socket in sockets if socket.family != AddressFamily.AF_UNIX] == []


async def test_a_deep_folder_gets_a_short_private_one_for_its_socket(data_dir: Path) -> None:
    deep = data_dir / ("deep, and with 'odd' characters " * 3)
    server = await postgres.start(deep)
    link = server.directory / "run"
    first = link.readlink()
    async with connected(server) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await server.stop()

    again = await postgres.start(deep)
    await again.stop()

    assert permissions(first) == 0o700
    assert link.readlink() == first
    shutil.rmtree(first)


async def test_a_start_that_fails_says_why_and_can_be_repeated(
    start: Callable[[], Awaitable[Embedded]], data_dir: Path
) -> None:
    with pytest.raises(ServerDidNotStart, match=r"(?s)server\.log.*shared_buffers"):
        await postgres.start(data_dir, tuning={"shared_buffers": "plenty"})

    server = await start()

    assert server.is_ours


async def test_a_start_that_is_cancelled_leaves_nothing_running(
    start: Callable[[], Awaitable[Embedded]], data_dir: Path
) -> None:
    await (await start()).stop()
    starting = asyncio.create_task(postgres.start(data_dir))
    pid_file = data_dir / "postgres" / "cluster" / "postmaster.pid"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not pid_file.exists():  # noqa: ASYNC110 - it is another process that makes it
            await asyncio.sleep(0)

    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not pid_file.exists()
    assert (await start()).is_ours


@as_root
async def test_root_runs_the_server_as_a_user_without_privileges(server: Embedded) -> None:
    process = psutil.Process(server.system_pid)
    assert 0 not in process.uids()
    assert 0 not in process.gids()
    assert (server.directory / "cluster").stat().st_uid == process.uids().real


@as_root
async def test_root_is_told_which_folder_the_servers_user_cannot_enter(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(parents=True, mode=0o700)

    with pytest.raises(ServerDidNotStart, match="may not enter"):
        await postgres.start(closed / "data")

    assert permissions(closed) == 0o700


@as_root
async def test_another_user_of_the_machine_is_refused_by_the_server_itself(
    start: Callable[[], Awaitable[Embedded]],
) -> None:
    server = await start()
    # The folder alone would keep them out; open it to see that the server does as well.
    for folder in (server.directory.parent.parent, server.directory.parent, server.directory, server.directory / "run"):
        folder.chmod(0o755)
    (server.directory / "run" / ".s.PGSQL.5432").chmod(0o777)

    command = [
        "import socket, struct, sys",
        "client = socket.socket(socket.AF_UNIX)",
        "client.connect(sys.argv[1])",
        "body = struct.pack('!i', 196608) + b'user\\0criachat\\0database\\0criachat\\0\\0'",
        "client.sendall(struct.pack('!i', len(body) + 4) + body)",
        "print(client.recv(1000))",
    ]
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no Python that another user may run")
    answer = await asyncio.to_thread(
        subprocess.run,
        [python, "-c", "\n".join(command), str(server.directory / "run" / ".s.PGSQL.5432")],
        user="nobody",
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Peer authentication failed" in answer.stdout
