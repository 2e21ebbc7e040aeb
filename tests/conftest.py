"""What every test may ask for: a migrated database, the real application, and people who do things.

Each test has an account of its own and really commits. So tests do not see each other, and what reads the log behind
committed transactions, the relay, sockets and the feed, sees what a test did.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from harness import Api, Given, World, build_world, open_folder
from mailserver import Mailbox
from receivers import Receiver
from recording import held_still, recorded

from criachat.kit import clock, postgres


def pytest_configure() -> None:
    """Nothing that is imported and collected from here on is garbage; looking for some takes a quarter of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was collected stays to the end, and is not looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def time_goes_on() -> Iterator[None]:
    """A test that travels in time takes nobody along."""
    yield
    clock.stand_by()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-examples", type=Path, metavar="FILE", help="write examples for the API's description")


@pytest.fixture(scope="session")
def examples_file(pytestconfig: pytest.Config) -> Path | None:
    """Where examples for the API's description are recorded, if they are."""
    return pytestconfig.getoption("--record-examples")


@pytest.fixture(autouse=True)
def alike_in_each_run(request: pytest.FixtureRequest, examples_file: Path | None) -> Iterator[None]:
    """What is recorded of a test is the same each time."""
    with held_still(request.node.nodeid) if examples_file else nullcontext():
        yield


@pytest.fixture(scope="session")
async def mailbox() -> AsyncIterator[Mailbox]:
    """Somebody else's mail server, which the application sends through."""
    async with Mailbox().open() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
async def world(mailbox: Mailbox, examples_file: Path | None) -> AsyncIterator[World]:
    """The application of this test session, on a PostgreSQL server of its own."""
    with open_folder() as folder:
        # Whatever writes holds readers of the log back a moment, autovacuum too: what a test did is to be read at once.
        server = await postgres.start(folder, tuning={"fsync": "off", "autovacuum": "off"})
        async with build_world(server.url, folder, smtp_url=mailbox.url) as world, recorded(world, examples_file):
            yield world
        await server.stop()


@pytest.fixture
async def given(world: World) -> AsyncIterator[Given]:
    """What is the case before the test acts, in an account of its own.

    What is still to be done when it ends, such as asking receivers that are gone, is not left to the tests after it.
    """
    given = await Given.in_new_account(world)
    yield given
    await given.forget_what_is_left()


@pytest.fixture
async def api(given: Given) -> Api:
    """The Application API, called by an administrator of the test's account until told otherwise."""
    return given.api


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody else's server, which is told things and answers 200 until it is told otherwise."""
    async with Receiver().listening() as receiver:
        yield receiver
