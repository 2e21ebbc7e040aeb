"""What operators see of events that were set aside and of jobs that failed, and what they do about them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from commands import Ran, criachat
from harness import Given

from criachat.kit import clock
from criachat.kit.errors import Refused
from criachat.kit.events import Cursor, list_after
from criachat.kit.failures import Failure, Kept, keep_failure, list_failures
from criachat.kit.settings import Settings
from criachat.kit.upkeep import remove_file_later
from criachat.labels.events import LabelRenamed
from criachat.serving import mending

KEY = "a-key-for-tests-only-0123456789abcdef"


async def command(given: Given, *words: str) -> Ran:
    return await criachat(*words, database_url=given.world.parts.database.url, secret_key=KEY)


async def set_aside(given: Given) -> Failure:
    """An event of the account that some listener could not take."""
    label = (await given.api.post("/labels", {"title": "vip"})).json
    await given.api.patch(f"/labels/{label['id']}", {"title": "gold"})
    await given.relayed()
    async with given.world.parts.database.transaction() as tx:
        start = Cursor(0, 0, 0, clock.now() - timedelta(days=1))
        records = await list_after(tx, given.account_id, start, limit=100)
        record = next(record for record in records if record.name == LabelRenamed.name)
        await keep_failure(
            tx, Kept(1, record), "conversations.have_conversations_retagged", ValueError("no such label")
        )
    (failure,) = await waiting(given)
    return failure


async def waiting(given: Given) -> list[Failure]:
    async with given.world.parts.database.reading() as db:
        return await list_failures(db, account_id=given.account_id)


async def test_events_that_were_set_aside_are_listed_with_why(given: Given) -> None:
    failure = await set_aside(given)

    shown = await command(given, "failures", "list", "--account", str(given.account_id))
    for_programs = await command(given, "failures", "list", "--account", str(given.account_id), "--json")

    head, line = shown.out.splitlines()
    assert head.split() == ["FAILURE", "EVENT", "LISTENER", "TRIES", "NEXT", "TRY", "SINCE", "WHY"]
    assert line.startswith(f"{given.account_id}:{failure.id}")
    assert line.endswith("ValueError: no such label")
    assert "label_renamed" in line
    told = json.loads(for_programs.out)
    assert (told["account_id"], told["id"], told["tries"]) == (given.account_id, failure.id, 1)


async def test_an_event_that_was_set_aside_is_handed_over_again(given: Given) -> None:
    failure = await set_aside(given)
    assert failure.due_at is not None
    assert failure.due_at > clock.now()

    ran = await command(given, "failures", "replay", f"{given.account_id}:{failure.id}")

    (waits,) = await waiting(given)
    assert (ran.status, ran.err.strip()) == (0, "1 handed over again.")
    assert waits.due_at is not None
    assert waits.due_at <= clock.now()


async def test_an_event_that_nobody_can_take_is_given_up(given: Given) -> None:
    await set_aside(given)

    ran = await command(given, "failures", "discard", "--account", str(given.account_id))
    none = await command(given, "failures", "list", "--account", str(given.account_id))

    assert (ran.status, ran.err.strip()) == (0, "1 given up.")
    assert (none.status, none.out, none.err.strip()) == (0, "", "No event is set aside.")


@pytest.mark.parametrize("mend", [mending.replay_failures, mending.discard_failures])
@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), "Name what is meant, or say --all"),
        (("seventeen",), "'seventeen' is no name of a failure"),
        (("1:999999999",), "There is no failure 1:999999999 any more; nothing was done."),
    ],
)
async def test_what_is_not_there_is_told_and_nothing_is_done(
    given: Given, mend: Any, names: tuple[str, ...], sentence: str
) -> None:
    failure = await set_aside(given)
    own = [f"{given.account_id}:{failure.id}"] if names else []
    settings = Settings(database_url=given.world.parts.database.url, secret_key=(KEY,))

    with pytest.raises(Refused, match=re.escape(sentence)):
        await mend(settings, names=[*own, *names], account=None, everything=False)

    assert await waiting(given) == [failure]


async def failed_job(given: Given) -> Any:
    """A job that failed for good, as its command tells programs."""
    async with given.world.parts.database.transaction() as tx:
        await remove_file_later(tx, "no key of ours")
    for _ in range(10):
        await given.world.parts.jobs.drain(ahead=timedelta(hours=2))
    shown = await command(given, "jobs", "list", "--json")
    return json.loads(shown.out.splitlines()[0])


async def test_jobs_that_failed_are_listed_and_run_again(given: Given) -> None:
    job = await failed_job(given)

    shown = await command(given, "jobs", "list")
    ran = await command(given, "jobs", "requeue", str(job["id"]))
    again = await command(given, "jobs", "requeue", str(job["id"]))

    assert shown.out.splitlines()[0].split() == ["JOB", "NAME", "TRIES", "CREATED", "FAILED", "WHY"]
    assert any(line.split()[:3] == [str(job["id"]), "kit.remove_file", "8"] for line in shown.out.splitlines())
    assert (ran.status, ran.err.strip()) == (0, "1 queued again.")
    assert again.status == 1
    assert "none was queued again" in again.err


async def test_the_doctor_says_which_command_helps(given: Given) -> None:
    await set_aside(given)
    await failed_job(given)

    ran = await command(given, "doctor")

    assert "criachat failures list" in ran.out
    assert "criachat jobs list" in ran.out


async def test_pages_that_are_not_there_are_told_in_a_sentence() -> None:
    ran = await criachat("docs", "/nowhere")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("criachat: There is no /nowhere/")
    assert "Traceback" not in ran.err
