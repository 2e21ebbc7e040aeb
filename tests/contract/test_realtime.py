"""The websocket against the contract: frames, subscriptions, presence, typing, and who is told of what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from apps import open_app
from happenings import HAPPENINGS, Stage
from harness import Given, World
from lines import Line, Server
from pushes import CONTACT, CONVERSATION, USER, string_keys
from shapes import misfits, one_of, unix

TYPING = {"conversation": CONVERSATION, "user": one_of(USER, CONTACT), "is_private": bool, "account_id": int}
# Who is told: the members of the inbox and all administrators; the contact as well; or everybody in the account.
INBOX, CONTACT_TOO, ACCOUNT = "inbox", "contact", "account"
RECIPIENTS = {
    "message_created": ("message.created", CONTACT_TOO),
    "message_updated": ("message.updated", CONTACT_TOO),
    "first_reply_created": ("first.reply.created", INBOX),
    "conversation_created": ("conversation.created", CONTACT_TOO),
    "conversation_updated": ("conversation.updated", CONTACT_TOO),
    "conversation_status_changed": ("conversation.status_changed", CONTACT_TOO),
    "conversation_read": ("conversation.read", INBOX),
    "assignee_changed": ("assignee.changed", INBOX),
    "team_changed": ("team.changed", INBOX),
    "conversation_contact_changed": ("conversation.contact_changed", INBOX),
    "contact_created": ("contact.created", ACCOUNT),
    "contact_updated": ("contact.updated", ACCOUNT),
    "contact_merged": ("contact.merged", ACCOUNT),
    "contact_deleted": ("contact.deleted", ACCOUNT),
    "account_cache_invalidated": ("account.cache_invalidated", ACCOUNT),
}
# These say who did it; the others never do.
NAMES_PERFORMER = {"message_updated", "first_reply_created"}


def as_agent(given: Given, person: Any) -> dict[str, Any]:
    return {"pubsub_token": person.pubsub_token, "account_id": given.account_id, "user_id": person.id}


async def listening(server: Server, **identifier: Any) -> Line:
    line = await server.line()
    assert await line.subscribe(**identifier) == "confirm_subscription"
    return line


async def test_the_frames_of_a_connection(given: Given, server: Server) -> None:
    line = await server.line(subprotocols=["actioncable-v1-json", "actioncable-unsupported"])

    ping = await line.ping()
    await line.say(command="subscribe", identifier="{}")
    rejected = await line.frame()
    await line.subscribe(**as_agent(given, given.boss))
    presence = await line.frame()

    assert line.socket.subprotocol == "actioncable-v1-json"
    assert misfits(ping, {"type": "ping", "message": unix}) == []
    assert rejected == {"identifier": "{}", "type": "reject_subscription"}
    assert misfits(presence, {"identifier": str, "message": {"event": "presence.update", "data": dict}}) == []
    assert presence["identifier"] == line.identifier


@pytest.mark.parametrize(
    "text",
    [
        '{"channel":"RoomChannel","pubsub_token":"TOKEN","account_id":ACCOUNT,"user_id":USER}',
        '{ "user_id" : "USER" , "account_id": "ACCOUNT" ,\n "pubsub_token":"TOKEN" , "channel":"RoomChannel" }',
        '{"channel":"RoomChannel","pubsub_token":"TOKEN","account_id":ACCOUNT,"user_id":USER,"app":"é \\u00e9 \\/"}',
    ],
    ids=["compact", "strings, blanks and another order", "more keys"],
)
async def test_the_identifier_comes_back_as_it_was_sent(given: Given, server: Server, text: str) -> None:
    boss = given.boss
    identifier = text.replace("TOKEN", boss.pubsub_token)
    identifier = identifier.replace("ACCOUNT", str(given.account_id)).replace("USER", str(boss.id))
    line = await server.line()

    await line.say(command="subscribe", identifier=identifier)

    assert await line.frame() == {"identifier": identifier, "type": "confirm_subscription"}
    assert (await line.frame())["identifier"] == identifier


async def test_presence_tells_agents_of_everybody_and_contacts_of_the_team(given: Given, server: Server) -> None:
    rosa = await open_app(given)
    rosas = await listening(server, pubsub_token=rosa.session["pubsub_token"])
    bosses = await listening(server, **as_agent(given, given.boss))
    update = '{"action":"update_presence"}'

    await rosas.say(command="message", identifier=rosas.identifier, data=update)
    await rosas.event("presence.update")
    await bosses.say(command="message", identifier=bosses.identifier, data=update)
    await bosses.event("presence.update")
    to_contact, to_agent = await rosas.event("presence.update"), await bosses.event("presence.update")

    assert misfits(to_agent, {"account_id": int, "users": string_keys, "contacts": string_keys}) == []
    assert misfits(to_contact, {"account_id": int, "users": string_keys}) == []
    assert to_agent["users"] == {str(given.boss.id): "online"}
    assert to_agent["contacts"] == {str(rosa.session["id"]): "online"}


@pytest.mark.parametrize(("status", "event"), [("on", "conversation.typing_on"), ("off", "conversation.typing_off")])
async def test_typing_is_shown_to_everybody_but_who_types(
    stage: Stage, server: Server, status: str, event: str
) -> None:
    given = stage.given
    anas, bosses = [await listening(server, **as_agent(given, each)) for each in (stage.ana, given.boss)]
    rosas = await listening(server, pubsub_token=stage.rosa.session["pubsub_token"])

    await given.api.acting_as(stage.ana).post(f"{stage.path}/toggle_typing_status", {"typing_status": status})
    by_ana = [await bosses.event(event), await rosas.event(event)]
    await stage.rosa.post(f"{stage.path}/toggle_typing", {"typing_status": status})
    by_rosa = [await bosses.event(event), await anas.event(event)]

    assert [misfits(data, TYPING) for data in (*by_ana, *by_rosa)] == [[], [], [], []]
    assert {data["user"]["id"] for data in by_ana} == {stage.ana.id}
    assert {(data["user"]["type"], data["user"]["id"]) for data in by_rosa} == {("contact", stage.rosa.session["id"])}


@pytest.mark.parametrize("name", RECIPIENTS)
async def test_each_event_is_told_to_those_the_contract_names(stage: Stage, server: Server, name: str) -> None:
    given = stage.given
    carla = await given.agent("Carla")
    member, admin, stranger = [
        await listening(server, **as_agent(given, person)) for person in (stage.ana, given.boss, carla)
    ]
    rosas = await listening(server, pubsub_token=stage.rosa.session["pubsub_token"])
    event, audience = RECIPIENTS[name]

    await HAPPENINGS[name](stage)
    await given.contact("The last")
    heard = {
        who: [message["data"] for message in await line.events_until("contact.created", name="The last")
              if message["event"] == event and message["data"].get("name") != "The last"]
        for who, line in (("member", member), ("admin", admin), ("stranger", stranger))
    }  # fmt: skip
    await given.message(stage.conversation, "the last")
    to_contact = [
        message["data"]
        for message in await rosas.events_until("message.created", content="the last")
        if message["event"] == event and message["data"].get("content") != "the last"
    ]

    assert heard["member"]
    assert heard["member"] == heard["admin"]
    assert bool(heard["stranger"]) is (audience == ACCOUNT)
    assert bool(to_contact) is (audience == CONTACT_TOO)
    assert {data["account_id"] for data in (*heard["member"], *to_contact)} == {given.account_id}
    assert any("performer" in data for data in heard["member"]) is (name in NAMES_PERFORMER)


async def test_activities_are_told_to_agents_and_not_to_the_contact(stage: Stage, server: Server) -> None:
    given = stage.given
    bosses = await listening(server, **as_agent(given, given.boss))
    rosas = await listening(server, pubsub_token=stage.rosa.session["pubsub_token"])

    await given.api.post(f"{stage.path}/toggle_status", {"status": "resolved"})
    await given.worked()
    await given.message(stage.conversation, "the last")
    to_team = await bosses.events_until("message.created", content="the last")
    to_contact = await rosas.events_until("message.created", content="the last")

    kinds = [
        {message["data"]["message_type"] for message in heard if message["event"] == "message.created"}
        for heard in (to_team, to_contact)
    ]
    assert kinds == [{1, 2}, {1}]


async def test_what_an_agent_says_names_them_and_comes_with_the_echo_id_they_gave_it(
    stage: Stage, server: Server
) -> None:
    bosses = await listening(server, **as_agent(stage.given, stage.given.boss))

    await stage.given.message(stage.conversation, "Olá!", echo_id="d3c1")
    data = await bosses.event("message.created")

    assert data["echo_id"] == "d3c1"
    assert misfits(data["performer"], USER) == []
    assert data["performer"]["id"] == stage.given.boss.id


async def test_what_changed_in_a_message_is_told(stage: Stage, server: Server) -> None:
    message = await stage.given.message(stage.conversation, "Oops")
    bosses = await listening(server, **as_agent(stage.given, stage.given.boss))

    await stage.given.api.delete(f"{stage.path}/messages/{message['id']}")
    data = await bosses.event("message.updated")

    assert data["content_attributes"] == {"deleted": True}
    assert data["previous_changes"]["content"] == ["Oops", data["content"]]
    assert misfits(data["previous_changes"]["updated_at"], [str]) == []


async def test_what_a_client_is_told_before_it_is_hung_up_on(world: World, given: Given) -> None:
    async with Server(world).running() as server:
        line = await server.line()
    goodbye = await line.frame()

    assert json.loads(json.dumps(goodbye)) == {"type": "disconnect", "reason": "server_restart", "reconnect": True}
