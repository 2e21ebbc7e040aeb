from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from apps import App, open_app, signed
from harness import Api, Given

from criachat.conversations.events import (
    ConversationCreated,
    ConversationRead,
    ConversationResolved,
    ConversationStatusChanged,
    ConversationUpdated,
)
from criachat.kit import clock
from criachat.messages.events import MessageUpdated

NO_SUCH_PAGE = {"status": 404, "error": "Not Found"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def raw_contact(app: App) -> Any:
    """The contact as a row, which is how conversations show them."""
    return (await app.patch("", {})).json


async def test_a_conversation_is_opened(api: Api, given: Given) -> None:
    app = await open_app(given)

    reply = await app.post("/conversations", {"custom_attributes": {"order": 17}, "status": "resolved"})

    assert reply.status == 200
    assert UUID.fullmatch(reply.json["uuid"])
    assert reply.json == {
        "id": reply.json["id"],
        "uuid": reply.json["uuid"],
        "inbox_id": app.inbox["id"],
        "contact_last_seen_at": 0,
        "status": "open",
        "agent_last_seen_at": 0,
        "messages": [],
        "contact": await raw_contact(app),
    }
    seen = (await api.get(f"/conversations/{reply.json['id']}")).json
    assert seen["custom_attributes"] == {"order": 17}
    assert seen["meta"]["sender"]["id"] == app.session["id"]
    (event,) = await given.emitted(ConversationCreated)
    assert (event.actor_type, event.actor_id) == ("contact", app.session["id"])


@pytest.mark.parametrize("body", [None, {}, {"custom_attributes": None}])
async def test_a_conversation_needs_nothing_said_of_it(given: Given, body: Any) -> None:
    app = await open_app(given)

    reply = await app.post("/conversations", body)

    assert (reply.status, reply.json["status"]) == (200, "open")


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [({"note": "x" * 1501}, "note length should be < 1500"), ({"order": 10**10}, "order value should be < 9999999999")],
)
async def test_attributes_too_large_for_a_conversation_are_refused(
    given: Given, attributes: dict[str, Any], sentence: str
) -> None:
    app = await open_app(given)

    reply = await app.post("/conversations", {"custom_attributes": attributes})

    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": ["custom_attributes"]})
    assert (await app.get("/conversations")).json == []


async def test_a_blocked_contact_opens_conversations_that_are_resolved(api: Api, given: Given) -> None:
    app = await open_app(given)
    await api.patch(f"/contacts/{app.session['id']}", {"blocked": True})

    conversation = await app.conversation()
    await app.say(conversation)

    assert conversation["status"] == "resolved"
    assert (await app.get(f"/conversations/{conversation['id']}")).json["status"] == "resolved"


async def test_an_inbox_that_keeps_one_conversation_answers_with_the_newest_unchanged(given: Given) -> None:
    app = await open_app(given, await given.inbox(lock_to_single_conversation=True))
    first = await app.conversation(custom_attributes={"order": 17})
    await app.post(f"/conversations/{first['id']}/toggle_status")

    again = await app.conversation(custom_attributes={"order": 18})

    assert again == {**first, "status": "resolved"}
    assert len(await given.emitted(ConversationCreated)) == 1


async def test_other_inboxes_open_a_new_conversation_each_time(given: Given) -> None:
    app = await open_app(given)

    first, second = await app.conversation(), await app.conversation()

    assert second["id"] == first["id"] + 1
    assert [each["id"] for each in (await app.get("/conversations")).json] == [first["id"], second["id"]]


