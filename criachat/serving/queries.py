"""What the doctor asks a PostgreSQL server about itself."""

from __future__ import annotations

from datetime import datetime

from criachat.kit.db import Connection

# Any open write transaction on the server, in whichever database, holds back every reader of the event log.
FIND_OLDEST_WRITER = """
SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::float
FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""
FIND_TIME = "SELECT clock_timestamp()"


async def find_oldest_writer_seconds(connection: Connection) -> float:
    """How long the oldest write transaction of the whole server is open; 0 when there is none."""
    return await connection.fetchval(FIND_OLDEST_WRITER)


async def find_time(connection: Connection) -> datetime:
    """The server's clock."""
    return await connection.fetchval(FIND_TIME)
