from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from harness import open_folder

from criachat.kit import postgres
from criachat.kit.db import Database
from criachat.kit.epochs import check_epoch
from criachat.kit.migrate import migrate
from criachat.kit.partitions import make_partitions
from criachat.kit.postgres import Embedded

numbers = count(1)


@pytest.fixture(scope="session")
async def own_server() -> AsyncIterator[Embedded]:
    """A PostgreSQL server of these tests' own: they commit, listen and cut connections."""
    with open_folder() as folder:
        # A vacuum that is at work in a database keeps us, who are not its owner, from dropping it.
        server = await postgres.start(folder, tuning={"fsync": "off", "autovacuum": "off"})
        yield server
        await server.stop()


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """An empty folder for a server."""
    with open_folder() as folder:
        yield folder


@pytest.fixture
async def fresh_database(own_server: Embedded) -> AsyncIterator[str]:
    """The URL of an empty database."""
    name = f"fresh_{next(numbers)}"
    connection = await asyncpg.connect(own_server.url)
    await connection.execute(f"CREATE DATABASE {name}")
    yield urlsplit(own_server.url)._replace(path=f"/{name}").geturl()
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def migrated(fresh_database: str) -> AsyncIterator[Database]:
    """A database with our schema, as the composition root prepares it."""
    database = Database(fresh_database)
    database.on_connect(check_epoch)
    connection = await database.connect()
    await migrate(connection, also=(check_epoch, make_partitions))
    await connection.close()
    await database.open()
    yield database
    await database.close()
