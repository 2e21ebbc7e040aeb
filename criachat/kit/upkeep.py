"""What the kit does by the clock to stay small."""

from __future__ import annotations

from criachat.kit import idempotency
from criachat.kit.jobs import JobContext, Jobs
from criachat.kit.partitions import tend_partitions

jobs = Jobs("kit")


@jobs.schedule("7 * * * *")
async def tend_days(context: JobContext) -> None:
    """Make the partitions of the days to come, and drop those whose time is over."""
    await tend_partitions(context.database, context.settings)


@jobs.schedule("*/15 * * * *")
async def prune_idempotency_keys(context: JobContext) -> None:
    """Forget answers that nobody can ask for any more."""
    await idempotency.prune(context.database)
