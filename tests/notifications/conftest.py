from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from harness import Api, Given, Person

Listed = Callable[..., Awaitable[list[Any]]]


@pytest.fixture
def told(api: Api, given: Given) -> Listed:
    """What a person was told and has not read, the latest first."""

    async def told(person: Person, **params: Any) -> list[Any]:
        await given.relayed()
        reply = await api.acting_as(person).get("/notifications", params=params)
        assert reply.status == 200, reply.body
        return reply.json["data"]["payload"]

    return told
