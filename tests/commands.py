"""The `criachat` command as an operator runs it: another process, real sockets, a data directory of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from harness import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent


class Ran(msgspec.Struct, frozen=True):
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


class Started(msgspec.Struct, kw_only=True):
    """A running server, and what it said of itself."""

    process: Process
    data_dir: Path
    address: str
    said: list[dict[str, Any]]
    out: str = ""

    @property
    def token(self) -> str:
        """The first administrator's access token, as the banner has it."""
        return re.findall(r"cria_pat_\w+", self.out)[0]

    @property
    def password(self) -> str:
        """Their password."""
        return re.findall(r"Password +(\S+)", self.out)[0]

    async def get(self, path: str, token: str | None = None) -> httpx.Response:
        """Ask it something."""
        headers = {"api_access_token": token} if token else {}
        async with httpx.AsyncClient(base_url=self.address, timeout=20) as client:
            return await client.get(path, headers=headers)

    async def hears(self, event: str, **fields: Any) -> dict[str, Any]:
        """Read its log up to this event."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                line = await self._line()
                if line["event"] == event and fields.items() <= line.items():
                    return line

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; the status it ends with."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, err = await asyncio.gather(self._drain(), self._rest())
        self.said += [json.loads(line) for line in err.splitlines() if line.startswith(b"{")]
        return await self.process.wait()

    async def _line(self) -> dict[str, Any]:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            if line.startswith(b"{"):
                self.said.append(json.loads(line))
                return self.said[-1]
        raise AssertionError(f"it ended without saying so: {self.said[-3:]}")

    async def _drain(self) -> None:
        assert self.process.stdout is not None
        self.out += (await self.process.stdout.read()).decode()

    async def _rest(self) -> bytes:
        assert self.process.stderr is not None
        return await self.process.stderr.read()


@asynccontextmanager
async def started(data_dir: Path, *words: str, **settings: str) -> AsyncGenerator[Started]:
    """`criachat serve` on a free port, until the block ends."""
    process = await _process("serve", "--port", "0", "--data-dir", str(data_dir), *words, settings=settings)
    server = Started(process=process, data_dir=data_dir, address="", said=[])
    try:
        server.address = (await server.hears("ready"))["address"]
        assert (await server.get("/health")).status_code == 200
        server.out += await _so_far(process)
        yield server
    finally:
        if process.returncode is None:
            await server.stop()


@asynccontextmanager
async def running(*words: str) -> AsyncGenerator[Process]:
    """A command that goes on until the block ends."""
    process = await _process(*words, settings={})
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.communicate()


async def criachat(*words: str, **settings: str) -> Ran:
    """Run one command to its end."""
    process = await _process(*words, settings=settings)
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    return Ran(process.returncode or 0, out.decode(), err.decode())


async def _process(*words: str, settings: Mapping[str, str]) -> Process:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CRIACHAT_")}
    environment = {**kept, **{f"CRIACHAT_{key.upper()}": value for key, value in settings.items()}}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "criachat", *words, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE
    )


async def _so_far(process: Process) -> str:
    """What it printed until now; the banner comes in one piece."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(0.2):
            return (await process.stdout.read(65_536)).decode()
    except TimeoutError:
        return ""
