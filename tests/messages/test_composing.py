"""Writing to somebody in one call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given

from criachat.contacts.events import ContactCreated
from criachat.conversations.events import ConversationCreated
from criachat.messages.events import MessageCreated

PATH = "/conversations/compose"
ROSA: dict[str, Any] = {"name": "Rosa Lind", "email": "rosa@example.net"}


async def test_somebody_new_is_written_to(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    reply = await api.post(PATH, {"inbox_id": inbox["id"], "contact": ROSA, "message": {"content": "Olá!"}})

    assert reply.status == 200, reply.body
    assert list(reply.json) == ["contact", "conversation", "message"]
    contact, conversation, message = reply.json.values()
    assert (contact["name"], contact["email"]) == ("Rosa Lind", "rosa@example.net")
    assert conversation == (await api.get(f"/conversations/{conversation['id']}")).json
    assert conversation["meta"]["sender"]["id"] == contact["id"]
    assert [message] == (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert (message["content"], message["message_type"]) == ("Olá!", 1)


async def test_somebody_known_is_written_to_where_it_goes_on(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    contact = await given.contact(**ROSA)
    conversation = await given.conversation(inbox=inbox, contact=contact)
    body = {"inbox_id": inbox["id"], "contact": {"email": "ROSA@example.net", "name": "Rosa M. Lind"}}

    reply = await api.post(PATH, {**body, "message": {"content": "Oi"}})

    assert (reply.json["contact"]["id"], reply.json["contact"]["name"]) == (contact["id"], "Rosa M. Lind")
    assert reply.json["conversation"]["id"] == conversation["id"]
    assert len(await given.emitted(ConversationCreated)) == 1


async def test_of_many_who_write_the_same_at_once_all_are_answered_with_one(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    message = {"content": "Olá!", "client_message_id": "m-1"}
    body = {"inbox_id": inbox["id"], "contact": ROSA, "message": message}

    replies = await asyncio.gather(*(api.post(PATH, body) for _ in range(32)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["message"]["id"] for reply in replies}) == 1
    for kind in (ContactCreated, ConversationCreated, MessageCreated):
        assert len(await given.emitted(kind)) == 1


async def test_what_was_written_before_is_answered_again_whatever_was_said_since(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    message = {"content": "Olá!", "client_message_id": "m-1", "echo_id": "tmp-1"}
    body = {"inbox_id": inbox["id"], "contact": ROSA, "message": message}
    first = await api.post(PATH, body)
    await given.message(first.json["conversation"], "Quem é?", message_type="incoming")

    again = await api.post(PATH, body)

    assert first.json["message"] == again.json["message"]
    assert again.json["message"]["echo_id"] == "tmp-1"
    assert again.json["conversation"]["messages"][0]["content"] == "Quem é?"


async def test_where_nothing_is_said_there_is_no_message(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    contact = await given.contact(**ROSA)
    conversation = await given.conversation(inbox=inbox, contact=contact, message={"content": "Olá!"})

    reply = await api.post(PATH, {"inbox_id": inbox["id"], "contact": ROSA})

    assert (reply.json["conversation"]["id"], reply.json["message"]) == (conversation["id"], None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"inbox_id": None},
        {"contact": None},
        {"contact": {**ROSA, "email": "no address"}},
        {"message": {"content": "x" * 150_001}},
        {"message": {"content": "", "content_type": "lost"}},
        {"inbox_id": 10**12},
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_of_it_is_kept(
    api: Api, given: Given, wrong: dict[str, Any]
) -> None:
    inbox = await given.inbox()
    body = {"inbox_id": inbox["id"], "contact": ROSA, "message": {"content": "Olá!"}, **wrong}

    reply = await api.post(PATH, body)

    assert reply.status in (404, 422)
    for kind in (ContactCreated, ConversationCreated, MessageCreated):
        assert await given.emitted(kind) == []


async def test_who_may_write(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    others = await given.another_account()
    body = {"inbox_id": inbox["id"], "contact": ROSA, "message": {"content": "Olá!"}}
    member, outsider = await given.agent("Ana", inbox=inbox), await given.agent("Caio")

    assert (await api.acting_as(member).post(PATH, body)).status == 200
    assert (await api.acting_as(await given.bot()).post(PATH, body)).status == 200
    assert (await api.acting_as(outsider).post(PATH, body)).status == 401
    assert (await api.acting_as(None).post(PATH, body)).status == 401
    assert (await others.api.in_account(given.account_id).post(PATH, body)).status == 401
    assert (await others.api.post(PATH, body)).status == 404


async def test_a_token_for_conversations_alone_does_not_change_contacts(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    narrow = api.acting_as(await given.narrowed(given.boss, "conversations:write"))

    reply = await narrow.post(PATH, {"inbox_id": inbox["id"], "contact": ROSA})

    assert (reply.status, reply.json) == (401, {"error": "This access token lacks the scope contacts:write"})
    assert await given.emitted(ContactCreated) == []
