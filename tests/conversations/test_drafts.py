from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given


def path_of(conversation: Any) -> str:
    return f"/conversations/{conversation['id']}/draft_messages"


async def test_a_draft_is_found_by_everybody_until_it_is_deleted(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))
    conversation = await given.conversation(inbox=inbox)
    assert (await api.get(path_of(conversation))).json == {"has_draft": False}

    kept = await ana.patch(path_of(conversation), {"draft_message": {"message": "Olá, Rosa"}})
    found = await api.get(path_of(conversation))
    again = await api.put(path_of(conversation), {"draft_message": {"message": "Olá, Rosa!"}})
    deleted = [await api.delete(path_of(conversation)) for _ in range(2)]

    assert found.json == {"has_draft": True, "message": "Olá, Rosa"}
    assert [(each.status, each.body) for each in (kept, again, *deleted)] == [(200, b"")] * 4
    assert (await ana.get(path_of(conversation))).json == {"has_draft": False}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"message": "Oi"}, "Oi"),
        ({"draft_message": {"message": 7}}, "7"),
        ({"draft_message": {"message": "x" * 150_000}}, "x" * 150_000),
        ({"draft_message": {}}, ""),
        ({"draft_message": {"message": None}}, ""),
        ({}, ""),
    ],
)
async def test_what_is_kept(api: Api, given: Given, body: Any, text: str) -> None:
    conversation = await given.conversation()

    reply = await api.patch(path_of(conversation), body)

    assert (reply.status, reply.body) == (200, b"")
    assert (await api.get(path_of(conversation))).json == {"has_draft": True, "message": text}


@pytest.mark.parametrize("body", [{"draft_message": "Oi"}, {"draft_message": {"message": ["Oi"]}}, {"message": {}}])
async def test_a_draft_is_a_text(api: Api, given: Given, body: Any) -> None:
    conversation = await given.conversation()

    assert (await api.patch(path_of(conversation), body)).status == 422
    assert (await api.get(path_of(conversation))).json == {"has_draft": False}


async def test_a_draft_is_no_longer_than_a_message(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    reply = await api.patch(path_of(conversation), {"draft_message": {"message": "x" * 150_001}})

    assert (reply.status, reply.json) == (422, {"error": "A draft has 150,000 characters at most"})
    assert (await api.get(path_of(conversation))).json == {"has_draft": False}
