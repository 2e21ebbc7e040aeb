"""Messages that failed, sent once more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given
from receivers import Receiver

from criachat.messages.events import MessageRetried, MessageUpdated
from criachat.webhooks.listeners import send_again

REFUSED = {"error": "This message cannot be sent again"}


def path_of(conversation: Any, message: Any) -> str:
    return f"/conversations/{conversation['id']}/messages/{message['id']}"


async def failed(given: Given, receiver: Receiver, **fields: Any) -> tuple[Any, Any]:
    """A conversation and a message of it that its receiver would not take."""
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    conversation = await given.conversation(inbox=inbox)
    await given.delivered()
    receiver.always_answers(400)
    message = await given.message(conversation, "A caminho!", **fields)
    await given.delivered()
    await given.relayed()
    receiver.forget()
    return conversation, message


async def shown(api: Api, conversation: Any) -> Any:
    return (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"][-1]


async def test_a_message_that_failed_is_sent_again_and_keeps_what_it_carries(
    api: Api, given: Given, receiver: Receiver
) -> None:
    attributes = {"items": [{"title": "Sim", "value": "s"}]}
    conversation, message = await failed(given, receiver, content_type="input_select", content_attributes=attributes)
    before = await shown(api, conversation)
    receiver.always_answers(200)

    reply = await api.post(f"{path_of(conversation, message)}/retry")
    await given.delivered()

    assert before["status"] == "failed"
    assert "external_error" in before["content_attributes"]
    assert reply.status == 200
    assert reply.json == {**message, "status": "sent", "content_attributes": attributes}
    assert [body["id"] for body in receiver.events("message_created")] == [message["id"]]
    assert await shown(api, conversation) == reply.json
    assert (await given.emitted(MessageUpdated))[-1].changes["status"] == ["failed", "sent"]


async def test_one_that_fails_again_stands_as_failed_again(api: Api, given: Given, receiver: Receiver) -> None:
    conversation, message = await failed(given, receiver)

    await api.post(f"{path_of(conversation, message)}/retry")
    await given.delivered()
    await given.relayed()

    assert [body["id"] for body in receiver.events("message_created")] == [message["id"]]
    assert (await shown(api, conversation))["status"] == "failed"


async def test_two_who_press_at_once_send_it_once(api: Api, given: Given, receiver: Receiver) -> None:
    conversation, message = await failed(given, receiver)
    receiver.always_answers(200)
    path = f"{path_of(conversation, message)}/retry"

    replies = await asyncio.gather(*(api.post(path) for _ in range(8)))
    await given.delivered()

    assert {reply.status for reply in replies} == {200}
    assert len(await given.emitted(MessageRetried)) == 1
    assert len(receiver.events("message_created")) == 1


async def test_a_retry_that_is_heard_of_twice_sends_once(api: Api, given: Given, receiver: Receiver) -> None:
    conversation, message = await failed(given, receiver)
    receiver.always_answers(200)
    await api.post(f"{path_of(conversation, message)}/retry")
    await given.delivered()

    async with given.world.parts.database.transaction() as tx:
        await send_again(tx, await given.emitted(MessageRetried))
    await given.delivered()

    assert len(receiver.events("message_created")) == 1


async def test_one_that_did_not_fail_stays_as_it_is(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, content_attributes={"a": "b"})

    reply = await api.post(f"{path_of(conversation, message)}/retry")

    assert (reply.status, reply.json) == (200, message)
    assert await given.emitted(MessageRetried) == []


@pytest.mark.parametrize("fields", [{"private": True}, {"message_type": "incoming"}, {"message_type": "activity"}])
async def test_what_is_not_sent_is_not_sent_again(api: Api, given: Given, fields: dict[str, Any]) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, **fields)

    reply = await api.post(f"{path_of(conversation, message)}/retry")

    assert (reply.status, reply.json) == (422, REFUSED)


async def test_unknown_ones_and_those_of_another_conversation_or_account_are_refused(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    elsewhere = await given.message(await given.conversation())
    others = await given.another_account()
    theirs = await others.message(await others.conversation())

    for message in (elsewhere, theirs, {"id": 10**12}):
        reply = await api.post(f"{path_of(conversation, message)}/retry")
        assert (reply.status, reply.json) == (422, REFUSED)
    unknown = await api.post(f"{path_of({'id': 10**9}, elsewhere)}/retry")
    assert (unknown.status, list(unknown.json)) == (404, ["error"])


async def test_only_people_who_may_open_the_conversation_send_again(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation)
    callers = [await given.agent("Caio"), await given.bot(), None]

    for what in ("retry", "translate"):
        path = f"{path_of(conversation, message)}/{what}"
        replies = [await api.acting_as(each).post(path, {"target_language": "pt_BR"}) for each in callers]
        assert [reply.status for reply in replies] == [401] * 3
