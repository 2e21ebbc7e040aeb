"""What contacts do later."""

from __future__ import annotations

import msgspec

from criachat.contacts import operations
from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("contacts")


class Retag(msgspec.Struct, frozen=True):
    """A label that has another title now."""

    account_id: int
    previous: str
    current: str
    cause: str


@jobs.define(timeout_seconds=3600)
async def retag_contacts(context: JobContext, params: Retag) -> None:
    """Tag anew, in batches, who has the label under its previous title; a second run finds nobody left."""
    is_done = False
    while not is_done:
        async with context.database.transaction() as tx:
            is_done = not await operations.retag(
                tx, params.account_id, previous=params.previous, current=params.current, cause=params.cause
            )


class RemoveSessions(msgspec.Struct, frozen=True):
    """An inbox that was deleted."""

    account_id: int
    inbox_id: int


@jobs.define(timeout_seconds=3600)
async def remove_sessions(context: JobContext, params: RemoveSessions) -> None:
    """Remove, in batches, the sessions of an inbox with all that was said in them; a second run finds none."""
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await operations.remove_sessions(tx, params.account_id, params.inbox_id)
