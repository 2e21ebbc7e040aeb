"""The job that keeps the words of what was said."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from harness import Given

from criachat.kit import clock
from criachat.kit.jobs import JobContext
from criachat.search import jobs
from criachat.search.jobs import forget_words, keep_words
from criachat.search.queries import words


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "BATCH", 3)
    monkeypatch.setattr(jobs, "REST", 0.0)


async def keep(given: Given) -> None:
    parts = given.world.parts
    await keep_words(
        JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)
    )


async def kept(given: Given) -> list[int]:
    """The messages whose words are kept."""
    async with given.world.parts.database.reading() as db:
        return await db.fetch_values(
            "SELECT message_id FROM message_words WHERE account_id = $1 ORDER BY 1", given.account_id
        )


async def lose(given: Given, message: Any) -> None:
    """As if this message had not been committed yet when the words of those beside it were kept."""
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "DELETE FROM message_words WHERE account_id = $1 AND message_id = $2", given.account_id, message["id"]
        )


async def say(given: Given, *, messages: int) -> list[Any]:
    conversation = await given.conversation()
    return [await given.message(conversation, f"Order {number}") for number in range(messages)]


@pytest.mark.usefixtures("short_batches")
async def test_however_much_was_said_just_now_all_of_it_is_kept(given: Given) -> None:
    ids = [message["id"] for message in await say(given, messages=10)]

    await keep(given)

    assert await kept(given) == ids


@pytest.mark.usefixtures("short_batches")
async def test_a_message_that_was_committed_late_is_kept_with_those_said_after_it(given: Given) -> None:
    messages = await say(given, messages=8)
    await keep(given)
    await lose(given, messages[1])

    await keep(given)

    assert await kept(given) == [message["id"] for message in messages]


@pytest.mark.usefixtures("short_batches")
async def test_what_was_settled_long_ago_is_not_looked_through_again(given: Given) -> None:
    messages = await say(given, messages=8)
    clock.travel(timedelta(minutes=6))
    await keep(given)
    await lose(given, messages[1])
    later = await say(given, messages=2)

    await keep(given)

    assert await kept(given) == [message["id"] for message in (messages[0], *messages[2:], *later)]


@pytest.mark.usefixtures("short_batches")
async def test_what_there_was_no_time_for_is_kept_by_the_next_round(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = await say(given, messages=8)
    with monkeypatch.context() as hurry:
        hurry.setattr(jobs, "ROUND_SECONDS", 0.0)
        await keep(given)
    before = await kept(given)

    await keep(given)

    assert before == []
    assert await kept(given) == [message["id"] for message in messages]


@asynccontextmanager
async def nothing_kept_of(given: Given) -> AsyncGenerator[None]:
    """As if something were the matter with the messages of this account."""
    name = f"refuse_words_of_{given.account_id}"
    refuse = f"BEGIN RAISE EXCEPTION 'not kept: {given.account_id}'; END"
    async with given.world.parts.database.transaction() as tx:
        await tx.connection.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${refuse}$$")
        await tx.connection.execute(
            f"CREATE TRIGGER {name} BEFORE INSERT ON message_words FOR EACH ROW"
            f" WHEN (NEW.account_id = {given.account_id}) EXECUTE FUNCTION {name}()"
        )
    try:
        yield
    finally:
        async with given.world.parts.database.transaction() as tx:
            await tx.connection.execute(f"DROP FUNCTION {name} CASCADE")


@pytest.mark.usefixtures("short_batches")
async def test_an_account_whose_words_cannot_be_kept_holds_up_none_behind_it(given: Given) -> None:
    behind = await given.another_account()
    waiting, kept_now = await say(given, messages=2), await say(behind, messages=4)

    async with nothing_kept_of(given):
        await keep(given)
    before = await kept(given)
    await keep(given)

    assert await kept(behind) == [message["id"] for message in kept_now]
    assert before == []
    assert await kept(given) == [message["id"] for message in waiting]


async def forget(given: Given) -> None:
    parts = given.world.parts
    await forget_words(
        JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)
    )


@pytest.mark.parametrize(("batch", "statements"), [(1000, 4), (5, 13)])
async def test_words_that_are_too_old_are_forgotten_of_many_accounts_at_once(
    given: Given, monkeypatch: pytest.MonkeyPatch, batch: int, statements: int
) -> None:
    monkeypatch.setattr(words, "FORGOTTEN_BATCH", batch)
    accounts = [given, *[await given.another_account() for _ in range(3)]]
    clock.travel(timedelta(days=100))
    await forget(given)
    for account in accounts:
        await say(account, messages=4)
    await keep(given)
    clock.travel(words.KEPT_FOR - timedelta(days=1))
    young = [message["id"] for message in await say(accounts[2], messages=2)]
    await keep(given)
    before = [len(await kept(account)) for account in accounts]
    clock.travel(timedelta(days=2))

    # The accounts there is something to be forgotten of, and a transaction for each batch.
    with given.queries(at_most=statements):
        await forget(given)

    assert before == [4, 4, 6, 4]
    assert [await kept(account) for account in accounts] == [[], [], young, []]
    with given.queries(at_most=1):
        await forget(given)


@pytest.mark.usefixtures("short_batches")
async def test_what_was_added_to_the_index_is_filed_along_the_way(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCHES_FILED_AT_ONCE", 1)
    await say(given, messages=11)

    await keep(given)

    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value(words.FILE_WORDS) == 0
