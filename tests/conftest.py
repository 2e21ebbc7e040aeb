"""What every test may ask for: a migrated database, the real application, and people who do things.

Each test has an account of its own and really commits. So tests do not see each other, and what reads the log behind
committed transactions, the relay, sockets and the feed, sees what a test did.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from harness import Api, Given, World, build_world, open_folder
from mailserver import Mailbox
from receivers import Receiver

from criachat.kit import clock, postgres


@pytest.fixture(scope="session")
async def mailbox() -> AsyncIterator[Mailbox]:
    """Somebody else's mail server, which the application sends through."""
    async with Mailbox().open() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
async def world(mailbox: Mailbox) -> AsyncIterator[World]:
    """The application of this test session, on a PostgreSQL server of its own."""
    with open_folder() as folder:
        # Whatever writes holds readers of the log back a moment, autovacuum too: what a test did is to be read at once.
        server = await postgres.start(folder, tuning={"fsync": "off", "autovacuum": "off"})
        async with build_world(server.url, folder, smtp_url=mailbox.url) as world:
            yield world
        await server.stop()


@pytest.fixture
async def given(world: World) -> AsyncIterator[Given]:
    """What is the case before the test acts, in an account of its own."""
    given = await Given.in_new_account(world)
    yield given
    clock.stand_by()


@pytest.fixture
async def api(given: Given) -> Api:
    """The Application API, called by an administrator of the test's account until told otherwise."""
    return given.api


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody else's server, which is told things and answers 200 until it is told otherwise."""
    async with Receiver().listening() as receiver:
        yield receiver
