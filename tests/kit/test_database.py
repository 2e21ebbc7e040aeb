"""What is said while PostgreSQL cannot be reached."""

from __future__ import annotations

import pytest

from criachat.kit.db import Database
from criachat.kit.errors import Unavailable

# Nobody can be connected to there, and the system says so itself.
BROADCAST = "postgresql://nobody@255.255.255.255:5432/nowhere"


async def test_a_host_that_the_network_does_not_lead_to_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Database(BROADCAST).open()
