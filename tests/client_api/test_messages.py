from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from apps import PNG, App, open_app
from harness import BASE_URL, Api, Given

from criachat.kit import clock
from criachat.messages.events import MessageCreated, MessageUpdated

NO_SUCH_PAGE = {"status": 404, "error": "Not Found"}
QUESTION: dict[str, Any] = {
    "content": "Which colour?",
    "content_type": "input_select",
    "content_attributes": {"items": [{"title": "Blue", "value": "b"}, {"title": "Red", "value": "r"}]},
}


async def test_a_contact_says_something(api: Api, given: Given) -> None:
    app = await open_app(given, email="rosa@example.net", identifier="crm-77", custom_attributes={"plan": "gold"})
    conversation = await app.conversation()

    with given.queries(at_most=2):
        reply = await app.post(f"/conversations/{conversation['id']}/messages", {"content": "Is it *shipped*?"})

    assert reply.status == 200
    assert reply.json == {
        "id": reply.json["id"],
        "content": "Is it *shipped*?",
        "message_type": 0,
        "content_type": "text",
        "content_attributes": {},
        "created_at": reply.json["created_at"],
        "conversation_id": conversation["id"],
        "sender": {
            "additional_attributes": {},
            "custom_attributes": {"plan": "gold"},
            "email": "rosa@example.net",
            "id": app.session["id"],
            "identifier": "crm-77",
            "name": "Rosa Lind",
            "phone_number": None,
            "thumbnail": "",
            "blocked": False,
            "type": "contact",
        },
    }
    assert abs(reply.json["created_at"] - clock.unix()) < 60
    (event,) = await given.emitted(MessageCreated)
    assert (event.actor_type, event.actor_id, event.contact_id) == ("contact", app.session["id"], app.session["id"])
    thread = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert [(each["content"], each["message_type"]) for each in thread] == [("Is it *shipped*?", 0)]


