from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness import World, build_world


@pytest.fixture(scope="session")
async def other_process(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A second process on the same database, which hears no signals of the first; it stands behind a proxy."""
    url, folder = world.parts.database.url, Path(tmp_path_factory.mktemp("other"))
    async with build_world(
        url, folder, trusted_proxies=("10.0.0.0/8",), allowed_origins=("https://ours.example",)
    ) as it:
        yield it
