"""The application taken into our own process, for what cannot be seen from outside: how many statements a request
sends, and what a single step of it costs.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bench.server import Server
from bench.site import keyring_of
from criachat.kit import tokens
from criachat.kit.http.guard import RateGuard
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Endpoint
from criachat.kit.limits import LIMITS, Limiter, adjusted
from criachat.kit.settings import Settings
from criachat.main import Parts, assembled
from criachat.slices import ROUTES

PROBES = 20
CALLS = 20_000


@asynccontextmanager
async def inside(server: Server) -> AsyncGenerator[Parts]:
    """The same application on the same database, without relay and jobs."""
    settings = Settings(data_dir=server.data_dir, rate_limits=False)
    url, keyring = await server.database_url(), keyring_of(server.data_dir)
    async with assembled(settings, database_url=url, keyring=keyring, base_url=server.url) as parts:
        yield parts


async def statements_of(
    server: Server,
    method: str,
    path: str,
    *,
    token: str | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
) -> float:
    """How many statements such a request sends on average, once its caller is known; BEGIN and COMMIT count.

    It is the counter that `/metrics` shows. `{number}` in a header is another number each time.
    """
    sent = {"api_access_token": token} if token else {}
    mark = tokens.random_token(12)

    def numbered(number: int) -> dict[str, str]:
        return {name: value.format(number=f"{mark}-{number}") for name, value in (headers or {}).items()}

    async with inside(server) as parts:
        transport = httpx.ASGITransport(app=parts.http)
        async with httpx.AsyncClient(transport=transport, base_url=server.url, headers=sent) as client:
            (await client.request(method, path, json=json, headers=numbered(0))).raise_for_status()
            before = parts.database.statements.count
            for number in range(1, PROBES + 1):
                (await client.request(method, path, json=json, headers=numbered(number))).raise_for_status()
            return (parts.database.statements.count - before) / PROBES


async def token_check_microseconds(server: Server, *, account_id: int, token: str) -> float:
    """What it costs to find out who a token belongs to, for a caller who was here in the last seconds."""
    request, endpoint, values = _write(account_id, token)
    async with inside(server) as parts:
        await parts.resolver(request, endpoint, values)
        began = time.process_time()
        for _ in range(CALLS):
            await parts.resolver(request, endpoint, values)
        return 1e6 * (time.process_time() - began) / CALLS


async def limiter_microseconds(server: Server, *, account_id: int, token: str) -> float:
    """What it costs to count a request against the limit of its token, and to tell what is left."""
    request, endpoint, values = _write(account_id, token)
    guard = RateGuard(Limiter(adjusted(LIMITS, {"token": 2 * CALLS})))
    async with inside(server) as parts:
        actor = await parts.resolver(request, endpoint, values)
    began = time.process_time()
    for _ in range(CALLS):
        guard(request, endpoint, actor)
    return 1e6 * (time.process_time() - began) / CALLS


def _write(account_id: int, token: str) -> tuple[Request, Endpoint, dict[str, str]]:
    """A message of somebody far away (who is on this machine is not counted), as the HTTP application sees it."""
    scope = {
        "method": "POST",
        "path": f"/api/v1/accounts/{account_id}/conversations/1/messages",
        "query_string": b"",
        "client": ("203.0.113.7", 1),
        "headers": [(b"api_access_token", token.encode())],
    }
    endpoints = [endpoint for routes in ROUTES for endpoint in routes.endpoints]
    endpoint = next(each for each in endpoints if "POST" in each.methods and each.path.endswith("}/messages"))
    return Request(scope, _nothing), endpoint, {"account_id": str(account_id), "conversation_id": "1"}


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}
