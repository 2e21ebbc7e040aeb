from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from harness import Api, Given

Platform = Callable[[str], Awaitable[Api]]


@pytest.fixture
async def make_app(given: Given) -> Platform:
    """Registers operators' apps by name; each is a caller of its own."""

    async def make(name: str) -> Api:
        return given.api.acting_as(await given.operators_app(name))

    return make


@pytest.fixture
async def app(make_app: Platform) -> Api:
    """An operator's app."""
    return await make_app("Provisioning")
