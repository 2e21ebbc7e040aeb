"""Endpoints of the tests' own, for what no slice has a door for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from harness import BASE_URL, World

from criachat.kit.http.app import Application, HttpApp
from criachat.kit.http.guard import RateGuard
from criachat.kit.http.routes import Routes
from criachat.kit.idempotency import Idempotency
from criachat.kit.limits import Limiter

OUR_PAGE = "https://pages.example.com"
LARGEST_REQUEST = 64 * 1024


def application(world: World, routes: Routes) -> HttpApp:
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
            count=lambda method, route, status, seconds, /: None,
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
