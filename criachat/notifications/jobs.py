"""What notifications do by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from criachat.kit import clock
from criachat.kit.actors import system
from criachat.kit.jobs import JobContext, Jobs
from criachat.notifications.models import MOST_KEPT
from criachat.notifications.operations import reading
from criachat.notifications.queries import making

jobs = Jobs("notifications")

KEPT_FOR: Final = timedelta(days=31)
MOST_DUE: Final = 10_000
REMOVED_AT_ONCE: Final = 1_000


class Wake(msgspec.Struct, frozen=True):
    """A notification that was put off until now."""

    account_id: int
    notification_id: int


@jobs.define()
async def wake_one(context: JobContext, params: Wake) -> None:
    """Show again what was put off until now; a second run finds it shown."""
    async with context.database.transaction() as tx:
        notification = await making.find_due(tx, params.account_id, params.notification_id)
        if notification is not None:
            await reading.wake(tx, notification, actor=system(params.account_id))


@jobs.schedule("*/5 * * * *")
async def wake_snoozed(context: JobContext) -> None:
    """Have shown again what was put off until now, however long ago that was.

    Each has a job of its own: one that cannot be shown is tried again alone, and holds up none of the others.
    """
    async with context.database.transaction() as tx:
        due = await making.list_due(tx, limit=MOST_DUE)
        keys = [f"{place.account_id}:{place.id}" for place in due]
        await jobs.enqueue_all(tx, wake_one, [Wake(place.account_id, place.id) for place in due], dedupe_keys=keys)


@jobs.schedule("23 3 * * *")
async def forget_old(context: JobContext) -> None:
    """Forget what is a month old, and what people have beyond what anybody reads."""
    before = clock.now() - KEPT_FOR
    count = REMOVED_AT_ONCE
    while count == REMOVED_AT_ONCE:
        async with context.database.transaction() as tx:
            count = await making.delete_old(tx, before, limit=REMOVED_AT_ONCE)
    async with context.database.reading() as db:
        overfull = await making.list_overfull(db, kept=MOST_KEPT)
    for whose in overfull:
        count = REMOVED_AT_ONCE
        while count == REMOVED_AT_ONCE:
            async with context.database.transaction() as tx:
                count = await making.delete_surplus(tx, whose, kept=MOST_KEPT, limit=REMOVED_AT_ONCE)
