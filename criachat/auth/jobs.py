"""What happens to access tokens by the clock."""

from __future__ import annotations

from criachat.auth import operations
from criachat.kit.jobs import JobContext, Jobs

jobs = Jobs("auth")


@jobs.schedule("23 * * * *")
async def prune_tokens(context: JobContext) -> None:
    """Forget tokens that ended a month ago, a thousand at a time."""
    has_more = True
    while has_more:
        async with context.database.transaction() as tx:
            has_more = await operations.prune_tokens(tx)


@jobs.schedule("41 3 * * *")
async def prune_strays(context: JobContext) -> None:
    """Forget the tokens of people who are gone; they let nobody in since then."""
    async with context.database.transaction() as tx:
        await operations.prune_strays(tx)
