from __future__ import annotations

from typing import Any

from harness import Api, Given

from criachat.channels.listeners import fail_what_nobody_sends
from criachat.messages.events import MessageCreated, MessageUpdated

FAILED = "failed"
REASON = "channel not connected"


async def mailbox(given: Given) -> Any:
    return await given.inbox("Correio", channel={"type": "email", "email": f"help{given.account_id}@loja.example"})


async def messages_of(api: Api, conversation: Any) -> list[Any]:
    shown = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    return [message for message in shown if message["message_type"] != 2]


async def test_what_no_channel_takes_anywhere_fails_visibly(api: Api, given: Given) -> None:
    conversation = await given.conversation(inbox=await mailbox(given))
    said = await given.message(conversation, "Olá, Rosa!")

    await given.relayed()

    (message,) = await messages_of(api, conversation)
    assert message["status"] == FAILED
    assert message["content_attributes"] == {**said["content_attributes"], "external_error": REASON}
    (event,) = await given.emitted(MessageUpdated)
    assert event.changes["status"] == ["sent", FAILED]
    assert event.cause.startswith("event:")


async def test_it_fails_again_when_it_is_tried_again(api: Api, given: Given) -> None:
    conversation = await given.conversation(inbox=await mailbox(given))
    message = await given.message(conversation)
    await given.relayed()

    again = await api.post(f"/conversations/{conversation['id']}/messages/{message['id']}/retry")
    await given.relayed()

    assert (again.status, again.json["status"]) == (200, "sent")
    assert [each["status"] for each in await messages_of(api, conversation)] == [FAILED]
    assert len(await given.emitted(MessageUpdated)) == 3


async def test_notes_and_what_was_sent_elsewhere_do_not_go_out(api: Api, given: Given) -> None:
    conversation = await given.conversation(inbox=await mailbox(given))
    await given.message(conversation, "Between us", private=True)
    await given.message(conversation, "Sent by the phone", source_id="sent-elsewhere")

    await given.relayed()

    assert [message["status"] for message in await messages_of(api, conversation)] == ["sent", "sent"]
    assert await given.emitted(MessageUpdated) == []


async def test_an_api_channel_says_itself_what_became_of_a_message(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await given.message(conversation)

    await given.relayed()

    assert [message["status"] for message in await messages_of(api, conversation)] == ["sent"]


async def test_events_that_come_twice_fail_a_message_once(given: Given) -> None:
    conversation = await given.conversation(inbox=await mailbox(given))
    await given.message(conversation)
    events = await given.emitted(MessageCreated)

    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await fail_what_nobody_sends(tx, events)

    assert len(await given.emitted(MessageUpdated)) == 1
