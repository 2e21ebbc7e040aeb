"""The SQL of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from criachat.audit.models import Change, Entry
from criachat.kit.db import Db, Tx

# Who acted is named as they were then: later they may be called something else, or be gone.
INSERT_ENTRIES = """
INSERT INTO audit_logs (account_id, event_id, auditable_type, auditable_id, action, user_type, user_id, username,
    audited_changes, version, cause, created_at)
SELECT $1, changes.event_id, changes.auditable_type, changes.auditable_id, changes.action, changes.user_type,
    changes.user_id, coalesce(users.email, agent_bots.name), changes.audited_changes,
    row_number() OVER (PARTITION BY changes.auditable_type, changes.auditable_id ORDER BY changes.event_id) + coalesce((
        SELECT max(version) FROM audit_logs AS earlier
        WHERE earlier.account_id = $1 AND earlier.auditable_type = changes.auditable_type
            AND earlier.auditable_id = changes.auditable_id
    ), 0),
    changes.cause, changes.created_at
FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::jsonb[], $9::text[],
    $10::timestamptz[]) AS changes (event_id, auditable_type, auditable_id, action, user_type, user_id,
    audited_changes, cause, created_at)
LEFT JOIN users ON changes.user_type = 'User' AND users.id = changes.user_id
LEFT JOIN agent_bots ON changes.user_type = 'AgentBot' AND agent_bots.account_id = $1
    AND agent_bots.id = changes.user_id
WHERE NOT EXISTS (
    SELECT FROM audit_logs AS written WHERE written.account_id = $1 AND written.event_id = changes.event_id
)
ORDER BY changes.event_id
ON CONFLICT (account_id, event_id) DO NOTHING
"""
LIST_ENTRIES = """
SELECT id, account_id, auditable_type, auditable_id, action, user_type, user_id, username, audited_changes, version,
    cause, created_at
FROM audit_logs
WHERE account_id = $1
ORDER BY created_at DESC, id DESC
LIMIT $2 OFFSET $3
"""
COUNT_ENTRIES = "SELECT count(*) FROM audit_logs WHERE account_id = $1"
# Across accounts: what is older than anybody keeps it, in batches.
DELETE_OLD = """
DELETE FROM audit_logs WHERE (account_id, id) IN (
    SELECT account_id, id FROM audit_logs WHERE created_at < $1 ORDER BY created_at LIMIT $2
)
"""


async def insert_entries(tx: Tx, account_id: int, changes: Sequence[Change]) -> None:
    """Write these changes down; those that were written already are passed over."""
    distinct = list({change.event_id: change for change in changes}.values())
    columns = (
        [change.event_id for change in distinct],
        [change.auditable_type for change in distinct],
        [change.auditable_id for change in distinct],
        [change.action for change in distinct],
        [change.user_type for change in distinct],
        [change.user_id for change in distinct],
        [change.audited_changes for change in distinct],
        [change.cause for change in distinct],
        [change.created_at for change in distinct],
    )
    await tx.execute(INSERT_ENTRIES, account_id, *columns)


async def list_entries(db: Db, account_id: int, *, limit: int, offset: int) -> list[Entry]:
    """A page of changes, the latest first."""
    return await db.fetch_all(Entry, LIST_ENTRIES, account_id, limit, offset)


async def count_entries(db: Db, account_id: int) -> int:
    """How many changes are written down."""
    return await db.fetch_value(COUNT_ENTRIES, account_id)


async def delete_old(tx: Tx, before: datetime, *, limit: int) -> int:
    """Forget what is older than this; how much it was."""
    return await tx.execute(DELETE_OLD, before, limit)
