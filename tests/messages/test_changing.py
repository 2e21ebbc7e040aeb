from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from harness import Api, Given

from criachat.messages.events import MessageCreated, MessageUpdated

Conversation = dict[str, Any]


def path_of(conversation: Conversation, message: dict[str, Any]) -> str:
    return f"/conversations/{conversation['id']}/messages/{message['id']}"


async def thread(api: Api, conversation: Conversation) -> list[dict[str, Any]]:
    return (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]


# What became of a message


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_receiver_reports_what_became_of_a_message(api: Api, given: Given, method: str) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)

    reply = await api.call(method, path_of(conversation, said), json={"status": "delivered"})

    assert reply.status == 200
    assert reply.json == {**said, "status": "delivered"}
    assert await thread(api, conversation) == [reply.json]
    (event,) = await given.emitted(MessageUpdated)
    assert event.changes["status"] == ["sent", "delivered"]
    assert list(event.changes) == ["status", "updated_at"]
    assert event.changes["updated_at"][0] < event.changes["updated_at"][1]
    assert event.snapshot.message.status == "delivered"
    assert (event.message_id, event.actor_id, event.performer.name) == (said["id"], given.boss.id, "Beatriz")


async def test_a_failure_has_its_reason_until_it_is_over(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation, content_attributes={"a": "b"})
    path = path_of(conversation, said)

    failed = await api.patch(path, {"status": "failed", "external_error": "no such number"})
    again = await api.patch(path, {"status": "failed"})
    await api.patch(path, {"status": "failed", "external_error": "no such number"})
    over = await api.patch(path, {"status": "sent", "external_error": "ignored"})

    assert failed.json["content_attributes"] == {"a": "b", "external_error": "no such number"}
    assert (again.json["status"], again.json["content_attributes"]) == ("failed", {"a": "b"})
    assert (over.json["status"], over.json["content_attributes"]) == ("sent", {"a": "b"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": None},
        {"status": ""},
        {"status": "lost"},
        {"status": 2},
        {"status": ["read"]},
        {"status": {"a": 1}},
        {"content": "Outra coisa"},
        {"status": "sent"},
        {"status": "sent", "external_error": "ignored"},
        {"external_error": "no status"},
    ],
)
async def test_what_changes_nothing_is_answered_and_not_told(api: Api, given: Given, body: dict[str, Any]) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)

    reply = await api.patch(path_of(conversation, said), body)

    assert (reply.status, reply.json) == (200, said)
    assert await given.emitted(MessageUpdated) == []


async def test_what_was_read_is_not_just_delivered(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)
    path = path_of(conversation, said)

    statuses = [
        (await api.patch(path, {"status": status})).json["status"]
        for status in ("read", "delivered", "sent", "delivered", "failed", "read")
    ]

    assert statuses == ["read", "read", "sent", "delivered", "failed", "read"]


@pytest.mark.parametrize("error", [{"a": 1}, ["a"], "x" * 20_001])
async def test_a_reason_that_is_no_text_or_a_book_is_refused(api: Api, given: Given, error: object) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)

    reply = await api.patch(path_of(conversation, said), {"status": "failed", "external_error": error})

    assert reply.status == 422
    assert (await thread(api, conversation))[0]["status"] == "sent"