async def test_32_openings_of_one_conversation_open_one(given: Given) -> None:
    app = await open_app(given, await given.inbox(lock_to_single_conversation=True))

    replies = await asyncio.gather(*(app.post("/conversations") for _ in range(32)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len(await given.emitted(ConversationCreated)) == 1


async def test_a_conversation_shows_what_was_said_and_hides_what_was_not_said_to_the_contact(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    said = await app.say(conversation, "Is my order shipped?")
    answer = await given.message(conversation, "It left today.")
    await given.message(conversation, "VIP, be nice.", private=True)
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()

    shown = await app.get(f"/conversations/{conversation['id']}")

    assert shown.status == 200
    assert [each["id"] for each in shown.json["messages"]] == [said["id"], answer["id"]]
    assert shown.json["messages"][0] == said
    assert (await app.get("/conversations")).json == [shown.json]


async def test_a_conversation_embeds_its_newest_hundred_messages(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    said = [await app.say(conversation, f"{number}") for number in range(102)]

    shown = (await app.get(f"/conversations/{conversation['id']}")).json

    assert [each["id"] for each in shown["messages"]] == [each["id"] for each in said[2:]]


@pytest.mark.parametrize("is_long", ["content", "custom_attributes"])
async def test_messages_too_long_to_be_embedded_all_are_fewer(given: Given, is_long: str) -> None:
    app = await open_app(given)
    content = "x"
    if is_long == "content":
        content = "x" * 150_000
    else:
        await app.patch("", {"custom_attributes": {"note": "x" * 99_000}})
    conversations = [await app.conversation() for _ in range(4)]
    said = [await app.say(conversation, content) for conversation in conversations for _ in range(20)]

    listed = await app.get("/conversations")

    assert len(listed.body) < 6_000_000
    shown = [[each["id"] for each in conversation["messages"]] for conversation in listed.json]
    assert all(0 < len(ids) < 20 for ids in shown)
    assert [ids[-1] for ids in shown] == [said[number]["id"] for number in (19, 39, 59, 79)]


async def test_conversations_are_listed_in_as_many_statements_whatever_their_number(given: Given) -> None:
    app = await open_app(given)
    for number in range(5):
        await app.say(await app.conversation(), f"{number}")

    with given.queries(at_most=4):
        listed = await app.get("/conversations")

    assert [each["messages"][0]["content"] for each in listed.json] == ["0", "1", "2", "3", "4"]


async def test_a_session_sees_its_own_conversations_and_no_others_of_its_contact(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    app = App(api, inbox, await given.session(inbox, **signed(inbox, "crm-77")))
    contact = {"id": app.session["id"]}
    elsewhere = await given.conversation(contact=contact)
    session = (await api.post(f"/contacts/{contact['id']}/contact_inboxes", {"inbox_id": inbox["id"]})).json
    stranger = App(api, inbox, session)
    own = await stranger.conversation()

    seen_by_stranger = await stranger.get("/conversations")
    seen_by_verified = await app.get("/conversations")

    assert [each["id"] for each in seen_by_stranger.json] == [own["id"]]
    assert [each["id"] for each in seen_by_verified.json] == [elsewhere["id"], own["id"]]
    assert (await app.get(f"/conversations/{elsewhere['id']}")).json["inbox_id"] == elsewhere["inbox_id"]
    assert (await stranger.get(f"/conversations/{elsewhere['id']}")).status == 404
    assert (await stranger.post(f"/conversations/{elsewhere['id']}/messages", {"content": "Hi"})).status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/toggle_status"),
        ("POST", "/toggle_typing"),
        ("POST", "/update_last_seen"),
        ("GET", "/messages"),
        ("POST", "/messages"),
        ("PATCH", "/messages/{message_id}"),
    ],
)
async def test_conversations_of_others_are_not_there(given: Given, method: str, path: str) -> None:
    app = await open_app(given)
    other = await open_app(given, app.inbox)
    foreign = await open_app(await given.another_account())
    theirs = await other.conversation()
    message = await other.say(theirs)
    foreigners = [await foreign.conversation() for _ in range(2)]
    numbers = [theirs["id"], foreigners[-1]["id"], 0, 10**18, 10**30, "x", "-1", theirs["uuid"]]
    target = path.format(message_id=message["id"])
    body: Any = None if method == "GET" else {"content": "Olá!", "typing_status": "on", "submitted_values": []}

    replies = [await app.call(method, f"/conversations/{number}{target}", json=body) for number in numbers]

    assert [(reply.status, reply.json) for reply in replies] == [(404, NO_SUCH_PAGE)] * len(numbers)
    assert (await other.get(f"/conversations/{theirs['id']}")).json == {**theirs, "messages": [message]} | {
        "contact": await raw_contact(other)
    }


async def test_a_contact_resolves_a_conversation(api: Api, given: Given) -> None:
    app = await open_app(given, name="ROSA lind")
    conversation = await app.conversation()

    resolved = await app.post(f"/conversations/{conversation['id']}/toggle_status")
    again = await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()

    assert (resolved.status, resolved.json) == (200, {**conversation, "status": "resolved"})
    assert (again.status, again.json) == (200, resolved.json)
    (event,) = await given.emitted(ConversationResolved)
    assert (event.actor_type, event.actor_id) == ("contact", app.session["id"])
    assert len(await given.emitted(ConversationStatusChanged)) == len(await given.emitted(ConversationUpdated)) == 1
    thread = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert [each["content"] for each in thread] == ["Conversation was resolved by Rosa lind"]


@pytest.mark.parametrize("status", ["on", "off"])
async def test_typing_is_told_to_the_team_and_to_nobody_else(given: Given, status: str) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    signals: list[bytes] = []
    given.world.parts.signals.subscribe("typing", signals.append)

    with given.queries(at_most=1):
        reply = await app.post(f"/conversations/{conversation['id']}/toggle_typing?typing_status={status}")

    given.world.parts.signals.unsubscribe("typing", signals.append)
    assert (reply.status, reply.body) == (200, b"")
    (signal,) = signals
    assert f'"is_on":{"true" if status == "on" else "false"}' in signal.decode()
    assert "typist" not in signal.decode()


@pytest.mark.parametrize("body", [None, {}, {"typing_status": "ON"}, {"typing_status": ["on"]}, {"typing_status": 1}])
async def test_typing_that_is_neither_on_nor_off_is_nothing(given: Given, body: Any) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    signals: list[bytes] = []
    given.world.parts.signals.subscribe("typing", signals.append)

    reply = await app.post(f"/conversations/{conversation['id']}/toggle_typing", body)

    given.world.parts.signals.unsubscribe("typing", signals.append)
    assert (reply.status, reply.body, signals) == (200, b"", [])


async def test_what_the_contact_has_seen_is_read(api: Api, given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    said = await app.say(conversation)
    for content in ("It left today.", "Anything else?"):
        await given.message(conversation, content)
    path = f"/conversations/{conversation['id']}"

    reply = await app.post(f"{path}/update_last_seen")
    await given.relayed()
    unseen = await given.message(conversation, "Hello?")

    assert (reply.status, reply.body) == (200, b"")
    thread = (await api.get(f"{path}/messages")).json["payload"]
    assert [(each["content"], each["status"]) for each in thread] == [
        (said["content"], "sent"),
        ("It left today.", "read"),
        ("Anything else?", "read"),
        (unseen["content"], "sent"),
    ]
    assert len(await given.emitted(ConversationRead)) == 1
    updated = await given.emitted(MessageUpdated)
    assert [event.changes["status"] for event in updated] == [["sent", "read"]] * 2
    shown = (await app.get(path)).json
    assert abs(shown["contact_last_seen_at"] - clock.unix()) < 60


async def test_much_is_read_in_as_few_statements_as_little(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    for number in range(20):
        await given.message(conversation, f"{number}")

    with given.queries(at_most=14):
        await app.post(f"/conversations/{conversation['id']}/update_last_seen")

    assert len(await given.emitted(MessageUpdated)) == 20


async def test_seen_again_is_told_again_but_nothing_is_read_twice(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    await given.message(conversation)
    path = f"/conversations/{conversation['id']}/update_last_seen"
    await app.post(path)
    first = (await app.get(f"/conversations/{conversation['id']}")).json["contact_last_seen_at"]
    clock.travel(timedelta(minutes=1))

    await app.post(path)
    await given.relayed()

    assert (await app.get(f"/conversations/{conversation['id']}")).json["contact_last_seen_at"] >= first + 60
    assert len(await given.emitted(ConversationRead)) == 2
    assert len(await given.emitted(MessageUpdated)) == 1
