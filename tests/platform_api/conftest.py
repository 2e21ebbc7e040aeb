from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from harness import Api, Given, Person

from criachat.auth import operations as auth

Platform = Callable[[str], Awaitable[Api]]


@pytest.fixture
async def make_app(given: Given) -> Platform:
    """Registers operators' apps by name; each is a caller of its own."""

    async def make(name: str) -> Api:
        async with given.world.parts.database.transaction() as tx:
            token = await auth.create_platform_app(tx, given.world.keyring, name=name)
        return given.api.acting_as(Person(id=0, name=name, token=token))

    return make


@pytest.fixture
async def app(make_app: Platform) -> Api:
    """An operator's app."""
    return await make_app("Provisioning")
