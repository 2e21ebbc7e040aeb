"""Keeping what searches look through."""

from __future__ import annotations

from criachat.accounts import operations as accounts
from criachat.kit.jobs import JobContext, Jobs
from criachat.search import queries

jobs = Jobs("search")


@jobs.schedule("* * * * *", timeout_seconds=3600)
async def keep_words(context: JobContext) -> None:
    """Keep the words of what was said, account by account, in batches; what is kept already stays."""
    async with context.database.reading() as db:
        behind = await queries.list_behind(db)
    for account_id in behind:
        is_left = True
        while is_left:
            async with context.database.transaction() as tx:
                is_left = await queries.keep_words(tx, account_id)


@jobs.schedule("25 3 * * *", timeout_seconds=3600)
async def forget_words(context: JobContext) -> None:
    """Forget the words of messages that are too old to be found; a second run finds none."""
    async with context.database.reading() as db:
        account_ids = await accounts.list_account_ids(db)
    for account_id in account_ids:
        is_left = True
        while is_left:
            async with context.database.transaction() as tx:
                is_left = await queries.forget_words(tx, account_id)
