"""What conversations do by the clock."""

from __future__ import annotations

from criachat.accounts import operations as accounts
from criachat.conversations.operations.status import wake_snoozed
from criachat.conversations.queries import writes
from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("conversations")


@jobs.schedule("*/5 * * * *")
async def open_snoozed(context: JobContext) -> None:
    """Open snoozed conversations whose time has come, account by account."""
    async with context.database.reading() as db:
        account_ids = await accounts.list_account_ids(db)
    for account_id in account_ids:
        async with context.database.transaction() as tx:
            await wake_snoozed(tx, account_id)


@jobs.schedule("*/10 * * * *")
async def fold_counts(context: JobContext) -> None:
    """Add the differences behind the lists' counts up, so that summing them stays cheap."""
    async with context.database.reading() as db:
        account_ids = await accounts.list_account_ids(db)
    for account_id in account_ids:
        async with context.database.transaction() as tx:
            await writes.fold_counts(tx, account_id)
