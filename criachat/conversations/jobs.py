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


class Wake(msgspec.Struct, frozen=True):
    """A snoozed conversation whose time has come, by its database id."""

    account_id: int
    conversation_id: int


@jobs.define()
async def open_one(context: JobContext, params: Wake) -> None:
    """Open a snoozed conversation whose time has come; a second run finds it open."""
    async with context.database.transaction() as tx:
        await wake(tx, params.account_id, params.conversation_id)


@jobs.schedule("*/5 * * * *")
async def open_snoozed(context: JobContext) -> None:
    """Have snoozed conversations opened whose time has come, however long ago that was.

    Each has a job of its own: one that cannot be opened is tried again alone, and keeps none of the others asleep.
    """
    async with context.database.transaction() as tx:
        due = await writes.list_due_snoozed(tx, limit=MOST_DUE)
        keys = [f"{place.account_id}:{place.id}" for place in due]
        await jobs.enqueue_all(tx, open_one, [Wake(place.account_id, place.id) for place in due], dedupe_keys=keys)


@jobs.schedule("*/10 * * * *")
async def fold_counts(context: JobContext) -> None:
    """Add the differences behind the lists' counts up, so that summing them stays cheap."""
    async with context.database.reading() as db:
        account_ids = await writes.list_accounts_to_fold(db)
    for account_id in account_ids:
        async with context.database.transaction() as tx:
            await writes.fold_counts(tx, account_id)
