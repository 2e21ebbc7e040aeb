from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from harness import Given, Person, World
from lines import Call, Line, Server


@pytest.fixture(scope="session")
async def server(world: World) -> AsyncIterator[Server]:
    """One server for all tests of sockets."""
    async with Server(world).running() as server:
        yield server


@pytest.fixture
async def call(server: Server) -> AsyncIterator[Call]:
    """Open a line to the server; it says welcome first."""
    lines: list[Line] = []

    async def call(**options: Any) -> Line:
        line = await server.line(subprotocols=["actioncable-v1-json", "actioncable-unsupported"], **options)
        lines.append(line)
        return line

    yield call
    for line in lines:
        await line.socket.close()


@pytest.fixture
def agent_line(call: Call, given: Given) -> Call:
    """A line on which a person of the test's account listens."""

    async def agent_line(person: Person, **identifier: Any) -> Line:
        line = await call()
        answer = await line.subscribe(
            pubsub_token=person.pubsub_token, account_id=given.account_id, user_id=person.id, **identifier
        )
        assert answer == "confirm_subscription"
        return line

    return agent_line


@pytest.fixture
def contact_line(call: Call) -> Call:
    """A line on which a contact listens."""

    async def contact_line(session: Any, **identifier: Any) -> Line:
        line = await call()
        assert await line.subscribe(pubsub_token=session["pubsub_token"], **identifier) == "confirm_subscription"
        return line

    return contact_line
