from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness import Given, Person, World, build_world
from visitors import Browser, with_password


@pytest.fixture(scope="session")
async def other_process(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A second process on the same database, which hears no signals of the first; it stands behind a proxy."""
    url, folder = world.parts.database.url, Path(tmp_path_factory.mktemp("other"))
    async with build_world(
        url, folder, trusted_proxies=("10.0.0.0/8",), allowed_origins=("https://ours.example",)
    ) as it:
        yield it


@pytest.fixture
async def ana(given: Given) -> Person:
    """An agent who signs in with a password."""
    return await with_password(given, await given.agent("Ana"))


@pytest.fixture
def browser(world: World) -> Browser:
    """Somebody who is not signed in yet."""
    return Browser(world)
