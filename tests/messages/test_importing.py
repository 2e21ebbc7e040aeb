"""History of another system, taken into a conversation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from harness import Api, Given, Reply

LIST_EVENTS = "SELECT name FROM events WHERE account_id = $1"
FIRST = 1_700_000_000


def line(number: int, **fields: Any) -> dict[str, Any]:
    """One thing that was said, by its number."""
    said = {
        "source_id": f"s-{number}",
        "content": f"{number}",
        "message_type": "incoming",
        "created_at": FIRST + number,
    }
    return {**said, **fields}


async def send(api: Api, conversation: Any, lines: Sequence[Any]) -> Reply:
    content = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    path = f"/conversations/{conversation['id']}/messages/import"
    return await api.call("POST", path, files={"import_file": ("history.ndjson", content, "application/x-ndjson")})


def told(reply: Reply) -> list[dict[str, Any]]:
    assert reply.status == 200, reply.body
    return [json.loads(each) for each in reply.body.splitlines()]


async def thread(api: Api, conversation: Any) -> list[Any]:
    return (await api.get(f"/conversations/{conversation['id']}/messages?after=0")).json["payload"]


async def events_of(given: Given) -> list[str]:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_values(LIST_EVENTS, given.account_id)


async def test_what_was_said_elsewhere_stands_in_the_thread_as_it_was_said(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    ana = await given.agent("Ana")
    before = await events_of(given)

    reply = await send(
        api,
        conversation,
        [
            line(1, created_at="2023-11-14T22:13:21.500Z"),
            line(2, message_type="outgoing", sender_id=ana.id, content_attributes={"a": "b"}),
            line(3, message_type="outgoing", private=True),
            b"",
        ],
    )

    assert reply.headers["content-type"] == "application/x-ndjson"
    assert told(reply) == [
        {"lines": 3, "stored": 3, "known": 0, "refused": 0, "errors": [], "done": False},
        {"lines": 3, "stored": 3, "known": 0, "refused": 0, "errors": [], "done": True},
    ]
    first, second, third = await thread(api, conversation)
    assert (first["content"], first["message_type"], first["source_id"], first["created_at"]) == (
        "1",
        0,
        "s-1",
        FIRST + 1,
    )
    assert first["sender"]["type"] == "contact"
    assert (second["sender"]["id"], second["content_attributes"]) == (ana.id, {"a": "b"})
    assert (third["private"], "sender" in third) == (True, False)
    assert await events_of(given) == before


async def test_lists_show_the_newest_of_it_and_nobody_waits_for_an_answer(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    await send(api, conversation, [line(1), line(2)])

    shown = (await api.get(f"/conversations/{conversation['id']}")).json
    assert [each["content"] for each in shown["messages"]] == ["2"]
    assert shown["last_non_activity_message"]["created_at"] == FIRST + 2
    same = ("unread_count", "waiting_since", "first_reply_created_at", "status", "last_activity_at")
    assert {key: shown[key] for key in same} == {key: conversation[key] for key in same}


async def test_it_comes_in_batches_and_each_tells_how_far_it_is(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    reply = await send(api, conversation, [line(number) for number in range(450)])

    assert [(each["lines"], each["stored"], each["done"]) for each in told(reply)] == [
        (200, 200, False),
        (400, 400, False),
        (450, 450, False),
        (450, 450, True),
    ]


async def test_sent_again_each_is_there_once_and_what_is_new_is_added(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await send(api, conversation, [line(1), line(2)])

    again = told(await send(api, conversation, [line(1), line(2), line(2), line(3)]))[-1]

    assert (again["stored"], again["known"], again["refused"]) == (1, 3, 0)
    assert [each["content"] for each in await thread(api, conversation)] == ["1", "2", "3"]


async def test_sent_by_many_at_once_each_is_there_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    lines = [line(number) for number in range(20)]

    replies = await asyncio.gather(*(send(api, conversation, lines) for _ in range(8)))

    assert sum(told(reply)[-1]["stored"] for reply in replies) == 20
    assert len(await thread(api, conversation)) == 20


async def test_an_inbox_that_takes_each_once_knows_them_from_then_on(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel={"deduplicate_source_ids": True})
    conversation = await given.conversation(inbox=inbox)
    other = await given.conversation(inbox=inbox)
    await send(api, conversation, [line(1)])

    elsewhere = told(await send(api, other, [line(1)]))[-1]

    assert (elsewhere["stored"], elsewhere["known"]) == (0, 1)


async def test_what_lies_before_what_is_there_is_refused(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await send(api, conversation, [line(5)])

    first, last = told(await send(api, conversation, [line(4), line(6)]))

    assert first["errors"] == [{"line": 1, "error": "created_at lies before what the conversation already has"}]
    assert (last["stored"], last["refused"]) == (1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        b"no JSON",
        b"[]",
        b"7",
        b'{"a": "\xff"}',
        {"content": "no id"},
        line(1, source_id=""),
        line(1, source_id=7),
        line(1, content=""),
        line(1, content="x" * 150_001),
        line(1, content="a\x00b"),
        line(1, message_type="activity"),
        line(1, created_at="yesterday"),
        line(1, created_at=-5),
        line(1, created_at=1e300),
        line(1, created_at=4_000_000_000),
        line(1, created_at="0001-01-01T00:00:00+14:00"),
        line(1, created_at="9999-12-31T23:59:59-12:00"),
        line(1, sender_id=10**12),
        line(1, sender_id=10**30),
        line(1, content_attributes=[]),
        line(1, content_attributes={"a": "x" * 1_100_000}),
    ],
)
async def test_a_line_that_is_no_message_is_told_of_and_the_others_are_taken(
    api: Api, given: Given, wrong: Any
) -> None:
    conversation = await given.conversation()

    first, last = told(await send(api, conversation, [line(0), wrong, line(2)]))

    assert [each["line"] for each in first["errors"]] == [2]
    assert (last["stored"], last["refused"], last["done"]) == (2, 1, True)
    assert [each["content"] for each in await thread(api, conversation)] == ["0", "2"]


async def test_the_file_may_be_the_whole_body(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}/messages/import"
    content = b"".join(json.dumps(line(number)).encode() + b"\n" for number in range(3))
    headers = {"content-type": "application/x-ndjson; charset=utf-8"}

    taken = await api.call("POST", path, content=content, headers=headers)
    nothing = await api.call("POST", path, content=b"", headers=headers)

    assert told(taken)[-1]["stored"] == 3
    assert [each["content"] for each in await thread(api, conversation)] == ["0", "1", "2"]
    assert (nothing.status, nothing.json["error"].split(":")[0]) == (422, "import_file is missing")


async def test_without_a_file_there_is_nothing_to_take_in(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    reply = await api.post(f"/conversations/{conversation['id']}/messages/import", {"import_file": "x"})

    sentence = "import_file is missing: a file with one message as JSON on each line"
    assert (reply.status, reply.json) == (422, {"error": sentence})


async def test_only_administrators_take_history_in_and_only_into_their_own_account(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    conversation = await given.conversation(inbox=inbox)
    others = await given.another_account()
    for _ in range(2):
        theirs = await others.conversation()
    callers = [await given.agent("Ana", inbox=inbox), await given.bot(), None]

    refused = [await send(api.acting_as(each), conversation, [line(1)]) for each in callers]
    unknown = await send(api, theirs, [line(1)])

    assert [reply.status for reply in refused] == [401] * 3
    assert unknown.status == 404
    assert await thread(api, conversation) == []
