"""What notifications do by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from criachat.kit import clock
from criachat.kit.actors import system
from criachat.kit.jobs import JobContext, Jobs
from criachat.notifications.models import MOST_KEPT
from criachat.notifications.operations import reading
from criachat.notifications.queries import making

jobs = Jobs("notifications")

KEPT_FOR: Final = timedelta(days=31)
BATCH: Final = 100
REMOVED_AT_ONCE: Final = 5_000


@jobs.schedule("*/5 * * * *")
async def wake_snoozed(context: JobContext) -> None:
    """Show again what was put off until now, a batch in a transaction of its own."""
    while True:
        async with context.database.transaction() as tx:
            due = await making.list_due(tx, limit=BATCH)
            for notification in due:
                await reading.wake(tx, notification, actor=system(notification.account_id))
        if len(due) < BATCH:
            return


@jobs.schedule("23 3 * * *")
async def forget_old(context: JobContext) -> None:
    """Forget what is a month old, and what people have beyond what anybody reads."""
    before = clock.now() - KEPT_FOR
    count = REMOVED_AT_ONCE
    while count == REMOVED_AT_ONCE:
        async with context.database.transaction() as tx:
            count = await making.delete_old(tx, before, limit=REMOVED_AT_ONCE)
    count = REMOVED_AT_ONCE
    while count == REMOVED_AT_ONCE:
        async with context.database.transaction() as tx:
            count = await making.delete_surplus(tx, kept=MOST_KEPT, limit=REMOVED_AT_ONCE)
