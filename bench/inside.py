"""The application taken into our own process, for what cannot be seen from outside: how many statements a request
sends, and what a single step of it costs.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bench.server import Server
from bench.site import keyring_of
from criachat.kit.http.request import Request
from criachat.kit.settings import Settings
from criachat.main import ROUTES, Parts, assembled

PROBES = 20
CALLS = 20_000


@asynccontextmanager
async def inside(server: Server) -> AsyncGenerator[Parts]:
    """The same application on the same database, without relay and jobs."""
    settings = Settings(data_dir=server.data_dir, rate_limits=False)
    url, keyring = await server.database_url(), keyring_of(server.data_dir)
    async with assembled(settings, database_url=url, keyring=keyring, base_url=server.url) as parts:
        yield parts


async def statements_of(server: Server, method: str, path: str, *, token: str | None = None, json: Any = None) -> float:
    """How many statements such a request sends on average, once its caller is known; BEGIN and COMMIT count."""
    headers = {"api_access_token": token} if token else {}
    async with inside(server) as parts:
        transport = httpx.ASGITransport(app=parts.http)
        async with httpx.AsyncClient(transport=transport, base_url=server.url, headers=headers) as client:
            (await client.request(method, path, json=json)).raise_for_status()
            before = parts.database.statements.count
            for _ in range(PROBES):
                (await client.request(method, path, json=json)).raise_for_status()
            return (parts.database.statements.count - before) / PROBES


async def token_check_microseconds(server: Server, *, account_id: int, token: str) -> float:
    """What it costs to find out who a token belongs to, for a caller who was here in the last seconds."""
    path = f"/api/v1/accounts/{account_id}/conversations/1/messages"
    scope = {
        "method": "POST",
        "path": path,
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(b"api_access_token", token.encode())],
    }
    endpoints = [endpoint for routes in ROUTES for endpoint in routes.endpoints]
    endpoint = next(each for each in endpoints if each.methods == ("POST",) and each.path.endswith("}/messages"))
    values = {"account_id": str(account_id), "conversation_id": "1"}
    async with inside(server) as parts:
        request = Request(scope, _nothing)
        await parts.resolver(request, endpoint, values)
        began = time.process_time()
        for _ in range(CALLS):
            await parts.resolver(request, endpoint, values)
        return 1e6 * (time.process_time() - began) / CALLS


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}
