"""Transaction ids are counted anew after a restore, an upgrade or a promotion: the epoch tells the counts apart.

An epoch belongs to one PostgreSQL server (its system identifier) on one of its timelines. Every new connection
compares; the first to see another server or timeline begins the next epoch, and `(epoch, xid, id)` stays the order.
"""

from __future__ import annotations

import asyncpg
import structlog

from criachat.kit.db import Connection

log = structlog.get_logger()

# The timeline is read off the WAL's position: right after a promotion the control file still has the old one, until the
# first checkpoint is through. A standby cannot write, and there is nothing to write: it shows what its primary wrote.
IS_CURRENT = """
SELECT CASE WHEN pg_is_in_recovery() THEN true ELSE EXISTS (
    SELECT FROM event_epoch, pg_control_system() AS server
    WHERE event_epoch.system_identifier = server.system_identifier
      AND event_epoch.timeline = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
) END
"""
# Every transaction that emits has read the epoch and holds a share of its lock until it ends. So whoever has the whole
# lock knows that no event of the old epoch is still to be committed, behind the back of readers already in the new one.
LOCK_EPOCH = "LOCK TABLE event_epoch IN ACCESS EXCLUSIVE MODE"
BEGIN_EPOCH = """
INSERT INTO event_epoch AS kept (epoch, system_identifier, timeline)
SELECT 1, server.system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
FROM pg_control_system() AS server
ON CONFLICT (is_only) DO UPDATE
SET epoch = kept.epoch + 1, system_identifier = excluded.system_identifier, timeline = excluded.timeline
WHERE (kept.system_identifier, kept.timeline) <> (excluded.system_identifier, excluded.timeline)
RETURNING epoch
"""


async def check_epoch(connection: Connection) -> None:
    """Begin a new epoch when this server is not the one, or not on the timeline, that the log was last written on.

    For `Database.on_connect`, and once more after migrating: a database without schema is left alone.
    """
    try:
        if await connection.fetchval(IS_CURRENT):
            return
    except asyncpg.UndefinedTableError:
        return
    async with connection.transaction():
        await connection.execute(LOCK_EPOCH)
        epoch = await connection.fetchval(BEGIN_EPOCH)
    if epoch is not None and epoch > 1:
        log.warning("event_epoch_began", epoch=epoch)
