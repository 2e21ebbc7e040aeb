"""How much of a yardstick Python itself reaches: a server that does nothing but run its statement and answer the rows.

It stands on the same server, driver and encoder as ours. It knows no callers, no limits and no errors, and its objects
have no shape: what it reaches is the most that a server of one Python process could.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import asyncpg
import msgspec
import uvicorn

from bench.child import Answers, child
from bench.load import Address

CONNECTIONS = 12
HOST = "127.0.0.1"
VARIABLE = re.compile(r"^\\set (\w+) random\((.+), (.+)\)$", re.MULTILINE)


class Script(msgspec.Struct, frozen=True):
    """One of the yardsticks for asyncpg: its statement, and from where to where its one value is drawn."""

    statement: str
    first: int
    last: int


def script_of(text: str, variables: Mapping[str, int]) -> Script:
    """What a script of pgbench does, where it draws one number and runs one statement with it."""
    found = VARIABLE.search(text)
    if found is None:
        raise ValueError("the script draws no number")

    def bound(given: str) -> int:
        return variables[given.removeprefix(":")] if given.startswith(":") else int(given)

    statement = VARIABLE.sub("", text).replace(f":{found[1]}", "$1").strip().removesuffix(";")
    return Script(statement, bound(found[2]), bound(found[3]))


def read_script(name: str, variables: Mapping[str, int]) -> Script:
    """One of the yardsticks that pgbench runs."""
    return script_of((resources.files("bench") / "yardsticks" / name).read_text("utf-8"), variables)


@asynccontextmanager
async def bare(script: Script, url: str) -> AsyncGenerator[Address]:
    """A server of this script in a process of its own, for as long as the block runs."""
    async with child(_begin) as process:
        yield Address(HOST, await process.call("serve", script, url))


async def _begin() -> Answers:
    running: list[asyncio.Task[None]] = []

    async def serve(script: Script, url: str) -> int:
        pool: asyncpg.Pool[Any] = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)
        place = socket.create_server((HOST, 0), backlog=1024)
        config = uvicorn.Config(
            _application(script, pool), http="httptools", lifespan="off", access_log=False, log_level="error"
        )
        running.append(asyncio.create_task(uvicorn.Server(config).serve(sockets=[place])))
        port: int = place.getsockname()[1]
        return port

    return {"serve": serve}


def _application(script: Script, pool: asyncpg.Pool[Any]) -> Callable[..., Any]:
    encode = msgspec.json.Encoder().encode

    async def answer(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        async with pool.acquire() as connection:
            records = await connection.fetch(script.statement, random.randint(script.first, script.last))  # noqa: S311
        body = encode([dict(record) for record in records])
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
