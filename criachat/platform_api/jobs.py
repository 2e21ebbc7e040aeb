"""What operators' apps have done later."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from criachat.contacts import operations as contacts
from criachat.conversations.operations import deleting as conversations
from criachat.kit.db import Tx
from criachat.kit.jobs import JobContext, Jobs
from criachat.messages import access as messages
from criachat.platform_api import operations

jobs = Jobs("platform_api")

LOOK_AGAIN = timedelta(minutes=1)


class RemoveUser(msgspec.Struct, frozen=True):
    """A person who is to be forgotten."""

    user_id: int


class RemoveAccount(msgspec.Struct, frozen=True):
    """A suspended account that is to be removed."""

    account_id: int


@jobs.define()
async def remove_user(context: JobContext, params: RemoveUser) -> None:
    """Forget a person; a second run finds nobody."""
    async with context.database.transaction() as tx:
        await operations.remove_user(tx, params.user_id)


@jobs.define(timeout_seconds=3600)
async def remove_account(context: JobContext, params: RemoveAccount) -> None:
    """Remove an account: conversations and contacts a batch at a time, then, with its files gone, the rest."""
    for remove_some in (conversations.remove_some, contacts.remove_some):
        has_more = True
        while has_more:
            async with context.database.transaction() as tx:
                has_more = await remove_some(tx, params.account_id)
    async with context.database.transaction() as tx:
        if await messages.has_files_to_remove(tx, params.account_id):
            await remove_account_later(tx, params.account_id, execute_after=LOOK_AGAIN)
        else:
            await operations.remove_account(tx, params.account_id)


async def remove_user_later(tx: Tx, user_id: int) -> None:
    """Have a person forgotten, once however often it is asked for."""
    await jobs.enqueue(tx, remove_user, RemoveUser(user_id), dedupe_key=f"user:{user_id}")


async def remove_account_later(tx: Tx, account_id: int, *, execute_after: timedelta | None = None) -> None:
    """Have an account removed, once however often it is asked for."""
    key = f"account:{account_id}"
    await jobs.enqueue(tx, remove_account, RemoveAccount(account_id), execute_after=execute_after, dedupe_key=key)