async def test_only_api_inboxes_take_reports_and_say_so_before_they_look(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE inboxes SET channel_type = 'Channel::Email' WHERE account_id = $1", given.account_id)

    known = await api.patch(path_of(conversation, said), {"status": "read"})
    unknown = await api.patch(path_of(conversation, {"id": 10**12}), {"content": "x"})

    assert known.status == unknown.status == 403
    assert known.json == unknown.json == {"error": "Message status update is only allowed for API inboxes"}


async def test_thirty_two_reports_at_once_are_told_one_by_one(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)
    path = path_of(conversation, said)
    statuses = ["delivered", "read", "failed", "sent"] * 8

    replies = await asyncio.gather(*(api.patch(path, {"status": status}) for status in statuses))

    assert {reply.status for reply in replies} == {200}
    changes = [event.changes["status"] for event in await given.emitted(MessageUpdated)]
    assert changes[0][0] == "sent"
    assert all(before[1] == after[0] for before, after in pairwise(changes))
    assert (await thread(api, conversation))[0]["status"] == changes[-1][1]


# Taking it back


async def test_a_message_that_is_taken_back_leaves_a_placeholder(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    items = {"items": [{"title": "Sim", "value": "yes"}], "in_reply_to": None}
    first = await given.message(conversation, "Escolha", content_type="input_select", content_attributes=items)
    second = await given.message(conversation, "Depois", source_id="WAID:1")

    reply = await api.delete(path_of(conversation, first))
    with_source = await api.delete(path_of(conversation, second))

    placeholder = {
        "content": "This message was deleted",
        "content_type": "text",
        "content_attributes": {"deleted": True},
    }
    assert (reply.status, reply.json) == (200, {**first, **placeholder})
    assert with_source.json == {**second, **placeholder}
    assert await thread(api, conversation) == [reply.json, with_source.json]
    event, _ = await given.emitted(MessageUpdated)
    assert event.changes["content"] == ["Escolha", "This message was deleted"]
    assert event.changes["content_attributes"][1] == {"deleted": True}
    assert event.snapshot.message.content_attributes == {"deleted": True}


async def test_a_placeholder_speaks_the_accounts_language(given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE accounts SET locale = 'pt_BR' WHERE id = $1", given.account_id)
    somebody = await given.administrator("Bruno")

    reply = await given.api.acting_as(somebody).delete(path_of(conversation, said))

    assert reply.json["content"] == "Esta mensagem foi apagada"


async def test_a_message_taken_back_twice_is_told_of_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = await given.message(conversation)
    path = path_of(conversation, said)

    replies = await asyncio.gather(*(api.delete(path) for _ in range(8)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert len(await given.emitted(MessageUpdated)) == 1


async def test_any_member_takes_back_anybodys_message_of_any_kind(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    for message_type in ("incoming", "outgoing", "activity", "template"):
        said = await given.message(conversation, message_type=message_type)

        reply = await api.acting_as(ana).delete(path_of(conversation, said))

        assert (reply.status, reply.json["content_attributes"]) == (200, {"deleted": True})


async def test_lists_show_a_changed_message_as_it_is_now(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    public = await given.message(conversation, "Olá!")
    note = await given.message(conversation, "Só nós", private=True)
    await given.message(conversation, "Rita entrou", message_type="activity")
    before = (await api.get(f"/conversations/{conversation['id']}")).json

    await api.patch(path_of(conversation, public), {"status": "read"})
    await api.delete(path_of(conversation, note))
    later = await given.message(conversation, "Mais uma", message_type="activity")

    shown = (await api.get(f"/conversations/{conversation['id']}")).json
    assert shown["messages"][0]["id"] == later["id"]
    assert shown["last_non_activity_message"]["id"] == note["id"]
    assert shown["last_non_activity_message"]["content_attributes"] == {"deleted": True}
    assert shown["updated_at"] > before["updated_at"]
    event = (await given.emitted(MessageUpdated))[-1]
    assert (event.snapshot.newest_public.id, event.snapshot.newest_public.status) == (public["id"], "read")


async def test_a_conversation_counts_as_changed_when_an_old_message_changes(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    old = await given.message(conversation, "Primeira")
    await given.message(conversation, "Segunda")
    path = f"/conversations/{conversation['id']}"
    before = (await api.get(path)).json

    await api.patch(path_of(conversation, old), {"status": "read"})

    after = (await api.get(path)).json
    assert after["updated_at"] > before["updated_at"]
    assert {**after, "updated_at": 0} == {**before, "updated_at": 0}
    (event,) = await given.emitted(MessageUpdated)
    assert event.snapshot.conversation.updated_at.timestamp() == pytest.approx(after["updated_at"], abs=1e-5)


async def test_a_note_said_while_a_report_arrives_loses_neither(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    public = await given.message(conversation, "Olá!")

    for status in ("delivered", "read", "failed", "sent") * 4:
        await asyncio.gather(
            given.message(conversation, "Só nós", private=True),
            api.patch(path_of(conversation, public), {"status": status}),
            given.message(conversation, "Só nós", private=True),
        )
        await given.message(conversation, "Rita entrou", message_type="activity")
        newest = (await given.emitted(MessageCreated))[-1].snapshot.newest_public
        assert (newest.id, newest.status) == (public["id"], status)


# Who may


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_whoever_may_open_the_conversation_may_change_its_messages(api: Api, given: Given, method: str) -> None:
    inbox = await given.inbox()
    member, outsider, bot = await given.agent("Ana", inbox=inbox), await given.agent("Caio"), await given.bot()
    others = await given.another_account()
    conversation = await given.conversation(inbox=inbox)
    said = await given.message(conversation)
    path = path_of(conversation, said)

    refused = [
        await api.acting_as(outsider).call(method, path, json={"status": "read"}),
        await api.acting_as(bot).call(method, path, json={"status": "read"}),
        await api.acting_as(None).call(method, path, json={"status": "read"}),
        await others.api.in_account(given.account_id).call(method, path, json={"status": "read"}),
    ]
    untouched = await thread(api, conversation)
    done = await api.acting_as(member).call(method, path, json={"status": "read"})

    assert [reply.status for reply in refused] == [401] * 4
    assert untouched == [said]
    assert done.status == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_message_is_looked_for_in_its_own_conversation_only(api: Api, given: Given, method: str) -> None:
    others = await given.another_account()
    theirs = await others.message(await others.conversation())
    conversation = await given.conversation()
    elsewhere = await given.message(await given.conversation())
    body = {"status": "read"}

    for message in (theirs, elsewhere, {"id": 10**12}, {"id": 2**64}, {"id": "x"}, {"id": "-1"}):
        reply = await api.call(method, path_of(conversation, message), json=body)
        assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"}), message
    assert (await api.call(method, path_of({"id": 10**12}, elsewhere), json=body)).status == 404
    assert await given.emitted(MessageUpdated) == await others.emitted(MessageUpdated) == []
