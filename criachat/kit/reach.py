"""Whether a PostgreSQL server can be worked with; when not, a sentence that says what to do."""

from __future__ import annotations

import asyncio
from typing import Any, Final, NoReturn
from urllib.parse import parse_qs, urlsplit

import asyncpg
import structlog

log = structlog.get_logger()

OLDEST_VERSION: Final = 15
CONNECT_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.5
# Nobody is there yet, or they are still getting up.
NOT_YET: Final = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)

FIND_ENCODING = "SHOW server_encoding"
MAY_CREATE = "SELECT has_schema_privilege(current_schema(), 'CREATE')"


class DatabaseUnusable(Exception):
    """The database cannot be worked with; the text says why and what to do."""


async def check_reach(url: str, *, patience_seconds: float = 0) -> str:
    """The server's version, when we can work with it; raises `DatabaseUnusable`.

    A server that does not answer yet is asked again for as long as patience lasts: containers start in any order.
    """
    deadline = asyncio.get_running_loop().time() + patience_seconds
    is_told = False
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
            break
        except NOT_YET as failure:
            if asyncio.get_running_loop().time() >= deadline:
                _refuse(url, failure)
            if not is_told:
                log.warning("waiting_for_database", database=place_of(url), failure=type(failure).__name__)
                is_told = True
            await asyncio.sleep(PAUSE_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as failure:
            _refuse(url, failure)
    try:
        return await _check_server(connection, url)
    finally:
        await connection.close()


async def _check_server(connection: asyncpg.Connection[Any], url: str) -> str:
    version = connection.get_server_version()
    if version.major < OLDEST_VERSION:
        raise DatabaseUnusable(
            f"PostgreSQL at {place_of(url)} is version {version.major}.{version.minor}, and CriaChat needs "
            f"{OLDEST_VERSION} or newer. Upgrade it, or leave CRIACHAT_DATABASE_URL out to run the embedded one."
        )
    encoding = await connection.fetchval(FIND_ENCODING)
    if encoding != "UTF8":
        raise DatabaseUnusable(
            f"The database at {place_of(url)} is encoded in {encoding}. Make one that takes every language: "
            "CREATE DATABASE criachat ENCODING 'UTF8' TEMPLATE template0."
        )
    if not await connection.fetchval(MAY_CREATE):
        user = urlsplit(url).username or "our role"
        raise DatabaseUnusable(
            f"{user} may not create tables at {place_of(url)}. Make it the database's owner: "
            f"ALTER DATABASE … OWNER TO {user}."
        )
    return f"{version.major}.{version.minor}"


def place_of(url: str) -> str:
    """Where a database is, without user and password."""
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [""])[0] or parts.hostname or "localhost"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{host}{port}/{parts.path.lstrip('/')}"


def _refuse(url: str, failure: Exception) -> NoReturn:
    place = place_of(url)
    reason = str(failure).strip().split("\n")[0] or type(failure).__name__
    match failure:
        case asyncpg.InvalidCatalogNameError():
            text = f"There is no database at {place}. Make it (CREATE DATABASE … OWNER …), or correct its name."
        case asyncpg.InvalidAuthorizationSpecificationError():
            text = f"PostgreSQL at {place} does not let us in: {reason}. Correct the user and the password."
        case ValueError() | asyncpg.InterfaceError():
            text = (
                f"It is not the address of a database: {reason}. One looks like postgresql://user:password@host/name."
            )
        case OSError() | TimeoutError():
            text = (
                f"PostgreSQL at {place} does not answer ({reason}). Check that it runs, and that this is its address."
            )
        case _:
            text = f"PostgreSQL at {place} refuses us: {reason}."
    raise DatabaseUnusable(f"CRIACHAT_DATABASE_URL: {text}") from failure
