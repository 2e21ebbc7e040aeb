from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from harness import Api, Given, Reply

from criachat.conversations.events import (
    AssigneeChanged,
    ConversationCreated,
    ConversationStatusChanged,
    TeamChanged,
)
from criachat.kit import clock
from criachat.kit.times import unix
from criachat.messages.events import MessageCreated

UNKNOWN = {"error": "Resource could not be found"}
DENIED = {"error": "You are not authorized to do this action"}
TOMORROW = "2031-05-06T07:08:09.120Z"


async def opened(api: Api, inbox: Any, contact: Any, **fields: Any) -> Any:
    reply = await api.post("/conversations", {"inbox_id": inbox["id"], "contact_id": contact["id"], **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def total(api: Api) -> int:
    return (await api.get("/conversations/meta?status=all")).json["meta"]["all_count"]


async def source_id_of(api: Api, conversation: Any) -> str:
    """The session a conversation is in, as a message of it says."""
    await api.post(f"/conversations/{conversation['id']}/messages", {"content": "nota", "private": True})
    (message,) = (await api.get(f"/conversations/{conversation['id']}")).json["messages"]
    return message["conversation"]["contact_inbox"]["source_id"]


async def refused(api: Api, given: Given, **fields: Any) -> Reply:
    """The refusal of a conversation like this; nothing of it is there afterwards."""
    inbox, contact = await given.inbox(), await given.contact()
    body = {"inbox_id": inbox["id"], "contact_id": contact["id"], **fields}

    reply = await api.post("/conversations", body)

    assert await total(api) == 0
    assert await given.emitted(ConversationCreated) == []
    return reply


async def test_a_new_conversation_is_shown_whole(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact("Noa Pires", phone_number="+351910000000")
    before = unix(clock.now())

    reply = await api.post(
        "/conversations",
        {"inbox_id": str(inbox["id"]), "contact_id": str(contact["id"]), "custom_attributes": {"order": "A-99"}},
    )

    created_at = reply.json["created_at"]
    assert reply.status == 200
    assert before <= created_at <= unix(clock.now())
    assert str(UUID(reply.json["uuid"])) == reply.json["uuid"]
    assert reply.json == {
        "meta": {
            "sender": {
                "additional_attributes": {},
                "availability_status": "offline",
                "email": contact["email"],
                "id": contact["id"],
                "name": "Noa Pires",
                "phone_number": "+351910000000",
                "blocked": False,
                "identifier": None,
                "thumbnail": "",
                "custom_attributes": {},
                "created_at": contact["created_at"],
            },
            "channel": "Channel::Api",
            "hmac_verified": False,
        },
        "id": 1,
        "messages": [],
        "account_id": given.account_id,
        "uuid": reply.json["uuid"],
        "additional_attributes": {},
        "agent_last_seen_at": 0,
        "assignee_last_seen_at": 0,
        "can_reply": True,
        "contact_last_seen_at": 0,
        "custom_attributes": {"order": "A-99"},
        "inbox_id": inbox["id"],
        "labels": [],
        "muted": False,
        "snoozed_until": None,
        "status": "open",
        "created_at": created_at,
        "updated_at": reply.json["updated_at"],
        "timestamp": created_at,
        "first_reply_created_at": 0,
        "unread_count": 0,
        "last_non_activity_message": None,
        "last_activity_at": created_at,
        "priority": None,
        "waiting_since": created_at,
        "sla_policy_id": None,
    }
    assert int(reply.json["updated_at"]) == created_at
    assert (await api.get("/conversations/1")).json == reply.json


async def test_numbers_are_counted_for_each_account(api: Api, given: Given) -> None:
    others = await given.another_account()

    ours = [(await given.conversation())["id"] for _ in range(2)]

    assert ours == [1, 2]
    assert (await others.conversation())["id"] == 1


async def test_opening_tells_it_with_its_snapshot(api: Api, given: Given) -> None:
    ana, team = await given.agent("Ana"), await given.team()

    conversation = await given.conversation(assignee_id=ana.id, team_id=team["id"])

    (created,) = await given.emitted(ConversationCreated)
    (assignee,) = await given.emitted(AssigneeChanged)
    (of_team,) = await given.emitted(TeamChanged)
    assert created.id < assignee.id < of_team.id
    assert (assignee.previous, assignee.current) == (None, ana.id)
    assert (of_team.previous, of_team.current) == (None, team["id"])
    assert (created.changes, created.performer.name) == (None, "Beatriz")
    for event in (created, assignee, of_team):
        snapshot = event.snapshot
        assert (snapshot.id, snapshot.status) == (conversation["id"], "open")
        assert (snapshot.assignee.name, snapshot.team.name) == ("Ana", "vendas")
        assert snapshot.last_message is None
    assert conversation["meta"]["assignee"]["id"] == ana.id
    assert conversation["meta"]["team"]["id"] == team["id"]


async def test_a_first_message_comes_with_it(api: Api, given: Given) -> None:
    conversation = await given.conversation(message={"content": "Olá, sobre o pedido A-99"})

    (message,) = conversation["messages"]
    assert (message["content"], message["message_type"]) == ("Olá, sobre o pedido A-99", 1)
    assert conversation["last_non_activity_message"] == message
    assert conversation["first_reply_created_at"] == message["created_at"]
    assert conversation["waiting_since"] == 0
    (created,) = await given.emitted(ConversationCreated)
    (said,) = await given.emitted(MessageCreated)
    assert created.id < said.id
    assert created.snapshot.last_message is None


async def test_a_first_message_of_the_contact_waits_for_an_answer(api: Api, given: Given) -> None:
    conversation = await given.conversation(message={"content": "Oi", "message_type": "incoming"})

    assert (conversation["unread_count"], conversation["first_reply_created_at"]) == (1, 0)
    assert conversation["waiting_since"] == conversation["created_at"]
    assert conversation["messages"][0]["sender"]["type"] == "contact"


@pytest.mark.parametrize("message", [None, "", {}, "  ", {"colour": "red"}])
async def test_a_blank_message_is_none(api: Api, given: Given, message: Any) -> None:
    assert (await given.conversation(message=message))["messages"] == []


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ({"content": ""}, {"message": "Content can't be blank", "attributes": ["content"]}),
        (
            {"content": "x" * 150_001},
            {"message": "Content is too long (maximum is 150000 characters)", "attributes": ["content"]},
        ),
        ({"content": "Oi", "message_type": "loud"}, None),
        ({"content": "Oi", "content_type": "loud"}, None),
        ("Oi", None),
        ([1], None),
        (5, None),
    ],
    ids=str,
)
async def test_a_message_that_is_refused_takes_its_conversation_with_it(
    api: Api, given: Given, message: Any, refusal: Any
) -> None:
    reply = await refused(api, given, message=message)

    assert reply.status == 422
    assert reply.json == refusal if refusal else list(reply.json) == ["error"]
    assert await given.emitted(MessageCreated) == []


@pytest.mark.parametrize("status", ["open", "pending", "resolved", "snoozed"])
async def test_a_conversation_begins_as_it_is_asked_to(api: Api, given: Given, status: str) -> None:
    conversation = await given.conversation(status=status, snoozed_until=TOMORROW)

    assert conversation["status"] == status
    assert conversation["snoozed_until"] == (TOMORROW if status == "snoozed" else None)
    assert await given.emitted(ConversationStatusChanged) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2031-05-06T07:08:09Z", "2031-05-06T07:08:09.000Z"),
        ("2031-05-06T04:08:09-03:00", "2031-05-06T07:08:09.000Z"),
        ("2031-05-06T07:08:09", "2031-05-06T07:08:09.000Z"),
        ("", None),
        (None, None),
    ],
)
async def test_the_end_of_a_snooze_is_read_in_iso(api: Api, given: Given, sent: str | None, kept: str | None) -> None:
    conversation = await given.conversation(status="snoozed", snoozed_until=sent)

    assert (conversation["status"], conversation["snoozed_until"]) == ("snoozed", kept)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "closed"},
        {"status": "x" * 200_000},
        {"status": ["open"]},
        {"status": "snoozed", "snoozed_until": "tomorrow"},
        {"status": "snoozed", "snoozed_until": "2031-13-40T00:00:00Z"},
        {"status": "snoozed", "snoozed_until": "9999-12-31T23:59:59-12:00"},
        {"status": "snoozed", "snoozed_until": "0001-01-01T00:00:00+14:00"},
        {"status": "snoozed", "snoozed_until": "0001-01-01T00:00:00Z"},
        {"status": "snoozed", "snoozed_until": "9999-12-31T23:59:59.999999Z"},
        {"status": "snoozed", "snoozed_until": 2**70},
        {"custom_attributes": "x"},
        {"custom_attributes": ["x"]},
        {"additional_attributes": 5},
        {"assignee_id": "Ana"},
        {"assignee_id": 2**70},
        {"team_id": {"id": 1}},
        {"inbox_id": 2**70},
        {"contact_id": "9" * 5000},
    ],
    ids=str,
)
async def test_what_no_conversation_can_be_is_refused(api: Api, given: Given, fields: dict[str, Any]) -> None:
    reply = await refused(api, given, **fields)

    assert reply.status == 422
    assert list(reply.json) == ["error"]


