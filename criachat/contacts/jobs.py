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
