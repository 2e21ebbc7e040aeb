"""What bots are told, and what happens when they cannot be told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from harness import Api, Given, World
from receivers import Receiver

from criachat.kit import clock
from criachat.webhooks.events import DeliveryFailed
from criachat.webhooks.listeners import mark_messages
from criachat.webhooks.signing import family_signature


async def waiting(given: Given, receiver: Receiver) -> tuple[Any, Any]:
    """A conversation that waits for a bot, and the session in which the contact speaks; the bot was told so far."""
    inbox = await given.inbox()
    await given.bot("Rob", inbox=inbox, outgoing_url=f"{receiver.url}/bot")
    conversation = await given.conversation(inbox=inbox)
    await given.delivered()
    receiver.forget()
    return inbox, conversation


async def say(given: Given, conversation: Any, content: str = "Where is my order?") -> Any:
    return await given.message(conversation, content, message_type="incoming")


async def status_of(api: Api, conversation: Any) -> str:
    return (await api.get(f"/conversations/{conversation['id']}")).json["status"]


async def activities(api: Api, conversation: Any) -> list[str]:
    thread = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    return [message["content"] for message in thread if message["message_type"] == 2]


async def test_a_bot_is_told_of_what_happens_in_its_inbox(api: Api, given: Given, receiver: Receiver) -> None:
    inbox, conversation = await waiting(given, receiver)
    elsewhere = await given.conversation()

    await say(given, conversation)
    await given.message(conversation, "A note", private=True)
    await say(given, elsewhere, "Not for the bot")
    for status in ("open", "resolved"):
        await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": status})
    await api.post("/contacts", {"name": "Clara"})
    await given.delivered()

    told = receiver.events()
    assert {body["event"] for body in told} == {
        "message_created",
        "conversation_updated",
        "conversation_opened",
        "conversation_resolved",
        "conversation_status_changed",
    }
    said = [body for body in told if body["event"] == "message_created"]
    assert [(body["content"], body["private"]) for body in said] == [("Where is my order?", False), ("A note", True)]
    assert said[0]["conversation"]["status"] == "pending"
    (opened,) = receiver.events("conversation_opened")
    assert (opened["id"], opened["status"], opened["inbox_id"]) == (conversation["id"], "open", inbox["id"])
    assert "changed_attributes" not in opened


async def test_what_a_bot_is_told_is_signed_with_its_secret(api: Api, given: Given, receiver: Receiver) -> None:
    _, conversation = await waiting(given, receiver)
    (bot,) = (await api.get("/agent_bots")).json

    await say(given, conversation)
    await given.delivered()

    told = receiver.told[0]
    timestamp = int(told.headers["X-Chatwoot-Timestamp"])
    signature = family_signature(bot["secret"], timestamp=timestamp, body=told.body)
    assert told.headers["X-Chatwoot-Signature"] == signature


async def test_a_bot_that_has_a_conversation_is_told_of_it_wherever_it_is(
    api: Api, given: Given, receiver: Receiver
) -> None:
    bot = await given.bot("Rob", outgoing_url=receiver.url)
    conversation = await given.conversation()
    assignment = {"assignee_id": bot.id, "assignee_type": "AgentBot"}
    await api.post(f"/conversations/{conversation['id']}/assignments", assignment)
    await given.delivered()
    receiver.forget()

    await say(given, conversation)
    await given.delivered()

    assert [body["content"] for body in receiver.events("message_created")] == ["Where is my order?"]


async def test_a_bot_that_is_connected_and_has_the_conversation_is_told_once(
    api: Api, given: Given, receiver: Receiver
) -> None:
    _, conversation = await waiting(given, receiver)
    (bot,) = (await api.get("/agent_bots")).json
    assignment = {"assignee_id": bot["id"], "assignee_type": "AgentBot"}
    await api.post(f"/conversations/{conversation['id']}/assignments", assignment)

    await say(given, conversation)
    await given.delivered()

    assert len(receiver.events("message_created")) == 1


async def test_a_bot_answers_and_hands_over(api: Api, given: Given, receiver: Receiver) -> None:
    inbox = await given.inbox()
    bot = await given.bot("Rob", inbox=inbox, outgoing_url=receiver.url)
    conversation = await given.conversation(inbox=inbox)
    path = f"/conversations/{conversation['id']}"
    await say(given, conversation)

    answer = await api.acting_as(bot).post(f"{path}/messages", {"content": "It is on its way"})
    handover = await api.acting_as(bot).post(f"{path}/toggle_status", {"status": "open"})

    assert answer.json["sender"] == {"id": bot.id, "name": "Rob", "avatar_url": "", "type": "agent_bot"}
    assert handover.json["payload"]["success"] is None
    assert handover.json["payload"]["current_status"] == "open"


async def test_a_resolved_conversation_waits_for_the_bot_again(api: Api, given: Given, receiver: Receiver) -> None:
    _, conversation = await waiting(given, receiver)
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})

    await say(given, conversation, "One more thing")

    assert await status_of(api, conversation) == "pending"


async def test_a_bot_without_an_address_is_told_nothing(api: Api, given: Given, receiver: Receiver) -> None:
    _, conversation = await waiting(given, receiver)
    (bot,) = (await api.get("/agent_bots")).json
    await api.patch(f"/agent_bots/{bot['id']}", {"outgoing_url": None})

    await say(given, conversation)
    await given.delivered()

    assert receiver.told == []


async def test_people_take_over_when_a_bot_refuses(api: Api, given: Given, receiver: Receiver) -> None:
    _, conversation = await waiting(given, receiver)
    receiver.always_answers(404)

    message = await say(given, conversation)
    await given.delivered()
    await given.delivered()
    await given.worked()

    shown = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert await status_of(api, conversation) == "open"
    assert await activities(api, conversation) == [
        "System opened the conversation because its bot could not be reached."
    ]
    assert next(each for each in shown if each["id"] == message["id"])["status"] == "sent"


async def test_a_bot_in_short_trouble_keeps_the_conversation(api: Api, given: Given, receiver: Receiver) -> None:
    _, conversation = await waiting(given, receiver)
    receiver.will_answer(503)

    await say(given, conversation)
    await given.delivered()
    before = await status_of(api, conversation)
    deliveries = (await api.get("/deliveries?status=pending")).json["deliveries"]
    waits = [datetime.fromisoformat(each["next_try_at"]) - clock.now() for each in deliveries if each["tries"]]
    clock.travel(timedelta(seconds=3))
    await given.delivered()

    assert before == await status_of(api, conversation) == "pending"
    assert len(receiver.events("message_created")) == 2
    assert all(wait < timedelta(seconds=3) for wait in waits)
    assert len(waits) == 1


async def test_what_people_have_already_stays_as_it_is_when_a_bot_fails_twice(
    api: Api, given: Given, world: World, receiver: Receiver
) -> None:
    _, conversation = await waiting(given, receiver)
    receiver.always_answers(404)
    await say(given, conversation)
    await given.delivered()
    await given.delivered()
    (failed, *_) = await given.emitted(DeliveryFailed)
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "snoozed"})

    async with world.parts.database.transaction() as tx:
        await mark_messages(tx, [failed])

    assert await status_of(api, conversation) == "snoozed"


async def test_the_log_tells_what_a_bot_was_told(api: Api, given: Given, receiver: Receiver) -> None:
    _, conversation = await waiting(given, receiver)
    (bot,) = (await api.get("/agent_bots")).json
    await say(given, conversation)
    await given.delivered()

    asked = (await api.get(f"/deliveries?agent_bot_id={bot['id']}")).json["deliveries"]
    everything = (await api.get("/deliveries")).json["deliveries"]
    nothing = (await api.get(f"/deliveries?agent_bot_id={bot['id'] + 1}")).json["deliveries"]

    assert {each["target"] for each in asked} == {f"agent_bot:{bot['id']}"}
    assert [each["id"] for each in asked] == [each["id"] for each in everything]
    assert nothing == []
