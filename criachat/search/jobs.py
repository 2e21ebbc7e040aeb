"""Keeping what searches look through."""

from __future__ import annotations

import asyncio

import structlog

from criachat.kit import clock
from criachat.kit.jobs import JobContext, Jobs
from criachat.search.models import Behind
from criachat.search.queries import words

log = structlog.get_logger()
jobs = Jobs("search")

# What is left after that waits for the next minute.
ROUND_SECONDS = 50.0
# However much was said before: those who talk have most of the machine.
REST = 2.0
# Filed together, words cost a third of what they cost one by one; not filed, they are read through by each search.
BATCHES_FILED_AT_ONCE = 20
# Of each the first thousand rows are looked at, in one transaction.
ACCOUNTS_AT_ONCE = 20


@jobs.schedule("* * * * *")
async def keep_words(context: JobContext) -> None:
    """Keep the words of what was said, in short batches, accounts in turns; what is kept already stays."""
    ends = clock.monotonic() + ROUND_SECONDS
    async with context.database.reading() as db:
        behind = await words.list_behind(db)
    unfiled = 0
    while behind and clock.monotonic() < ends:
        further = [await _keep_batch(context, each) for each in behind]
        unfiled += len(behind)
        behind = [each for each in further if each is not None]
        if unfiled >= BATCHES_FILED_AT_ONCE:
            await file_words(context)
            unfiled = 0


async def _keep_batch(context: JobContext, behind: Behind) -> Behind | None:
    """Keep some, and rest longer than that took when there are more; what fails waits for the next minute."""
    started = clock.monotonic()
    try:
        async with context.database.transaction() as tx:
            further = await words.keep_words(tx, behind)
    except Exception:
        # Whatever is the matter with its messages, those of the accounts behind it are found.
        log.exception("words_not_kept", account_id=behind.account_id, after_id=behind.after_id)
        return None
    if further is not None:
        await asyncio.sleep(REST * (clock.monotonic() - started))
    return further


@jobs.schedule("*/10 * * * *")
async def file_words(context: JobContext) -> None:
    """Bring what was added to the index to its place in it; where there is nothing, that costs nothing."""
    async with context.database.reading() as db:
        await words.file_words(db)


@jobs.schedule("25 3 * * *", timeout_seconds=3600)
async def forget_words(context: JobContext) -> None:
    """Forget the words of messages that are too old to be found, of some accounts at once; a second run finds none."""
    async with context.database.reading() as db:
        left = await words.list_too_old(db)
    while left:
        some = left[:ACCOUNTS_AT_ONCE]
        async with context.database.transaction() as tx:
            reached = await words.forget_words(tx, some)
        left = left[len(some) if reached is None else left.index(reached) :]
