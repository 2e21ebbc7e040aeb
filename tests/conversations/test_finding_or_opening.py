from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.conversations.events import ConversationCreated

PATH = "/conversations/find_or_create"


async def ask(api: Api, inbox: Any, contact: Any, **fields: Any) -> Reply:
    return await api.post(PATH, {"inbox_id": inbox["id"], "contact_id": contact["id"], **fields})


async def test_the_one_that_goes_on_is_found_unchanged(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()
    await given.conversation(contact=rosa)
    pending = await given.conversation(inbox=inbox, contact=rosa, status="pending")
    await given.conversation(inbox=inbox, contact=rosa, status="resolved")

    reply = await ask(api, inbox, rosa, status="open", assignee_id=given.boss.id, custom_attributes={"a": 1})

    shown = await api.get(f"/conversations/{pending['id']}")
    assert reply.status == 200
    assert reply.json == shown.json
    assert reply.headers["etag"] == shown.headers["etag"]
    assert (reply.json["status"], reply.json["custom_attributes"]) == ("pending", {})


async def test_a_new_one_is_opened_in_the_newest_session(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()
    resolved = await given.conversation(inbox=inbox, contact=rosa, status="resolved", message={"content": "Oi"})

    reply = await ask(api, inbox, rosa, status="pending", message={"content": "Olá, Rosa!"})

    assert reply.status == 200
    assert reply.json["id"] != resolved["id"]
    assert (reply.json["status"], reply.json["messages"][0]["content"]) == ("pending", "Olá, Rosa!")
    context = resolved["messages"][0]["conversation"]["contact_inbox"]
    assert reply.json["messages"][0]["conversation"]["contact_inbox"] == context


async def test_of_many_who_ask_at_once_one_opens_it_and_all_are_heard(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()

    replies = await asyncio.gather(
        *(ask(api, inbox, rosa, message={"content": f"Oi {number}"}) for number in range(32))
    )

    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len(await given.emitted(ConversationCreated)) == 1
    thread = await api.get(f"/conversations/{replies[0].json['id']}/messages?after=1")
    assert len([each for each in thread.json["payload"] if each["content"].startswith("Oi")]) == 32
    assert len((await api.get(f"/contacts/{rosa['id']}")).json["payload"]["contact_inboxes"]) == 1


async def test_who_asks_while_others_write_waits_for_nobody_who_waits_for_them(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()
    conversation = await given.conversation(inbox=inbox, contact=rosa)

    async def write(number: int) -> Reply:
        body = {"content": f"Alô {number}", "message_type": "incoming"}
        return await api.post(f"/conversations/{conversation['id']}/messages", body)

    asked = [ask(api, inbox, rosa, message={"content": "Oi", "message_type": "incoming"}) for _ in range(16)]
    replies = await asyncio.gather(*asked, *(write(number) for number in range(16)))

    assert {reply.status for reply in replies} == {200}


async def test_a_session_may_be_named(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()

    reply = await ask(api, inbox, rosa, source_id="wa-5511", message={"content": "Oi"})

    assert reply.json["messages"][0]["conversation"]["contact_inbox"] == {"source_id": "wa-5511"}


async def test_with_who_is_blocked_the_newest_goes_on(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()
    conversation = await given.conversation(inbox=inbox, contact=rosa)
    await api.post(f"/conversations/{conversation['id']}/mute")

    replies = [await ask(api, inbox, rosa) for _ in range(2)]

    assert [reply.json["id"] for reply in replies] == [conversation["id"]] * 2


async def test_who_may_and_what_is_refused(api: Api, given: Given) -> None:
    inbox, rosa, others = await given.inbox(), await given.contact(), await given.another_account()
    theirs = {"inbox": await others.inbox(), "contact": await others.contact()}
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi")

    assert (await ask(api.acting_as(await given.bot()), inbox, rosa)).status == 200
    assert (await ask(api.acting_as(ana), inbox, rosa)).status == 200
    for door in (api.acting_as(davi), api.acting_as(None), others.api.in_account(given.account_id)):
        assert (await ask(door, inbox, rosa)).status == 401
    for asked in ((theirs["inbox"], rosa), (inbox, theirs["contact"]), (inbox, {"id": 2**62})):
        assert (await ask(api, *asked)).status == 404
    assert len(await given.emitted(ConversationCreated)) == 1


@pytest.mark.parametrize("body", [{}, {"inbox_id": 1}, {"contact_id": 1}, {"source_id": "wa-5511"}])
async def test_inbox_and_contact_are_named(api: Api, given: Given, body: dict[str, Any]) -> None:
    reply = await api.post(PATH, body)

    assert (reply.status, reply.json) == (422, {"error": "Give inbox_id and contact_id"})


async def test_both_are_kept_or_neither(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()

    reply = await ask(api, inbox, rosa, message={"content": "x" * 150_001})

    assert reply.status == 422
    assert await given.emitted(ConversationCreated) == []
