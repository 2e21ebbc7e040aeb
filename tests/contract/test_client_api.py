"""The client API, key by key as its contract says."""

from __future__ import annotations

import re
from typing import Any

from apps import CLIENT_API, App, contacts_path, open_app, signed
from harness import Api, Given, Reply
from pushes import BOT as BOT_SENDER
from pushes import NAMELESS_CONTACT as CONTACT_SENDER
from pushes import PRESENT_USER as USER_SENDER
from shapes import misfits, one_of

text_or_null = one_of(str, None)
number_or_null = one_of(int, None)

WORKING_HOUR: dict[str, Any] = {
    "day_of_week": int,
    "closed_all_day": bool,
    "open_hour": number_or_null,
    "open_minutes": number_or_null,
    "close_hour": number_or_null,
    "close_minutes": number_or_null,
    "open_all_day": bool,
}
PUBLIC_INBOX: dict[str, Any] = {
    "identifier": str,
    "identity_validation_enabled": bool,
    "name": str,
    "timezone": str,
    "working_hours": [WORKING_HOUR],
    "working_hours_enabled": bool,
    "csat_survey_enabled": bool,
    "greeting_enabled": bool,
}
PUBLIC_CONTACT: dict[str, Any] = {
    "source_id": str,
    "pubsub_token": str,
    "id": int,
    "name": str,
    "email": text_or_null,
    "phone_number": text_or_null,
}
RAW_CONTACT: dict[str, Any] = {
    "id": int,
    "name": text_or_null,
    "email": text_or_null,
    "phone_number": text_or_null,
    "account_id": int,
    "created_at": str,
    "updated_at": str,
    "additional_attributes": dict,
    "identifier": text_or_null,
    "custom_attributes": dict,
    "last_activity_at": text_or_null,
    "contact_type": one_of("visitor", "lead", "customer"),
    "middle_name": str,
    "last_name": str,
    "location": text_or_null,
    "country_code": text_or_null,
    "blocked": bool,
    "company_id": number_or_null,
}
FILE: dict[str, Any] = {
    "id": int,
    "message_id": int,
    "file_type": one_of("image", "video", "file"),
    "account_id": int,
    "extension": text_or_null,
    "data_url": str,
    "thumb_url": str,
    "file_size": int,
    "width": number_or_null,
    "height": number_or_null,
}
AUDIO: dict[str, Any] = {**FILE, "file_type": "audio", "transcribed_text": str}
PUBLIC_MESSAGE: dict[str, Any] = {
    "id": int,
    "content": text_or_null,
    "message_type": one_of(0, 1, 3),
    "content_type": str,
    "content_attributes": dict,
    "created_at": int,
    "conversation_id": int,
    "attachments?": [one_of(FILE, AUDIO)],
    "sender?": one_of(CONTACT_SENDER, USER_SENDER, BOT_SENDER),
}
PUBLIC_CONVERSATION: dict[str, Any] = {
    "id": int,
    "uuid": str,
    "inbox_id": int,
    "contact_last_seen_at": int,
    "status": one_of("open", "resolved", "pending", "snoozed"),
    "agent_last_seen_at": int,
    "messages": [PUBLIC_MESSAGE],
    "contact": RAW_CONTACT,
}
CSAT_RESPONSE: dict[str, Any] = {
    "id": int,
    "account_id": int,
    "conversation_id": int,
    "message_id": int,
    "rating": int,
    "feedback_message": text_or_null,
    "contact_id": int,
    "assigned_agent_id": number_or_null,
    "created_at": str,
    "updated_at": str,
    "csat_review_notes": text_or_null,
    "review_notes_updated_at": text_or_null,
    "review_notes_updated_by_id": number_or_null,
}
CSAT_SURVEY: dict[str, Any] = {
    "id": int,
    "csat_survey_response": one_of(CSAT_RESPONSE, None),
    "display_type": one_of("emoji", "star"),
    "content": text_or_null,
    "inbox_avatar_url": str,
    "inbox_name": str,
    "locale": str,
    "conversation_id": int,
    "created_at": str,
}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FILES = [
    ("attachments[]", ("photo.gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;", "image/gif")),
    ("attachments[]", ("voice.mp3", b"ID3\x03\x00\x00\x00\x00\x00\x00" + b"\0" * 200, "audio/mpeg")),
    ("attachments[]", ("notes.txt", b"Dear Sirs", "text/plain")),
]


def fits(reply: Reply, shape: Any) -> Any:
    """The body, which is as the contract says, answered with 200 and as JSON."""
    assert reply.status == 200, (reply.status, reply.body)
    assert reply.headers["content-type"].startswith("application/json")
    assert misfits(reply.json, shape) == []
    return reply.json


