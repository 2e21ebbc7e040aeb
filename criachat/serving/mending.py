"""What operators do about events that a listener could not take, and about jobs that failed for good."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from criachat.kit import failures
from criachat.kit.db import Tx
from criachat.kit.errors import Refused
from criachat.kit.failures import Failure
from criachat.kit.jobs import FailedJob, list_failed, requeue
from criachat.kit.settings import Settings
from criachat.serving.operating import workshop

NAME: Final = re.compile(r"(\d{1,18}):(\d{1,18})")
MOST: Final = 10_000


class UnknownFailure(Refused):
    """There is no such failure any more"""


class UnknownJob(Refused):
    """There is no such failed job any more"""


class NothingNamed(Refused):
    """Name what is meant, or say --all"""


def name_of(failure: Failure) -> str:
    """What a failure is called on the command line."""
    return f"{failure.account_id}:{failure.id}"


async def find_failures(settings: Settings, *, account: int | None, limit: int) -> list[Failure]:
    """The events that were set aside, of one account or of all, oldest first."""
    async with workshop(settings) as tools, tools.database.reading() as db:
        return await failures.list_failures(db, account_id=account, limit=limit)


async def replay_failures(settings: Settings, *, names: Sequence[str], account: int | None, everything: bool) -> int:
    """Have these events handed to their listeners again, now; how many."""
    return await _each(settings, failures.replay_failure, names=names, account=account, everything=everything)


async def discard_failures(settings: Settings, *, names: Sequence[str], account: int | None, everything: bool) -> int:
    """Never hand these events to their listeners again; how many."""
    return await _each(settings, failures.discard_failure, names=names, account=account, everything=everything)


async def find_jobs(settings: Settings, *, limit: int) -> list[FailedJob]:
    """The jobs that failed for good, the latest first."""
    async with workshop(settings) as tools, tools.database.reading() as db:
        return await list_failed(db, limit=limit)


async def requeue_jobs(settings: Settings, *, ids: Sequence[int], everything: bool) -> int:
    """Have failed jobs run again, as if for the first time; all of these or none; how many."""
    if not ids and not everything:
        raise NothingNamed
    async with workshop(settings) as tools, tools.database.transaction() as tx:
        chosen = [job.id for job in await list_failed(tx, limit=MOST)] if everything else list(dict.fromkeys(ids))
        count = await requeue(tx, chosen)
        if not everything and count < len(chosen):
            raise UnknownJob("Not all of these are jobs that failed for good; none was queued again.")
        return count


async def _each(
    settings: Settings,
    mend: Callable[[Tx, int, int], Awaitable[bool]],
    *,
    names: Sequence[str],
    account: int | None,
    everything: bool,
) -> int:
    """All of the failures that are meant, or none when one of them is not there."""
    if not names and not everything and account is None:
        raise NothingNamed
    async with workshop(settings) as tools, tools.database.transaction() as tx:
        if names:
            places = [_place(name) for name in dict.fromkeys(names)]
        else:
            found = await failures.list_failures(tx, account_id=account, limit=MOST)
            places = [(failure.account_id, failure.id) for failure in found]
        count = 0
        for account_id, failure_id in places:
            is_there = await mend(tx, account_id, failure_id)
            if names and not is_there:
                raise UnknownFailure(f"There is no failure {account_id}:{failure_id} any more; nothing was done.")
            count += is_there
        return count


def _place(name: str) -> tuple[int, int]:
    named = NAME.fullmatch(name)
    if named is None:
        raise UnknownFailure(f"{name!r} is no name of a failure; `criachat failures list` shows them, such as 3:17.")
    return int(named[1]), int(named[2])
