"""What inboxes do later."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from criachat.inboxes import operations
from criachat.inboxes.pre_chat import Renaming
from criachat.kit.db import Tx
from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("inboxes")

LOOK_AGAIN = timedelta(seconds=5)


class RemoveInbox(msgspec.Struct, frozen=True):
    """A hidden inbox."""

    account_id: int
    inbox_id: int


@jobs.define(timeout_seconds=3600)
async def remove_inbox(context: JobContext, params: RemoveInbox) -> None:
    """Remove a hidden inbox once the sessions in it are gone; a second run finds nothing left."""
    async with context.database.transaction() as tx:
        if not await operations.remove_deleted(tx, account_id=params.account_id, inbox_id=params.inbox_id):
            await enqueue_removal(tx, params, execute_after=LOOK_AGAIN)


@jobs.define(timeout_seconds=3600)
async def follow_definition(context: JobContext, params: Renaming) -> None:
    """Have forms that ask for an extra field follow it, one at a time; a second run finds nothing to change."""
    inbox_id: int | None = 0
    while inbox_id is not None:
        async with context.database.transaction() as tx:
            inbox_id = await operations.follow_definition(tx, params, after=inbox_id)


async def enqueue_removal(tx: Tx, params: RemoveInbox, *, execute_after: timedelta | None = None) -> None:
    """Have a hidden inbox removed, once however often it is asked for."""
    key = f"inbox:{params.account_id}:{params.inbox_id}"
    await jobs.enqueue(tx, remove_inbox, params, execute_after=execute_after, dedupe_key=key)
