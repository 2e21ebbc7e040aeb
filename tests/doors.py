"""Callers from elsewhere, and endpoints of the tests' own, for what no slice has a door for."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from harness import BASE_URL, Reply, World

from criachat.kit.http.app import Application, Count, HttpApp
from criachat.kit.http.guard import RateGuard
from criachat.kit.http.routes import Routes
from criachat.kit.idempotency import Idempotency
from criachat.kit.limits import Limiter

OUR_PAGE = "https://pages.example.com"
LARGEST_REQUEST = 64 * 1024


def application(world: World, routes: Routes, *, count: Count = lambda *_: None) -> HttpApp:
    """These endpoints as the kit serves them, on the tests' database."""
    parts = world.parts
    return HttpApp(
        Application(
            database=parts.database,
            endpoints=routes.endpoints,
            resolvers={},
            provides={},
            idempotency=Idempotency(parts.database, parts.keyring),
            guard=RateGuard(Limiter()),
            count=count,
            maximum_request_bytes=LARGEST_REQUEST,
            allowed_origins=frozenset((OUR_PAGE,)),
        )
    )


@asynccontextmanager
async def opened(world: World, routes: Routes) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of these endpoints."""
    transport = httpx.ASGITransport(app=application(world, routes))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


neighbours = itertools.count(1)


class Caller:
    """Somebody at an address of their own, or behind a proxy."""

    def __init__(self, world: World, address: str | None = None) -> None:
        self.address = address or f"203.0.113.{next(neighbours)}"
        transport = httpx.ASGITransport(app=world.parts.http, client=(self.address, 4711))
        self._client = httpx.AsyncClient(transport=transport, base_url=BASE_URL)

    async def get(
        self, path: str, *, token: str | None = None, forwarded_for: str | None = None, origin: str | None = None
    ) -> Reply:
        sent = {"api_access_token": token, "x-forwarded-for": forwarded_for, "origin": origin}
        answer = await self._client.get(path, headers={name: value for name, value in sent.items() if value})
        return Reply(answer.status_code, answer.headers, answer.content)

    async def statuses(self, path: str, times: int, *, token: str | None = None, via: str | None = None) -> list[int]:
        return [(await self.get(path, token=token, forwarded_for=via)).status for _ in range(times)]
