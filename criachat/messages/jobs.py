"""What messages do by the clock."""

from __future__ import annotations

from criachat.accounts import operations as accounts
from criachat.kit.jobs import JobContext, Jobs
from criachat.messages.operations import uploads
from criachat.messages.queries import attachments

jobs = Jobs("messages")

BATCH = 500


@jobs.schedule("*/10 * * * *")
async def remove_files(context: JobContext) -> None:
    """Remove the files that nothing names, account by account; what was removed before is found gone."""
    async with context.database.reading() as db:
        account_ids = await accounts.list_account_ids(db)
    for account_id in account_ids:
        await _remove_uploads(context, account_id)
        while await _remove_batch(context, account_id) == BATCH:
            pass


async def _remove_uploads(context: JobContext, account_id: int) -> None:
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await uploads.remove_expired(tx, account_id)


async def _remove_batch(context: JobContext, account_id: int) -> int:
    async with context.database.reading() as db:
        keys = await attachments.list_files_to_remove(db, account_id, limit=BATCH)
    for key in keys:
        await context.files.delete(key)
    if keys:
        async with context.database.transaction() as tx:
            await attachments.delete_files_to_remove(tx, account_id, keys)
    return len(keys)
