from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given

PATH = "/canned_responses"
TAKEN = {"message": "Short code has already been taken", "attributes": ["short_code"]}


async def canned(api: Api, short_code: str, content: str = "Bom dia!") -> Any:
    reply = await api.post(PATH, {"short_code": short_code, "content": content})
    assert reply.status == 200, reply.body
    return reply.json


async def found(api: Api, search: str) -> list[str]:
    """The short codes of what is found, in order."""
    return [each["short_code"] for each in (await api.get(PATH, params={"search": search})).json]


async def test_an_answer_is_kept_changed_and_removed(api: Api, given: Given) -> None:
    ana = api.acting_as(await given.agent("Ana"))

    created = await ana.post(PATH, {"canned_response": {"short_code": " hi ", "content": "Oi {{contact.name}}!"}})
    path = f"{PATH}/{created.json['id']}"
    changed = await ana.patch(path, {"content": "Olá {{contact.name}}!"})
    listed = await ana.get(PATH)
    removed = await ana.delete(path)

    assert created.status == changed.status == 200
    assert created.json == {
        "id": created.json["id"],
        "account_id": given.account_id,
        "short_code": "hi",
        "content": "Oi {{contact.name}}!",
        "created_at": created.json["created_at"],
        "updated_at": created.json["updated_at"],
    }
    times = {"updated_at": changed.json["updated_at"]}
    assert changed.json == {**created.json, "content": "Olá {{contact.name}}!", **times}
    assert changed.json["updated_at"] > created.json["updated_at"]
    assert listed.json == [changed.json]
    assert (removed.status, removed.body) == (200, b"")
    assert (await ana.get(PATH)).json == []


async def test_answers_come_by_short_code_in_one_statement(api: Api, given: Given) -> None:
    for short_code in ("thanks", "bye", "hi"):
        await canned(api, short_code)

    with given.queries(at_most=1):
        reply = await api.get(PATH)

    assert [each["short_code"] for each in reply.json] == ["bye", "hi", "thanks"]


async def test_a_search_finds_short_codes_first_and_contents_last(api: Api) -> None:
    await canned(api, "bye", "Your order is on its way")
    await canned(api, "reorder", "Again?")
    await canned(api, "ORDER-2", "Two")
    await canned(api, "order", "One")
    await canned(api, "hi")

    assert await found(api, "Order") == ["ORDER-2", "order", "reorder", "bye"]
    assert await found(api, " order ") == await found(api, "Order")
    assert await found(api, "") == ["ORDER-2", "bye", "hi", "order", "reorder"]


@pytest.mark.parametrize("wildcard", ["%", "_", "\\"])
async def test_a_wildcard_is_a_letter_like_others(api: Api, wildcard: str) -> None:
    await canned(api, "plain")
    await canned(api, "sale", f"50{wildcard} off")

    assert await found(api, wildcard) == ["sale"]


@pytest.mark.parametrize(
    ("body", "status", "refusal"),
    [
        ({}, 422, {"error": "param is missing or the value is empty: canned_response"}),
        ({"canned_response": {}}, 422, {"error": "param is missing or the value is empty: canned_response"}),
        ({"content": "Oi"}, 422, {"message": "Short code can't be blank", "attributes": ["short_code"]}),
        (
            {"short_code": " ", "content": "Oi"},
            422,
            {"message": "Short code can't be blank", "attributes": ["short_code"]},
        ),
        (
            {"short_code": "", "content": ""},
            422,
            {
                "message": "Short code can't be blank, Content can't be blank",
                "attributes": ["short_code", "content"],
            },
        ),
        ({"short_code": "hi"}, 422, {"message": "Content can't be blank", "attributes": ["content"]}),
        ({"short_code": "hi", "content": None}, 422, {"message": "Content can't be blank", "attributes": ["content"]}),
        (
            {"short_code": "x" * 256, "content": "Oi"},
            422,
            {"message": "Short code is too long (maximum is 255 characters)", "attributes": ["short_code"]},
        ),
        (
            {"short_code": "hi", "content": "x" * 20_001},
            422,
            {"message": "Content is too long (maximum is 20000 characters)", "attributes": ["content"]},
        ),
        ({"short_code": ["hi"], "content": "Oi"}, 422, None),
        ({"short_code": "h\x00i", "content": "Oi"}, 400, None),
    ],
)
async def test_what_cannot_be_kept_is_refused(api: Api, body: dict[str, Any], status: int, refusal: Any) -> None:
    reply = await api.post(PATH, body)

    assert reply.status == status
    assert refusal is None or reply.json == refusal
    assert (await api.get(PATH)).json == []


async def test_a_short_code_is_taken_once_in_an_account(api: Api, given: Given) -> None:
    others = await given.another_account()
    hi, bye = await canned(api, "hi"), await canned(api, "bye")

    again = await api.post(PATH, {"short_code": "hi", "content": "Oi"})
    renamed = await api.patch(f"{PATH}/{bye['id']}", {"short_code": "hi"})
    same = await api.put(f"{PATH}/{hi['id']}", {"short_code": "hi"})

    assert [(each.status, each.json) for each in (again, renamed)] == [(422, TAKEN)] * 2
    assert (same.status, same.json) == (200, hi)
    assert (await canned(others.api, "hi"))["account_id"] == others.account_id
    assert (await api.get(PATH)).json == [bye, hi]


async def test_of_many_who_take_a_short_code_at_once_one_gets_it(api: Api) -> None:
    replies = await asyncio.gather(*(api.post(PATH, {"short_code": "hi", "content": f"{at}"}) for at in range(32)))

    assert sorted(reply.status for reply in replies) == [200] + [422] * 31
    assert len((await api.get(PATH)).json) == 1


async def test_unknown_ones_and_those_of_another_account_are_not_found(api: Api, given: Given) -> None:
    theirs = await canned((await given.another_account()).api, "hi")

    for canned_response_id in (theirs["id"], 10**12, 10**30, "x"):
        for reply in (
            await api.patch(f"{PATH}/{canned_response_id}", {"content": "Oi"}),
            await api.delete(f"{PATH}/{canned_response_id}"),
        ):
            assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"})


async def test_they_are_for_people_of_the_account(api: Api, given: Given) -> None:
    others = await given.another_account()
    bot, nobody = api.acting_as(await given.bot()), api.acting_as(None)

    for caller in (bot, nobody, others.api.in_account(given.account_id)):
        assert (await caller.get(PATH)).status == 401
        assert (await caller.post(PATH, {"short_code": "hi", "content": "Oi"})).status == 401


async def test_variables_are_filled_in_when_a_message_is_made_of_it(api: Api, given: Given) -> None:
    conversation = await given.conversation(contact=await given.contact("Rosa Lind"))
    kept = await canned(api, "hi", "Oi {{contact.first_name}}!")

    said = await given.message(conversation, kept["content"])

    assert said["content"] == "Oi Rosa!"
