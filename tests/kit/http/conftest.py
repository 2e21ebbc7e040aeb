"""A second process on the same database, with little patience."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness import Given, World, build_world

LIMITS = ("token=3", "address=3", "contact=3", "inbox=3", "contact-search=2")


@pytest.fixture(scope="session")
async def strict_world(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The application with limits that are soon reached, behind a proxy it trusts."""
    url, folder = world.parts.database.url, Path(tmp_path_factory.mktemp("strict"))
    async with build_world(url, folder, changed_limits=LIMITS, trusted_proxies=("10.0.0.0/8",)) as strict_world:
        yield strict_world


@pytest.fixture
def strict(given: Given, strict_world: World) -> Given:
    """The test's account, seen through that process."""
    return Given(strict_world, given.account_id, given.boss)
