"""What inboxes do later."""

from __future__ import annotations

import msgspec

from criachat.inboxes import operations
from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("inboxes")


class RemoveInbox(msgspec.Struct, frozen=True):
    """A hidden inbox."""

    account_id: int
    inbox_id: int


@jobs.define(timeout_seconds=3600)
async def remove_inbox(context: JobContext, params: RemoveInbox) -> None:
    """Remove a hidden inbox with its conversations, sessions and messages; a second run finds nothing left."""
    async with context.database.transaction() as tx:
        await operations.remove_deleted(tx, account_id=params.account_id, inbox_id=params.inbox_id)
