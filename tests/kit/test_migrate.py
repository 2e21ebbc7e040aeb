"""How the schema is brought up to date."""

from __future__ import annotations

from criachat.kit.db import Connection, Database
from criachat.kit.migrate import migrate

LIST_LIMITS = """
SELECT name FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout') AND setting <> '0' ORDER BY name
"""


async def test_what_migrates_may_take_as_long_as_it_needs(fresh_database: str) -> None:
    limits: list[list[str]] = []

    async def look(connection: Connection) -> None:
        limits.append([row["name"] for row in await connection.fetch(LIST_LIMITS)])

    connection = await Database(fresh_database).connect()
    await look(connection)
    await migrate(connection, also=(look,))
    await connection.close()

    assert limits == [["statement_timeout", "transaction_timeout"], []]
