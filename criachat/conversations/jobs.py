"""What conversations do later, and by the clock."""

from __future__ import annotations

import msgspec

from criachat.conversations.operations.describing import retag
from criachat.conversations.operations.status import wake
from criachat.conversations.queries import writes
from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("conversations")

# What is left over is due again five minutes later.
MOST_DUE = 10_000


class Retag(msgspec.Struct, frozen=True):
    """A label that has another title now."""

    account_id: int
    previous: str
    current: str
    cause: str


@jobs.define(timeout_seconds=3600)
async def retag_conversations(context: JobContext, params: Retag) -> None:
    """Tag anew, in batches, what has the label under its previous title; a second run finds nothing left."""
    is_done = False
    while not is_done:
        async with context.database.transaction() as tx:
            is_done = not await retag(
                tx, params.account_id, previous=params.previous, current=params.current, cause=params.cause
            )


@jobs.schedule("*/5 * * * *")
async def open_snoozed(context: JobContext) -> None:
    """Open snoozed conversations whose time has come, each in a transaction of its own."""
    async with context.database.reading() as db:
        due = await writes.list_due_snoozed(db, limit=MOST_DUE)
    for place in due:
        async with context.database.transaction() as tx:
            await wake(tx, place.account_id, place.id)


@jobs.schedule("*/10 * * * *")
async def fold_counts(context: JobContext) -> None:
    """Add the differences behind the lists' counts up, so that summing them stays cheap."""
    async with context.database.reading() as db:
        account_ids = await writes.list_accounts_to_fold(db)
    for account_id in account_ids:
        async with context.database.transaction() as tx:
            await writes.fold_counts(tx, account_id)