@pytest.mark.parametrize("field", ["custom_attributes", "additional_attributes"])
async def test_attributes_too_large_are_refused_by_name(api: Api, given: Given, field: str) -> None:
    reply = await refused(api, given, **{field: {"note": "x" * 1501}})

    assert (reply.status, reply.json) == (422, {"message": "note length should be < 1500", "attributes": [field]})


async def test_a_referer_that_is_no_address_is_nulled(api: Api, given: Given) -> None:
    kept = {"mail_subject": "Pedido", "referer": "https://loja.example/p/1"}
    conversations = [
        await given.conversation(additional_attributes={**kept, "referer": referer})
        for referer in ("https://loja.example/p/1", "javascript:alert(1)", "http://[", 5, None)
    ]

    referers = [each["additional_attributes"]["referer"] for each in conversations]
    assert referers == ["https://loja.example/p/1", None, None, None, None]
    assert conversations[0]["additional_attributes"] == kept


@pytest.mark.parametrize("field", ["inbox_id", "contact_id", "assignee_id", "team_id"])
async def test_what_belongs_to_another_account_is_not_found(api: Api, given: Given, field: str) -> None:
    others = await given.another_account()
    make: dict[str, Callable[[], Awaitable[Any]]] = {
        "inbox_id": others.inbox,
        "contact_id": others.contact,
        "team_id": others.team,
    }
    theirs = (await make[field]())["id"] if field in make else (await others.agent("Eva")).id

    for unknown in (theirs, 10**9):
        reply = await refused(api, given, **{field: unknown})
        assert (reply.status, reply.json) == (404, UNKNOWN)


