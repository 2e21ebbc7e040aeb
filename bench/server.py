"""The real `criachat serve`, started as an operator would, and what it costs the machine."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil

from bench.load import Address
from criachat.kit import postgres

HOST = "127.0.0.1"
HEALTH = "/health"
START_SECONDS = 60.0
TREE = Path(__file__).parent.parent
STOP_SECONDS = 40.0
POLL_SECONDS = 0.01


class ServerFailed(Exception):
    """The server did not start, or refused what a measurement needs; the text says what it said."""


class Cpu(msgspec.Struct, frozen=True):
    """CPU seconds of the application and of PostgreSQL."""

    application: float
    database: float

    def plus(self, other: Cpu) -> Cpu:
        """What both are together."""
        return Cpu(self.application + other.application, self.database + other.database)

    def since(self, before: Cpu) -> Cpu:
        """What was used in between."""
        return Cpu(self.application - before.application, self.database - before.database)


class Server:
    """A running `criachat serve`."""

    def __init__(self, process: Process, address: Address, data_dir: Path, started_in: float) -> None:
        self.process = process
        self.address = address
        self.data_dir = data_dir
        self.started_in = started_in
        self.url = f"http://{address.host}:{address.port}"

    async def database_url(self) -> str:
        """Where its PostgreSQL is: the server shares the embedded one with who asks."""
        return (await postgres.start(self.data_dir)).url

    async def call(self, method: str, path: str, *, token: str | None = None, json: Any = None) -> Any:
        """The decoded answer to a request that sets something up; raises unless it is a good one."""
        headers = {"api_access_token": token} if token else {}
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.request(method, path, json=json, headers=headers) as answer,
        ):
            if not answer.ok:
                raise ServerFailed(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json() if answer.content_type == "application/json" else await answer.text()

    def processes(self) -> list[psutil.Process]:
        """All of it, PostgreSQL included."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu_seconds(self) -> Cpu:
        """What it used until now; what connections of the past used is on the account of PostgreSQL's first process."""
        ours = theirs = 0.0
        for process in self.processes():
            try:
                times = process.cpu_times()
                is_postgres = "postgres" in process.name()
            except psutil.NoSuchProcess:
                continue
            if is_postgres:
                theirs += times.user + times.system + times.children_user + times.children_system
            else:
                ours += times.user + times.system
        return Cpu(ours, theirs)

    def proportional_bytes(self) -> int:
        """The memory of all its processes, pages they share counted once (PSS)."""
        total = 0
        for process in self.processes():
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return total

    def resident_bytes(self) -> int:
        """The resident memory of the application's own processes, without PostgreSQL."""
        return sum(process.memory_info().rss for process in self.processes() if "postgres" not in process.name())

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise ServerFailed(f"criachat did not end within {STOP_SECONDS:.0f} s of SIGTERM") from None


async def start(data_dir: Path, *, environment: Mapping[str, str] | None = None) -> Server:
    """Start it on a free port of this machine, and wait until it answers."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        address = Address(HOST, free.getsockname()[1])
    command = [sys.executable, "-m", "criachat", "serve", "--host", HOST, "--port", str(address.port)]
    command += ["--data-dir", str(data_dir), "--workers", "1"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CRIACHAT_")}
    chosen = {"CRIACHAT_ALLOWED_PRIVATE_HOSTS": HOST, **(environment or {})}
    log = data_dir.with_suffix(".log")
    began = time.monotonic()
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=TREE,
            env={**inherited, **chosen},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    while not await _answers(address):
        if process.returncode is not None or time.monotonic() - began > START_SECONDS:
            if process.returncode is None:
                process.kill()
            said = await asyncio.to_thread(log.read_text, "utf-8", "replace")
            raise ServerFailed(f"criachat did not start. The end of {log}:\n{said[-2000:]}")
        await asyncio.sleep(POLL_SECONDS)
    return Server(process, address, data_dir, time.monotonic() - began)


@asynccontextmanager
async def serving(data_dir: Path, *, environment: Mapping[str, str] | None = None) -> AsyncGenerator[Server]:
    """A server for as long as the block runs."""
    server = await start(data_dir, environment=environment)
    try:
        yield server
    finally:
        await server.stop()


async def _answers(address: Address) -> bool:
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port)
    except OSError:
        return False
    try:
        writer.write(f"GET {HEALTH} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n".encode())
        return (await reader.read(12)).endswith(b" 200")
    except OSError:
        return False
    finally:
        writer.close()
