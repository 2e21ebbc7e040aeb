"""What the kit does by the clock to stay small."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from criachat.kit import idempotency, shared_limits
from criachat.kit.db import Tx
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


@jobs.schedule("22 * * * *")
async def prune_limited_requests(context: JobContext) -> None:
    """Forget who tried to sign in, or asked for a password, a while ago."""
    await shared_limits.prune(context.database)


class RemoveFile(msgspec.Struct, frozen=True):
    """A file that nothing names any more."""

    key: str


@jobs.define()
async def remove_file(context: JobContext, params: RemoveFile) -> None:
    """Remove a file that was replaced; a second run finds it gone."""
    await context.files.delete(params.key)


async def remove_file_later(tx: Tx, key: str, *, unless_kept_for: timedelta | None = None) -> None:
    """Have a file removed once nothing names it any more; or after a while, unless it is kept before that."""
    dedupe_key = None if unless_kept_for is None else key
    await jobs.enqueue(tx, remove_file, RemoveFile(key), execute_after=unless_kept_for, dedupe_key=dedupe_key)


async def keep_file(tx: Tx, key: str) -> None:
    """Have a file stay that was to be removed after a while."""
    await jobs.cancel(tx, remove_file, dedupe_key=key)