async def test_what_only_the_team_may_say_is_not_said_by_a_contact(api: Api, given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    sent: dict[str, Any] = {
        "content": "Hi",
        "message_type": "outgoing",
        "private": True,
        "content_type": "cards",
        "content_attributes": {"items": []},
        "source_id": "x",
        "sender_id": given.boss.id,
        "created_at": 1,
    }

    reply = await app.post(f"/conversations/{conversation['id']}/messages", sent)

    assert (reply.json["message_type"], reply.json["content_type"], reply.json["content_attributes"]) == (0, "text", {})
    (seen,) = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert (seen["private"], seen["source_id"], seen["sender"]["type"]) == (False, None, "contact")


@pytest.mark.parametrize("echo", ["temp-1", 17])
async def test_an_echo_id_comes_back_on_the_socket_only_and_is_no_key(given: Given, echo: str | int) -> None:
    app = await open_app(given)
    conversation = await app.conversation()

    first = await app.say(conversation, echo_id=echo)
    second = await app.say(conversation, echo_id=echo)

    assert first["id"] != second["id"]
    assert "echo_id" not in first
    assert [event.snapshot.echo_id for event in await given.emitted(MessageCreated)] == [echo, echo]


@pytest.mark.parametrize("echo", [{"a": 1}, [1], 10**30])
async def test_an_echo_id_that_is_no_plain_value_is_refused(given: Given, echo: Any) -> None:
    app = await open_app(given)
    conversation = await app.conversation()

    reply = await app.post(f"/conversations/{conversation['id']}/messages", {"content": "Olá!", "echo_id": echo})

    assert reply.status == 422
    assert await given.emitted(MessageCreated) == []


async def test_a_message_said_again_under_its_own_id_is_answered_with_the_first(given: Given) -> None:
    app = await open_app(given)
    conversation, other = await app.conversation(), await app.conversation()

    first = await app.say(conversation, "One", client_message_id="m-1")
    again = await app.say(conversation, "Two", client_message_id="m-1")
    elsewhere = await app.say(other, "Three", client_message_id="m-1")

    assert again == first
    assert elsewhere["id"] != first["id"]
    assert len(await given.emitted(MessageCreated)) == 2


async def test_an_id_that_the_team_or_the_product_uses_shows_nothing_of_theirs(api: Api, given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    await given.message(conversation, "VIP, be nice.", private=True, client_message_id="note-1")
    path = f"/conversations/{conversation['id']}/messages"

    replies = [
        await app.post(path, {"content": "Hi", "client_message_id": client_message_id})
        for client_message_id in ("note-1", "criachat:survey:1")
    ]

    refusal = {"message": "Client message has already been taken", "attributes": ["client_message_id"]}
    assert [(reply.status, reply.json) for reply in replies] == [(422, refusal)] * 2
    assert len(await given.emitted(MessageCreated)) == 1


async def test_32_tries_to_say_one_message_say_it_once(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}/messages"

    replies = await asyncio.gather(
        *(app.post(path, {"content": "Once", "client_message_id": "m-1"}) for _ in range(32))
    )

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert len((await app.get(path)).json) == len(await given.emitted(MessageCreated)) == 1


async def test_32_messages_said_at_once_are_all_there(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}/messages"

    replies = await asyncio.gather(*(app.post(path, {"content": f"{number}"}) for number in range(32)))

    assert {reply.status for reply in replies} == {200}
    assert len(await given.emitted(MessageCreated)) == 32
    assert (await given.api.get(f"/conversations/{conversation['id']}")).json["unread_count"] == 10


async def test_an_idempotency_key_belongs_to_the_session_that_sent_it(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}/messages"
    key = {"Idempotency-Key": "0001-of-rosas-phone"}

    first = await app.post(path, {"content": "Once"}, headers=key)
    again = await app.post(path, {"content": "Once"}, headers=key)
    other_words = await app.post(path, {"content": "Twice"}, headers=key)

    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other_words.status, other_words.json) == (
        422,
        {"error": "This Idempotency-Key was used with other parameters"},
    )
    assert len(await given.emitted(MessageCreated)) == 1


@pytest.mark.parametrize("body", [None, {}, {"content": ""}, {"content": " \n"}, {"content": None}, {"echo_id": 1}])
async def test_nothing_is_not_said(given: Given, body: Any) -> None:
    app = await open_app(given)
    conversation = await app.conversation()

    reply = await app.post(f"/conversations/{conversation['id']}/messages", body)

    assert (reply.status, reply.json) == (422, {"message": "Content can't be blank", "attributes": ["content"]})
    assert await given.emitted(MessageCreated) == []


async def test_the_longest_message_is_said_and_a_longer_one_is_not(given: Given) -> None:
    app = await open_app(given)
    path = f"/conversations/{(await app.conversation())['id']}/messages"

    longest = await app.post(path, {"content": "x" * 150_000})
    longer = await app.post(path, {"content": "x" * 150_001})

    assert (longest.status, len(longest.json["content"])) == (200, 150_000)
    refusal = {"message": "Content is too long (maximum is 150000 characters)", "attributes": ["content"]}
    assert (longer.status, longer.json) == (422, refusal)
    assert len(await given.emitted(MessageCreated)) == 1


async def test_what_an_app_calls_its_message_has_a_longest_name(given: Given) -> None:
    app = await open_app(given)
    path = f"/conversations/{(await app.conversation())['id']}/messages"

    longer = await app.post(path, {"content": "Olá!", "echo_id": "x" * 20_001})

    refusal = {"message": "Echo is too long (maximum is 20000 characters)", "attributes": ["echo_id"]}
    assert (longer.status, longer.json) == (422, refusal)
    assert await given.emitted(MessageCreated) == []


async def test_more_than_200_messages_a_minute_are_refused(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}/messages"
    for number in range(200):
        await app.say(conversation, f"{number}")

    flood = await app.post(path, {"content": "One more"})
    clock.travel(timedelta(minutes=1))
    later = await app.post(path, {"content": "One more"})

    assert (flood.status, flood.json) == (422, {"message": "Too many messages", "attributes": ["base"]})
    assert later.status == 200


@pytest.mark.parametrize("is_blocked", [False, True])
@pytest.mark.parametrize(("status", "after"), [("snoozed", "open"), ("resolved", "open"), ("pending", "pending")])
async def test_a_message_opens_what_was_put_aside_unless_its_contact_is_blocked(
    api: Api,
    given: Given,
    status: str,
    after: str,
    is_blocked: bool,  # noqa: FBT001
) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": status})
    await api.patch(f"/contacts/{app.session['id']}", {"blocked": is_blocked})

    await app.say(conversation)

    shown = (await app.get(f"/conversations/{conversation['id']}")).json
    assert shown["status"] == (status if is_blocked else after)
    assert len(shown["messages"]) == 1


async def test_files_are_sent_along_and_shown_by_what_they_are(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    files = [
        ("attachments[]", ("photo.exe", PNG, "application/octet-stream")),
        ("attachments[]", ("../../notes.txt", b"Dear Sirs", "text/plain")),
    ]

    reply = await app.call(
        "POST", f"/conversations/{conversation['id']}/messages", data={"content": "See"}, files=files
    )

    assert reply.status == 200, reply.body
    photo, notes = reply.json["attachments"]
    assert photo == {
        "id": photo["id"],
        "message_id": reply.json["id"],
        "file_type": "image",
        "account_id": given.account_id,
        "extension": None,
        "data_url": photo["data_url"],
        "thumb_url": photo["thumb_url"],
        "file_size": len(PNG),
        "width": 2,
        "height": 3,
    }
    assert (notes["file_type"], notes["thumb_url"], notes["width"]) == ("file", "", None)
    assert photo["data_url"].startswith(f"{BASE_URL}/rails/active_storage/blobs/redirect/")
    assert ".." not in notes["data_url"]
    listed = (await app.get(f"/conversations/{conversation['id']}/messages")).json
    assert listed == [reply.json]


async def test_files_alone_are_a_message(given: Given) -> None:
    app = await open_app(given)
    path = f"/conversations/{(await app.conversation())['id']}/messages"

    reply = await app.call("POST", path, files={"attachments[]": ("photo.png", PNG, "image/png")})

    assert (reply.status, reply.json["content"], len(reply.json["attachments"])) == (200, None, 1)


@pytest.mark.parametrize("attachments", [["a-signed-id"], "a-signed-id", [{"file": 1}], {"0": "x"}, [None]])
async def test_attachments_that_are_no_files_are_refused(given: Given, attachments: Any) -> None:
    app = await open_app(given)
    path = f"/conversations/{(await app.conversation())['id']}/messages"

    reply = await app.post(path, {"content": "See", "attachments": attachments})

    assert (reply.status, reply.json["attributes"]) == (422, ["attachments"])
    assert await given.emitted(MessageCreated) == []


async def test_more_than_fifteen_files_are_refused(given: Given) -> None:
    app = await open_app(given)
    path = f"/conversations/{(await app.conversation())['id']}/messages"
    files = [("attachments[]", (f"{number}.png", PNG, "image/png")) for number in range(16)]

    reply = await app.call("POST", path, files=files)

    refusal = {"message": "A message takes 15 attachments at most", "attributes": ["attachments"]}
    assert (reply.status, reply.json) == (422, refusal)


async def test_a_file_larger_than_files_may_be_is_refused(given: Given) -> None:
    app = await open_app(given)
    path = f"/conversations/{(await app.conversation())['id']}/messages"
    large = given.world.parts.settings.maximum_file_upload_mb * 1024 * 1024 + 1

    reply = await app.call("POST", path, files={"attachments[]": ("large.bin", b"\0" * large)})

    assert reply.status in (413, 422)
    assert await given.emitted(MessageCreated) == []


async def test_messages_are_paged_backwards_by_id_twenty_at_a_time(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    ids = [(await app.say(conversation, f"{number}"))["id"] for number in range(45)]
    path = f"/conversations/{conversation['id']}/messages"

    with given.queries(at_most=2):
        newest = await app.get(path)
    pages = [newest, await app.get(f"{path}?before={ids[25]}"), await app.get(f"{path}?before={ids[5]}")]
    end = await app.get(f"{path}?before={ids[0]}")

    assert [[each["id"] for each in page.json] for page in pages] == [ids[25:], ids[5:25], ids[:5]]
    assert (end.status, end.json) == (200, [])


@pytest.mark.parametrize("query", ["after=1", "before=", "after=x&limit=1", "page=3"])
async def test_other_ways_to_page_are_passed_over(given: Given, query: str) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    said = await app.say(conversation)

    reply = await app.get(f"/conversations/{conversation['id']}/messages?{query}")

    assert (reply.status, reply.json) == (200, [said])


@pytest.mark.parametrize("before", ["0", "-1", "x", "1.5", "9" * 18, "9" * 400, "%00", "1e3", "²", "[]", "before[]=1"])
async def test_a_place_that_is_none_is_answered_cleanly(given: Given, before: str) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    await app.say(conversation)

    reply = await app.get(f"/conversations/{conversation['id']}/messages?before={before}")

    assert reply.status in (200, 400)


async def test_notes_and_activities_are_not_shown(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}/messages"
    answer = await given.message(conversation, "Hello!", content_attributes={"automation_rule_id": 7, "deleted": False})
    await given.message(conversation, "VIP, be nice.", private=True)
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()

    listed = (await app.get(path)).json

    assert [each["id"] for each in listed] == [answer["id"]]
    assert listed[0]["content_attributes"] == {"deleted": False}
    assert listed[0]["sender"] == {
        "id": given.boss.id,
        "name": "Beatriz",
        "available_name": "Beatriz",
        "avatar_url": "",
        "type": "user",
        "availability_status": listed[0]["sender"]["availability_status"],
        "thumbnail": "",
    }


async def asked(given: Given, **question: Any) -> tuple[App, str, Any]:
    """An app, the path of a message in it that asks for something, and that message."""
    app = await open_app(given)
    conversation = await app.conversation()
    message = await given.message(conversation, **{**QUESTION, **question})
    return app, f"/conversations/{conversation['id']}/messages/{message['id']}", message


async def test_a_question_is_answered(given: Given) -> None:
    app, path, question = await asked(given)
    chosen = [{"title": "Blue", "value": "b", "unknown": "dropped"}]

    reply = await app.patch(path, {"submitted_values": chosen})

    assert reply.status == 200
    attributes = {**QUESTION["content_attributes"], "submitted_values": [{"title": "Blue", "value": "b"}]}
    assert reply.json == {
        "id": question["id"],
        "content": "Which colour?",
        "message_type": 1,
        "content_type": "input_select",
        "content_attributes": attributes,
        "created_at": question["created_at"],
        "conversation_id": reply.json["conversation_id"],
        "sender": reply.json["sender"],
    }
    (event,) = await given.emitted(MessageUpdated)
    assert event.changes["content_attributes"] == [QUESTION["content_attributes"], attributes]
    assert (event.actor_type, event.actor_id) == ("contact", app.session["id"])


async def test_another_answer_takes_the_place_of_the_first_and_the_same_one_tells_nothing(given: Given) -> None:
    app, path, _ = await asked(given)
    for value in ("b", "r", "r"):
        reply = await app.call("PUT", path, json={"submitted_values": [{"value": value}]})

    assert reply.json["content_attributes"]["submitted_values"] == [{"value": "r"}]
    assert len(await given.emitted(MessageUpdated)) == 2


async def test_a_form_sent_as_a_form_is_understood(given: Given) -> None:
    items = [{"type": "email", "name": "email", "label": "E-mail"}, {"type": "text", "name": "city", "label": "City"}]
    app, path, _ = await asked(given, content_type="form", content_attributes={"items": items})
    pairs = (("email", "rosa@example.net"), ("city", "Porto"))
    encoded = "&".join(f"submitted_values[][name]={name}&submitted_values[][value]={value}" for name, value in pairs)
    headers = {"content-type": "application/x-www-form-urlencoded"}

    reply = await app.call("PATCH", path, content=encoded, headers=headers)

    answers = [{"name": "email", "value": "rosa@example.net"}, {"name": "city", "value": "Porto"}]
    assert (reply.status, reply.json["content_attributes"]["submitted_values"]) == (200, answers)


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        "b",
        7,
        {"value": "b"},
        ["b"],
        [None],
        [{"value": {"deep": 1}}],
        [{"value": ["b"]}],
        [{"value": "x" * 20_001}],
        [{"value": "b"}] * 101,
    ],
)
async def test_an_answer_that_is_none_is_refused(given: Given, values: Any) -> None:
    app, path, question = await asked(given)

    reply = await app.patch(path, {"submitted_values": values})

    sentence = "Submitted values must be a list of objects with name, title and value"
    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": ["submitted_values"]})
    assert await given.emitted(MessageUpdated) == []
    assert question["content_attributes"] == QUESTION["content_attributes"]


async def test_an_answer_larger_than_events_carry_is_refused(given: Given) -> None:
    app, path, _ = await asked(given)

    reply = await app.patch(path, {"submitted_values": [{"value": "x" * 19_000}] * 6})

    sentence = "Submitted values are too large (maximum is 100 kB)"
    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": ["submitted_values"]})


@pytest.mark.parametrize(
    "message",
    [
        {"content_type": "text", "content_attributes": {}},
        {"content_type": "cards", "content_attributes": {"items": [{"title": "A", "actions": [{"text": "B"}]}]}},
    ],
)
async def test_what_asks_for_nothing_takes_no_answer(given: Given, message: dict[str, Any]) -> None:
    app, path, _ = await asked(given, **message)

    reply = await app.patch(path, {"submitted_values": [{"value": "b"}], "content": "Forged"})

    sentence = "Submitted values are taken by messages that ask for them only"
    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": ["submitted_values"]})
    assert await given.emitted(MessageUpdated) == []


async def test_messages_that_are_not_ones_own_to_see_take_no_answer(given: Given) -> None:
    app, path, question = await asked(given)
    other = await app.conversation()
    note = await given.message({"id": other["id"]}, "VIP", private=True)
    elsewhere = f"/conversations/{other['id']}/messages"
    body = {"submitted_values": [{"value": "b"}]}

    replies = [
        await app.patch(f"{elsewhere}/{question['id']}", body),
        await app.patch(f"{elsewhere}/{note['id']}", body),
        await app.patch(f"{elsewhere}/0", body),
        await app.patch(f"{elsewhere}/{10**30}", body),
    ]

    assert [(reply.status, reply.json) for reply in replies] == [(404, NO_SUCH_PAGE)] * 4
    assert (await app.patch(path, body)).status == 200


async def test_a_message_of_another_contact_cannot_be_forged_from_any_session(given: Given, api: Api) -> None:
    app, path, question = await asked(given)
    stranger = await open_app(given, app.inbox)

    reply = await stranger.patch(path, {"submitted_values": [{"value": "b"}]})

    assert (reply.status, reply.json) == (404, NO_SUCH_PAGE)
    assert httpx.codes.is_success((await api.get(f"/conversations/{question['conversation_id']}")).status)
