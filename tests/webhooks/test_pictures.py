"""That whoever stands in an event is shown with the picture they had then, as the API shows them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from feeds import read_all
from harness import Api, Given, Person
from receivers import Receiver

from criachat.users.snapshots import BotSnapshot, UserSnapshot

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
PICTURE = {"avatar": ("me.png", PNG)}


async def pictured_agent(api: Api, person: Person) -> str:
    """The person gets a picture; its address."""
    profile = await api.acting_as(person).call("PUT", "/api/v1/profile", files={"profile[avatar]": ("me.png", PNG)})
    assert profile.status == 200, profile.body
    assert profile.json["avatar_url"].startswith("http")
    return profile.json["avatar_url"]


async def pictured(api: Api, path: str) -> str:
    """A contact or bot gets a picture; its address."""
    changed = await api.call("PATCH", path, files=PICTURE)
    assert changed.status == 200, changed.body
    shown = changed.json.get("payload", changed.json)
    assert shown["thumbnail"].startswith("http")
    return shown["thumbnail"]


async def told(given: Given, receiver: Receiver, name: str) -> Any:
    await given.delivered()
    return receiver.events(name)[-1]


async def from_feed(api: Api, message_id: int) -> Any:
    events = await read_all(api, event="message_created")
    return next(event["snapshot"] for event in events if event["message_id"] == message_id)


async def from_list(api: Api, conversation: Any, message_id: int) -> Any:
    payload = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    return next(message for message in payload if message["id"] == message_id)


async def test_sender_assignee_and_contact_of_a_message_have_their_pictures(
    api: Api, given: Given, receiver: Receiver
) -> None:
    inbox = await given.inbox()
    ana, rosa = await given.agent("Ana", inbox=inbox), await given.contact("Rosa Lind")
    of_ana, of_rosa = await pictured_agent(api, ana), await pictured(api, f"/contacts/{rosa['id']}")
    conversation = await given.conversation(inbox=inbox, contact=rosa)
    await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})
    await given.webhook(receiver.url, "message_created")

    said = await api.acting_as(ana).post(f"/conversations/{conversation['id']}/messages", {"content": "Olá!"})

    body, snapshot = await told(given, receiver, "message_created"), await from_feed(api, said.json["id"])
    listed = await from_list(api, conversation, said.json["id"])
    for sender in (
        said.json["sender"],
        listed["sender"],
        snapshot["message"]["sender"],
        body["conversation"]["messages"][0]["sender"],
    ):
        assert (sender["id"], sender["avatar_url"], sender["thumbnail"]) == (ana.id, of_ana, of_ana)
    for meta in (body["conversation"]["meta"], snapshot["conversation"]["meta"]):
        assert (meta["assignee"]["avatar_url"], meta["assignee"]["thumbnail"]) == (of_ana, of_ana)
        assert meta["sender"]["thumbnail"] == of_rosa


async def test_a_contact_who_writes_has_their_picture(api: Api, given: Given, receiver: Receiver) -> None:
    rosa = await given.contact("Rosa Lind")
    of_rosa = await pictured(api, f"/contacts/{rosa['id']}")
    conversation = await given.conversation(contact=rosa)
    await given.webhook(receiver.url, "message_created", "contact_updated")

    await given.message(conversation, "Olá!", message_type="incoming")
    await api.patch(f"/contacts/{rosa['id']}", {"name": "Rosa"})

    body, changed = await told(given, receiver, "message_created"), await told(given, receiver, "contact_updated")
    assert (body["sender"]["avatar"], body["sender"]["thumbnail"]) == (of_rosa, of_rosa)
    assert body["conversation"]["messages"][0]["sender"]["thumbnail"] == of_rosa
    assert (changed["avatar"], changed["thumbnail"]) == (of_rosa, of_rosa)


@pytest.mark.parametrize("author", ["the bot", "a person in its name"])
async def test_a_bot_has_its_picture_as_sender_and_as_assignee(
    api: Api, given: Given, receiver: Receiver, author: str
) -> None:
    inbox = await given.inbox()
    robot = await given.bot("Robô", inbox=inbox)
    of_robot = await pictured(api, f"/agent_bots/{robot.id}")
    conversation = await given.conversation(inbox=inbox)
    assigned = {"assignee_id": robot.id, "assignee_type": "AgentBot"}
    await api.post(f"/conversations/{conversation['id']}/assignments", assigned)
    await given.webhook(receiver.url, "message_created")
    caller = robot if author == "the bot" else given.boss
    message = {"content": "Bip", "sender_type": "AgentBot", "sender_id": robot.id}

    said = await api.acting_as(caller).post(f"/conversations/{conversation['id']}/messages", message)

    body = await told(given, receiver, "message_created")
    listed = await from_list(api, conversation, said.json["id"])
    assert said.json["sender"]["avatar_url"] == listed["sender"]["avatar_url"] == of_robot
    assert body["conversation"]["messages"][0]["sender"]["avatar_url"] == of_robot
    assert body["conversation"]["meta"]["assignee"]["avatar_url"] == of_robot


async def test_notifications_show_whom_they_are_for_and_who_caused_them(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    of_ana, of_boss = await pictured_agent(api, ana), await pictured_agent(api, given.boss)
    conversation = await given.conversation(inbox=inbox)

    await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})
    await given.relayed()

    listed = (await api.acting_as(ana).get("/notifications")).json["data"]["payload"]
    assert [each["user"]["thumbnail"] for each in listed] == [of_ana]
    assert [each["secondary_actor"]["thumbnail"] for each in listed] == [of_boss]


async def test_the_picture_of_an_event_is_to_be_had_behind_its_address(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await pictured_agent(api, given.boss)
    conversation = await given.conversation()
    await given.webhook(receiver.url, "message_created")

    await given.message(conversation, "Olá!")

    sender = (await told(given, receiver, "message_created"))["conversation"]["messages"][0]["sender"]
    picture = await api.acting_as(None).get("/avatars/" + sender["avatar_url"].partition("/avatars/")[2])
    assert (picture.status, picture.body) == (200, PNG)


def test_events_from_before_pictures_were_kept_show_none() -> None:
    user = b'{"type":"user","id":7,"name":"Ana","available_name":"Ana","email":"a@example.com","avatar_url":""}'
    bot = b'{"type":"agent_bot","id":8,"name":"Rob","avatar_url":""}'

    assert msgspec.json.decode(user, type=UserSnapshot).avatar_key is None
    assert msgspec.json.decode(bot, type=BotSnapshot).avatar_key is None
