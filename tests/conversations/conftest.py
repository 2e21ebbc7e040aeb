from __future__ import annotations

import pytest
from harness import World

from criachat.kit.jobs import JobContext


@pytest.fixture
def context(world: World) -> JobContext:
    """What the jobs of the application work with."""
    parts = world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)