async def test_show_inbox(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    body = fits(await api.acting_as(None).get(f"{CLIENT_API}/inboxes/{inbox['inbox_identifier']}"), PUBLIC_INBOX)

    assert all([*day] == [*WORKING_HOUR] for day in body["working_hours"])
    assert [day["day_of_week"] for day in body["working_hours"]] == [0, 1, 2, 3, 4, 5, 6]
    assert re.fullmatch("[1-9A-HJ-NP-Za-km-z]{24}", body["identifier"])


async def test_create_show_and_update_contact(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    created = fits(await api.acting_as(None).post(contacts_path(inbox), {"name": "Rosa"}), PUBLIC_CONTACT)
    app = App(api, inbox, created)
    fits(await app.get(), PUBLIC_CONTACT)
    for method in ("PATCH", "PUT"):
        raw = fits(await app.call(method, json={"email": "rosa@example.net"}), RAW_CONTACT)

    assert raw["contact_type"] == "lead"
    assert all(ISO.fullmatch(raw[key]) for key in ("created_at", "updated_at"))
    assert len(created["pubsub_token"]) == 24


async def test_conversations(given: Given) -> None:
    app = await open_app(given, name="Rosa", email="rosa@example.net")

    created = fits(await app.post("/conversations", {"custom_attributes": {"order": 17}}), PUBLIC_CONVERSATION)
    path = f"/conversations/{created['id']}"
    await app.say(created)
    await given.message(created, "Hello!")
    shown = fits(await app.get(path), PUBLIC_CONVERSATION)
    listed = fits(await app.get("/conversations"), [PUBLIC_CONVERSATION])
    resolved = fits(await app.post(f"{path}/toggle_status"), PUBLIC_CONVERSATION)

    assert created["messages"] == []
    assert (created["contact_last_seen_at"], created["agent_last_seen_at"]) == (0, 0)
    assert listed == [shown]
    assert resolved["status"] == "resolved"
    assert ISO.fullmatch(shown["contact"]["last_activity_at"])


async def test_typing_and_last_seen_answer_with_an_empty_body(given: Given) -> None:
    app = await open_app(given)
    path = f"/conversations/{(await app.conversation())['id']}"

    replies = [
        await app.post(f"{path}/toggle_typing?typing_status=on"),
        await app.post(f"{path}/toggle_typing", {"typing_status": "nonsense"}),
        await app.post(f"{path}/update_last_seen"),
    ]

    assert [(reply.status, reply.body) for reply in replies] == [(200, b"")] * 3


async def test_messages(api: Api, given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}/messages"

    said = fits(await app.post(path, {"content": "Hi", "echo_id": "temp-1"}), PUBLIC_MESSAGE)
    with_files = fits(await app.call("POST", path, data={"content": "See"}, files=FILES), PUBLIC_MESSAGE)
    await given.message(conversation, "Hello!")
    assert (await api.acting_as(await given.bot()).post(path, {"content": "Beep"})).status == 200
    listed = fits(await app.get(path), [PUBLIC_MESSAGE])

    assert "attachments" not in said
    assert [each["file_type"] for each in with_files["attachments"]] == ["image", "audio", "file"]
    assert listed[:2] == [said, with_files]
    assert [each["sender"]["type"] for each in listed] == ["contact", "contact", "user", "agent_bot"]


async def test_update_message(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    items = {"items": [{"title": "Blue", "value": "b"}]}
    question = await given.message(conversation, content_type="input_select", content_attributes=items)
    path = f"/conversations/{conversation['id']}/messages/{question['id']}"

    for method in ("PATCH", "PUT"):
        body = {"submitted_values": [{"title": "Blue", "value": "b"}]}
        changed = fits(await app.call(method, path, json=body), PUBLIC_MESSAGE)

    assert changed["content_attributes"] == {**items, "submitted_values": [{"title": "Blue", "value": "b"}]}


async def test_survey(api: Api, given: Given) -> None:
    app = await open_app(given, await given.inbox(csat_survey_enabled=True))
    conversation = await app.conversation()
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()
    path = f"{CLIENT_API}/csat_survey/{conversation['uuid']}"
    answer = {"submitted_values": {"csat_survey_response": {"rating": 4, "feedback_message": "quick help"}}}

    shown = fits(await api.acting_as(None).get(path), CSAT_SURVEY)
    for method in ("PUT", "PATCH"):
        answered = fits(await api.acting_as(None).call(method, path, json={"message": answer}), CSAT_SURVEY)

    assert shown["csat_survey_response"] is None
    assert answered["csat_survey_response"]["rating"] == 4
    assert ISO.fullmatch(answered["created_at"])
    assert ISO.fullmatch(answered["csat_survey_response"]["updated_at"])
    survey = fits(await app.get(f"/conversations/{conversation['id']}/messages"), [PUBLIC_MESSAGE])[0]
    assert "sender" not in survey


async def test_what_is_not_there(api: Api, given: Given) -> None:
    app = await open_app(given)
    nobody = api.acting_as(None)

    replies = [
        await nobody.get(f"{CLIENT_API}/inboxes/unknown"),
        await nobody.get(f"{contacts_path(app.inbox)}/unknown"),
        await app.get("/conversations/1"),
        await app.patch("/conversations/1/messages/1", {}),
        await nobody.get(f"{CLIENT_API}/csat_survey/unknown"),
    ]

    assert [(reply.status, reply.json) for reply in replies] == [(404, {"status": 404, "error": "Not Found"})] * 5


async def test_what_answers_500_elsewhere_is_a_clean_refusal_here(given: Given) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    text = await given.message(conversation, "Hello!")
    wrong = {**signed(app.inbox, "crm-77"), "identifier_hash": "wrong"}

    hash_wrong = await app.get(params=wrong)
    message_invalid = await app.patch(
        f"/conversations/{conversation['id']}/messages/{text['id']}", {"submitted_values": [{"value": "b"}]}
    )

    assert (hash_wrong.status, hash_wrong.json) == (401, {"error": "HMAC failed: Invalid Identifier Hash Provided"})
    assert message_invalid.status == 422
    assert misfits(message_invalid.json, {"message": str, "attributes": [str]}) == []


async def test_any_path_takes_a_suffix_that_says_json(given: Given) -> None:
    app = await open_app(given)

    assert (await app.get("/conversations.json")).json == []
    assert fits(await app.get(".json"), PUBLIC_CONTACT) == app.session