async def test_a_message_of_nobody_assigns_nobody(api: Api, given: Given) -> None:
    conversation = await given.conversation(assignee_id=0, team_id=0)

    assert not {"assignee", "team"} & set(conversation["meta"])


async def test_priority_and_labels_are_not_taken(api: Api, given: Given) -> None:
    conversation = await given.conversation(priority="high", labels=["vip"])

    assert (conversation["priority"], conversation["labels"]) == (None, [])


async def test_a_session_is_new_each_time_until_it_is_named(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    first, second = await opened(api, inbox, contact), await opened(api, inbox, contact)
    named = [await opened(api, inbox, contact, source_id="wa-5511", hmac_verified=True) for _ in range(2)]

    sessions = [await source_id_of(api, each) for each in (first, second, *named)]

    assert len({*sessions}) == 3
    assert sessions[2:] == ["wa-5511"] * 2
    assert [each["meta"]["hmac_verified"] for each in (first, *named)] == [False, True, True]
    assert len({each["id"] for each in (first, second, *named)}) == 4


async def test_a_session_of_another_contact_is_refused(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await opened(api, inbox, await given.contact(), source_id="wa-5511")

    reply = await api.post(
        "/conversations", {"inbox_id": inbox["id"], "contact_id": (await given.contact())["id"], "source_id": "wa-5511"}
    )

    assert reply.status == 422
    assert await total(api) == 1


async def test_a_source_id_alone_names_the_session(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    await opened(api, inbox, contact, source_id="wa-5511")

    reply = await api.post("/conversations", {"source_id": "wa-5511"})

    assert reply.status == 200
    assert (reply.json["inbox_id"], reply.json["meta"]["sender"]["id"]) == (inbox["id"], contact["id"])


async def test_a_source_id_is_looked_for_in_the_account_alone(api: Api, given: Given) -> None:
    others = await given.another_account()
    await others.conversation(source_id="wa-5511")

    reply = await api.post("/conversations", {"source_id": "wa-5511"})

    assert (reply.status, reply.json) == (404, UNKNOWN)


@pytest.mark.parametrize("field", ["inbox_id", "contact_id"])
async def test_an_inbox_or_a_contact_alone_is_not_enough(api: Api, given: Given, field: str) -> None:
    named = {"inbox_id": (await given.inbox())["id"], "contact_id": (await given.contact())["id"]}

    for body in ({field: named[field]}, {**named, field: None}, {**named, field: ""}, {}):
        reply = await api.post("/conversations", body)
        assert reply.status == 422
        assert list(reply.json) == ["error"]
    assert await total(api) == 0


async def test_a_source_id_too_long_is_refused(api: Api, given: Given) -> None:
    reply = await refused(api, given, source_id="x" * 256)
    alone = await api.post("/conversations", {"source_id": "x" * 200_000})

    refusal = {"message": "Source id is too long (maximum is 255 characters)", "attributes": ["source_id"]}
    assert (reply.status, reply.json) == (alone.status, alone.json) == (422, refusal)


async def test_a_conversation_of_a_blocked_contact_is_resolved_from_the_start(api: Api, given: Given) -> None:
    contact = await given.contact()
    await api.patch(f"/contacts/{contact['id']}", {"blocked": True})

    conversation = await given.conversation(contact=contact, status="open")
    await given.message(conversation, "Oi", message_type="incoming")

    assert (conversation["status"], conversation["muted"]) == ("resolved", True)
    assert (await api.get(f"/conversations/{conversation['id']}")).json["status"] == "resolved"


async def test_an_inbox_with_one_conversation_a_session_answers_the_newest(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(lock_to_single_conversation=True), await given.contact()
    first = await opened(api, inbox, contact, source_id="wa-5511", status="resolved")
    body = {"status": "pending", "assignee_id": 10**9, "custom_attributes": {"a": "x" * 2000}}

    again = await opened(api, inbox, contact, source_id="wa-5511", **body)
    with_message = await opened(api, inbox, contact, source_id="wa-5511", message={"content": "Oi"})
    other_session = await opened(api, inbox, contact)

    assert again == first
    assert with_message == {
        **first,
        **{key: with_message[key] for key in ("messages", "last_non_activity_message", "updated_at", "waiting_since")},
        **{key: with_message[key] for key in ("timestamp", "last_activity_at", "first_reply_created_at")},
    }
    assert with_message["messages"][0]["content"] == "Oi"
    assert other_session["id"] != first["id"]
    assert len(await given.emitted(ConversationCreated)) == 2


async def test_thirty_two_who_open_at_once_in_such_an_inbox_get_one_conversation(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(lock_to_single_conversation=True), await given.contact()

    conversations = await asyncio.gather(
        *(
            opened(api, inbox, contact, source_id="wa-5511", message={"content": f"Oi {number}", "private": True})
            for number in range(32)
        )
    )

    assert len({each["uuid"] for each in conversations}) == 1
    assert await total(api) == 1
    assert len(await given.emitted(ConversationCreated)) == 1
    messages = (await api.get(f"/conversations/{conversations[0]['id']}/messages?after=0")).json["payload"]
    assert {each["content"] for each in messages} == {f"Oi {number}" for number in range(32)}


async def test_thirty_two_who_open_at_once_elsewhere_get_a_number_each(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()

    conversations = await asyncio.gather(*(opened(api, inbox, contact, source_id="wa-5511") for _ in range(32)))

    assert sorted(each["id"] for each in conversations) == list(range(1, 33))
    assert await total(api) == 32


async def test_the_same_request_with_one_key_opens_one_conversation(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    body = {"inbox_id": inbox["id"], "contact_id": contact["id"], "message": {"content": "Oi"}}

    replies = await asyncio.gather(
        *(api.post("/conversations", body, headers={"Idempotency-Key": "pedido-99"}) for _ in range(16))
    )

    answered = [reply for reply in replies if reply.status != 409]
    assert answered
    assert {reply.body for reply in answered} == {answered[0].body}
    assert await total(api) == 1
    assert len(await given.emitted(MessageCreated)) == 1


async def test_members_of_the_inbox_and_bots_open_and_others_do_not(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi")
    await given.team("vendas", davi)
    body = {"inbox_id": inbox["id"], "contact_id": contact["id"], "source_id": "wa-5511"}

    by_ana = await api.acting_as(ana).post("/conversations", body)
    by_bot = await api.acting_as(await given.bot()).post("/conversations", body)
    by_davi = [await api.acting_as(davi).post("/conversations", each) for each in (body, {"source_id": "wa-5511"})]

    assert (by_ana.status, by_bot.status) == (200, 200)
    assert [(reply.status, reply.json) for reply in by_davi] == [(401, DENIED)] * 2
    assert (await api.acting_as(None).post("/conversations", body)).status == 401
    assert (
        await (await given.another_account()).api.in_account(given.account_id).post("/conversations", body)
    ).status == 401
    created = await given.emitted(ConversationCreated)
    assert [event.performer.name for event in created] == ["Ana", "Robô"]


async def test_a_form_opens_a_conversation_too(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    form = {
        "inbox_id": str(inbox["id"]),
        "contact_id": str(contact["id"]),
        "custom_attributes[order]": "A-99",
        "message[content]": "Oi",
        "message[private]": "true",
    }

    reply = await api.call("POST", "/conversations", data=form)

    assert reply.status == 200
    assert reply.json["custom_attributes"] == {"order": "A-99"}
    assert (reply.json["messages"][0]["content"], reply.json["messages"][0]["private"]) == ("Oi", True)


async def test_a_window_for_answers_opens_with_the_contacts_message_and_closes(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel={"additional_attributes": {"agent_reply_time_window": "24"}})
    conversation = await given.conversation(inbox=inbox)
    path = f"/conversations/{conversation['id']}"
    await given.message(conversation, "Oi", message_type="incoming")
    after_message = (await api.get(path)).json["can_reply"]
    clock.travel(timedelta(hours=24, minutes=1))

    assert (conversation["can_reply"], after_message, (await api.get(path)).json["can_reply"]) == (False, True, False)


async def test_a_first_message_brings_its_files(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    form = {"inbox_id": str(inbox["id"]), "contact_id": str(contact["id"]), "message[content]": "Segue o recibo"}
    files = {"message[attachments][]": ("recibo.txt", b"pago", "text/plain")}

    reply = await api.call("POST", "/conversations", data=form, files=files)

    assert reply.status == 200, reply.body
    (message,) = reply.json["messages"]
    assert message["content"] == "Segue o recibo"
    assert [(each["file_type"], each["file_size"]) for each in message["attachments"]] == [("file", 4)]


async def test_a_file_that_is_no_messages_is_passed_over(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    form = {"inbox_id": str(inbox["id"]), "contact_id": str(contact["id"]), "custom_attributes[order]": "A-99"}
    files = {"custom_attributes[attachments]": ("recibo.txt", b"pago", "text/plain")}

    reply = await api.call("POST", "/conversations", data=form, files=files)

    assert reply.status == 200, reply.body
    assert reply.json["custom_attributes"] == {"order": "A-99"}
