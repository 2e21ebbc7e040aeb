"""What the audit log does by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from criachat.audit import queries
from criachat.kit import clock
from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("audit")

REMOVED_AT_ONCE: Final = 5_000


@jobs.schedule("41 3 * * *")
async def forget_old(context: JobContext) -> None:
    """Forget changes that were kept for long enough, a batch in a transaction of its own."""
    before = clock.now() - timedelta(days=context.settings.audit_retention_days)
    count = REMOVED_AT_ONCE
    while count == REMOVED_AT_ONCE:
        async with context.database.transaction() as tx:
            count = await queries.delete_old(tx, before, limit=REMOVED_AT_ONCE)
