"""Waiting for something to happen: an answer comes with it, and nothing is held meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from feeds import names, present, read_all
from harness import PATIENCE_SECONDS, Api, Given, Reply, World, build_world

from criachat.feed import reading, tails
from criachat.kit.db import Database
from criachat.kit.events import emit
from criachat.messages.events import MessageCreated


def waiting(api: Api, after: str, *, seconds: float = 30, **params: Any) -> asyncio.Task[Reply]:
    """Somebody who waits for what comes."""
    return asyncio.create_task(api.get("/events", params={"after": after, "wait": seconds, **params}))


async def all_wait(given: Given, count: int = 1) -> None:
    """So many have found nothing, and wait."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while given.world.parts.feed.waiting_in(given.account_id) < count:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)


async def soon(answer: Awaitable[Reply]) -> Reply:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await answer


async def test_an_answer_comes_as_soon_as_something_happens(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    waiter = waiting(api, await present(given))
    await all_wait(given)

    message = await given.message(conversation, "Olá!")
    reply = await soon(waiter)

    assert names(reply)[0] == "message_created"
    assert reply.json["payload"][0]["message_id"] == message["id"]


async def test_what_happened_already_is_answered_at_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    cursor = await present(given)
    await given.message(conversation)

    reply = await soon(waiting(api, cursor, seconds=60))

    assert "message_created" in names(reply)


async def test_when_nothing_happens_the_answer_is_empty_and_goes_on_from_the_same_place(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    cursor = await present(given)

    reply = await soon(waiting(api, cursor, seconds=0.05))
    await given.message(conversation)
    after = await api.get("/events", params={"after": reply.json["meta"]["cursor"]})

    assert reply.json["payload"] == []
    assert reply.json["meta"]["has_more"] is False
    assert names(after)[0] == "message_created"


async def test_only_what_is_of_interest_ends_the_wait(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    waiter = waiting(api, await present(given), event="conversation_status_changed")
    await all_wait(given)

    await given.message(conversation, "not of interest")
    await all_wait(given)
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    reply = await soon(waiter)

    assert names(reply) == ["conversation_status_changed"]


async def test_nobody_who_waits_holds_a_connection(api: Api, given: Given) -> None:
    count = given.world.parts.settings.database_pool_size * 3
    conversation = await given.conversation()
    cursor = await present(given)
    waiters = [waiting(api, cursor) for _ in range(count)]
    await all_wait(given, count)

    message = await soon(api.post(f"/conversations/{conversation['id']}/messages", {"content": "Olá!"}))
    replies = [await soon(waiter) for waiter in waiters]

    assert message.status == 200
    assert {names(reply)[0] for reply in replies} == {"message_created"}


async def test_many_who_wait_share_one_reader(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    waiters = [waiting(api, await present(given)) for _ in range(50)]
    await all_wait(given, 50)

    with given.queries(at_most=40):
        await given.message(conversation, "Olá!")
        replies = [await soon(waiter) for waiter in waiters]
        again = [waiting(api, reply.json["meta"]["cursor"]) for reply in replies]
        await all_wait(given, 50)
        await given.message(conversation, "Tudo bem?")
        contents = [(await soon(waiter)).json["payload"][-1]["snapshot"]["message"]["content"] for waiter in again]

    assert contents == ["Tudo bem?"] * 50


async def test_nothing_that_happens_between_two_waits_is_missed(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    cursor = await present(given)

    async def follow() -> list[str]:
        contents: list[str] = []
        place = cursor
        while "last" not in contents:
            reply = await soon(api.get("/events", params={"after": place, "wait": 30, "event": "message_created"}))
            place = reply.json["meta"]["cursor"]
            contents += [event["snapshot"]["message"]["content"] for event in reply.json["payload"]]
        return contents

    followers = [asyncio.create_task(follow()) for _ in range(4)]
    for start in range(0, 40, 8):
        await asyncio.gather(*(given.message(conversation, f"Nr. {start + number}") for number in range(8)))
    await given.message(conversation, "last")
    heard = [await follower for follower in followers]

    told = [event["snapshot"]["message"]["content"] for event in await read_all(api, cursor, event="message_created")]
    assert len(told) == len(set(told)) == 41
    assert heard == [told] * 4


async def test_who_reads_slower_than_the_memory_is_long_reads_the_rest_from_the_log(
    api: Api, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "MOST_KEPT", 2)
    conversation = await given.conversation()
    cursor = await present(given)
    slow = waiting(api, cursor, event="conversation_status_changed")
    await all_wait(given)

    for number in range(5):
        await given.message(conversation, f"Nr. {number}")
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    first = await soon(slow)
    rest = await soon(waiting(api, cursor, limit=1000))

    assert names(first) == ["conversation_status_changed"]
    assert names(rest).count("message_created") >= 5


async def test_an_event_that_must_wait_for_a_slower_transaction_is_told_when_that_has_ended(
    api: Api, given: Given
) -> None:
    conversation = await given.conversation()
    await given.message(conversation, "first")
    told = (await given.emitted(MessageCreated))[0]
    waiter = waiting(api, await present(given), event="message_created")
    await all_wait(given)

    async with given.world.parts.database.transaction() as tx:
        await emit(tx, told)
        await given.message(conversation, "fast")
        assert not waiter.done()
    reply = await soon(waiter)

    contents = [event["snapshot"]["message"]["content"] for event in reply.json["payload"]]
    assert contents == ["first", "fast"]


async def test_news_without_a_wake_up_arrives_all_the_same(api: Api, given: Given) -> None:
    await given.message(await given.conversation(), "silent")
    told = (await given.emitted(MessageCreated))[0]
    waiter = waiting(api, await present(given))
    await all_wait(given)

    silent = Database(given.world.parts.database.url, size=1)
    await silent.open()
    async with silent.transaction() as tx:
        await emit(tx, told)
    await silent.close()
    reply = await soon(waiter)

    assert names(reply) == ["message_created"]


async def test_what_another_process_does_is_told_too(api: Api, given: Given, world: World, tmp_path: Any) -> None:
    conversation = await given.conversation()
    async with build_world(world.parts.database.url, tmp_path) as other:
        elsewhere = Given(other, given.account_id, given.boss)
        waiter = waiting(elsewhere.api, await present(elsewhere))
        await all_wait(elsewhere)
        await given.message(conversation, "Olá!")
        reply = await soon(waiter)

    assert names(reply)[0] == "message_created"


async def test_a_process_that_stops_answers_those_who_wait(world: World, given: Given, tmp_path: Any) -> None:
    async with build_world(world.parts.database.url, tmp_path) as stopping:
        there = Given(stopping, given.account_id, given.boss)
        cursor = await present(given)
        waiter = waiting(there.api, cursor)
        await all_wait(there)

        await stopping.parts.say_goodbye()
        reply = await soon(waiter)
        late = await soon(waiting(there.api, cursor))

    assert (reply.status, reply.json["payload"]) == (200, [])
    assert (late.status, late.json["payload"]) == (200, [])


async def test_no_more_than_so_many_wait_in_one_account(
    api: Api, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_WAITING_IN_ACCOUNT", 2)
    cursor = await present(given)
    waiters = [waiting(api, cursor) for _ in range(2)]
    await all_wait(given, 2)

    one_more = await soon(waiting(api, cursor))
    at_once = await soon(api.get("/events", params={"after": cursor}))
    await given.contact()
    for waiter in waiters:
        await soon(waiter)

    assert (one_more.status, one_more.headers["retry-after"]) == (429, "5")
    assert at_once.status == 200
