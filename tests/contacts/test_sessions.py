from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from harness import Api, Given

from criachat.contacts.events import ContactCreated

NOT_FOUND = {"error": "Resource could not be found"}
TAKEN = {"message": "Source has already been taken", "attributes": ["source_id"]}


async def test_a_contact_is_created_with_a_session_in_an_inbox(api: Api, given: Given) -> None:
    inbox = await given.inbox("Bridge", lock_to_single_conversation=True)

    named = await api.post("/contacts", {"name": "Rosa", "inbox_id": str(inbox["id"]), "source_id": "rosa-1"})
    unnamed = await api.post("/contacts", {"name": "Marta", "inbox_id": inbox["id"], "source_id": ""})

    made = named.json["payload"]["contact_inbox"]
    assert made["source_id"] == "rosa-1"
    assert (made["inbox"]["id"], made["inbox"]["name"]) == (inbox["id"], "Bridge")
    assert made["inbox"]["lock_to_single_conversation"] is True
    source_id = unnamed.json["payload"]["contact_inbox"]["source_id"]
    assert UUID(source_id).version == 4
    (session,) = unnamed.json["payload"]["contact"]["contact_inboxes"]
    assert (session["source_id"], session["inbox"]["id"]) == (source_id, inbox["id"])


@pytest.mark.parametrize("case", ["unknown inbox", "deleted inbox", "another account's inbox", "taken source"])
async def test_a_contact_whose_session_cannot_be_made_is_not_created_either(api: Api, given: Given, case: str) -> None:
    inbox = await given.inbox()
    others = await given.another_account()
    theirs = await others.inbox()
    await api.post("/contacts", {"inbox_id": inbox["id"], "source_id": "rosa-1"})
    inbox_id = {"unknown inbox": 2**62, "another account's inbox": theirs["id"]}.get(case, inbox["id"])
    if case == "deleted inbox":
        await api.delete(f"/inboxes/{inbox['id']}")

    body = {"email": "rosa@example.net", "inbox_id": inbox_id, "source_id": "rosa-1"}
    reply = await api.post("/contacts", body)

    expected = (422, TAKEN) if case == "taken source" else (404, NOT_FOUND)
    assert (reply.status, reply.json) == expected
    assert (await api.get("/contacts/search?q=rosa@example.net")).json["payload"] == []
    assert len(await given.emitted(ContactCreated)) == 1


async def test_an_agent_creates_contacts_in_inboxes_they_are_not_in_but_no_sessions(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    agent = api.acting_as(await given.agent("Ana"))
    member = api.acting_as(await given.agent("Bruno", inbox=inbox))

    created = await agent.post("/contacts", {"name": "Rosa", "inbox_id": inbox["id"]})
    path = f"/contacts/{created.json['payload']['contact']['id']}/contact_inboxes"
    refused = await agent.post(path, {"inbox_id": inbox["id"]})
    allowed = await member.post(path, {"inbox_id": inbox["id"]})

    assert (created.status, allowed.status) == (200, 200)
    assert (refused.status, refused.json) == (401, {"error": "You are not authorized to do this action"})


async def test_a_session_is_made_once_for_each_source_id(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    contact = await given.contact()
    path = f"/contacts/{contact['id']}/contact_inboxes"

    first = await api.post(path, {"inbox_id": inbox["id"], "source_id": "rosa-1"})
    again = await api.post(path, {"inbox_id": inbox["id"], "source_id": "rosa-1", "hmac_verified": True})
    fresh = await api.post(path, {"inbox_id": inbox["id"]})

    slim = {
        "id": inbox["id"],
        "avatar_url": "",
        "channel_id": inbox["channel_id"],
        "name": "App",
        "channel_type": "Channel::Api",
        "provider": None,
    }
    assert first.status == again.status == 200
    assert first.json == again.json == {"source_id": "rosa-1", "inbox": slim}
    assert UUID(fresh.json["source_id"]).version == 4
    shown = (await api.get(f"/contacts/{contact['id']}")).json["payload"]
    assert shown["contact_inboxes"] == [first.json, fresh.json]


async def test_a_session_says_whether_its_contact_proved_who_they_are(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    contact = await given.contact()
    body = {"inbox_id": inbox["id"], "source_id": "rosa-1", "hmac_verified": "true"}
    await api.post(f"/contacts/{contact['id']}/contact_inboxes", body)

    conversation = await given.conversation(inbox=inbox, contact=contact, source_id="rosa-1")

    assert conversation["meta"]["hmac_verified"] is True


async def test_one_source_id_is_one_contact_in_each_inbox(api: Api, given: Given) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Shop")
    rosa, marta = await given.contact("Rosa"), await given.contact("Marta")
    await api.post(f"/contacts/{rosa['id']}/contact_inboxes", {"inbox_id": app["id"], "source_id": "one"})

    taken = await api.post(f"/contacts/{marta['id']}/contact_inboxes", {"inbox_id": app["id"], "source_id": "one"})
    free = await api.post(f"/contacts/{marta['id']}/contact_inboxes", {"inbox_id": shop["id"], "source_id": "one"})

    assert (taken.status, taken.json) == (422, TAKEN)
    assert free.status == 200
    assert (await api.get(f"/contacts/{marta['id']}")).json["payload"]["contact_inboxes"] == [free.json]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"inbox_id": None}, 422),
        ({"inbox_id": ""}, 422),
        ({"inbox_id": "first"}, 422),
        ({"inbox_id": 2**63}, 422),
        ({"inbox_id": 2**62}, 404),
        ({"inbox_id": -1}, 404),
        ({"source_id": "x" * 256}, 422),
        ({"source_id": "x" * 200_000}, 422),
        ({"source_id": {"a": 1}}, 422),
        ({"source_id": "r", "hmac_verified": "perhaps"}, 422),
    ],
)
async def test_a_session_that_cannot_be_is_refused(api: Api, given: Given, body: dict[str, Any], status: int) -> None:
    inbox = await given.inbox()
    contact = await given.contact()
    wanted = body if not body or "inbox_id" in body else {"inbox_id": inbox["id"], **body}

    reply = await api.post(f"/contacts/{contact['id']}/contact_inboxes", wanted)

    assert reply.status == status
    assert (await api.get(f"/contacts/{contact['id']}")).json["payload"] == contact


async def test_a_session_in_an_inbox_of_another_account_cannot_be_made(api: Api, given: Given) -> None:
    theirs = await (await given.another_account()).inbox()
    contact = await given.contact()

    made = await api.post(f"/contacts/{contact['id']}/contact_inboxes", {"inbox_id": theirs["id"]})
    asked = await api.post("/contact_inboxes/filter", {"inbox_id": theirs["id"], "source_id": "x"})

    assert (made.status, made.json) == (asked.status, asked.json) == (404, NOT_FOUND)


async def test_the_inboxes_a_contact_can_be_written_to_in_come_with_a_source_id(api: Api, given: Given) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Shop")
    contact = await given.contact()
    for source_id in ("older", "newer"):
        body = {"inbox_id": app["id"], "source_id": source_id}
        await api.post(f"/contacts/{contact['id']}/contact_inboxes", body)
    path = f"/contacts/{contact['id']}/contactable_inboxes"

    reply = await api.get(path)
    again = await api.get(path)

    offered = {each["inbox"]["id"]: each["source_id"] for each in reply.json["payload"]}
    assert reply.status == 200
    assert offered.keys() == {app["id"], shop["id"]}
    assert offered[app["id"]] == "newer"
    assert UUID(offered[shop["id"]]).version == 4
    assert again.json != reply.json
    shown = (await api.get(f"/contacts/{contact['id']}")).json["payload"]
    assert [each["source_id"] for each in shown["contact_inboxes"]] == ["older", "newer"]


async def test_agents_are_offered_the_inboxes_they_are_in(api: Api, given: Given) -> None:
    app, _ = await given.inbox("App"), await given.inbox("Shop")
    contact = await given.contact()
    agent = api.acting_as(await given.agent("Ana", inbox=app))
    await agent.get(f"/contacts/{contact['id']}")

    with given.queries(at_most=4):
        reply = await agent.get(f"/contacts/{contact['id']}/contactable_inboxes")

    assert [each["inbox"]["name"] for each in reply.json["payload"]] == ["App"]


async def test_a_contact_is_found_by_what_an_inbox_knows_them_by(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    created = await api.post("/contacts", {"name": "Rosa", "inbox_id": inbox["id"], "source_id": "rosa-1"})
    agent = api.acting_as(await given.agent("Ana"))

    found = await api.post("/contact_inboxes/filter", {"inbox_id": inbox["id"], "source_id": "rosa-1"})
    nobody = await api.post("/contact_inboxes/filter", {"inbox_id": inbox["id"], "source_id": "ROSA-1"})
    unknown = await api.post("/contact_inboxes/filter", {"inbox_id": 2**62, "source_id": "rosa-1"})
    unseen = await agent.post("/contact_inboxes/filter", {"inbox_id": inbox["id"], "source_id": "rosa-1"})
    unsaid = await api.post("/contact_inboxes/filter", {"inbox_id": inbox["id"]})

    assert (found.status, found.json) == (200, created.json["payload"]["contact"])
    assert (nobody.status, nobody.body) == (404, b"")
    assert (unknown.status, unknown.json) == (404, NOT_FOUND)
    assert (unseen.status, unseen.json) == (401, {"error": "You are not authorized to do this action"})
    assert (unsaid.status, unsaid.json) == (422, {"error": "param is missing or the value is empty: source_id"})


SET_CHANNEL = "UPDATE inboxes SET channel_type = $3 WHERE account_id = $1 AND id = $2"


async def inbox_of(given: Given, channel_type: str) -> Any:
    """An inbox that writes to addresses: to contacts, only what kind it is makes a difference."""
    inbox = await given.inbox()
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(SET_CHANNEL, given.account_id, inbox["id"], channel_type)
    return inbox


async def test_an_address_belongs_to_whom_it_was_last_said_of(api: Api, given: Given) -> None:
    inbox = await inbox_of(given, "Channel::Sms")
    rosa, marta = await given.contact("Rosa"), await given.contact("Marta")
    body = {"inbox_id": inbox["id"], "source_id": "+351912000111"}
    await api.post(f"/contacts/{rosa['id']}/contact_inboxes", body)

    replies = await asyncio.gather(*[api.post(f"/contacts/{marta['id']}/contact_inboxes", body) for _ in range(8)])

    assert {reply.status for reply in replies} == {200}
    (retired,) = (await api.get(f"/contacts/{rosa['id']}")).json["payload"]["contact_inboxes"]
    (won,) = (await api.get(f"/contacts/{marta['id']}")).json["payload"]["contact_inboxes"]
    assert won["source_id"] == "+351912000111"
    assert retired["source_id"].startswith("+351912000111-")


async def test_a_source_id_an_inbox_could_not_write_to_is_refused(api: Api, given: Given) -> None:
    inbox = await inbox_of(given, "Channel::Whatsapp")
    contact = await given.contact()
    path = f"/contacts/{contact['id']}/contact_inboxes"

    wrong = await api.post(path, {"inbox_id": inbox["id"], "source_id": "+351912000111"})
    missing = await api.post(path, {"inbox_id": inbox["id"]})

    message = "Source must be one that this inbox can write to, such as 351912000111"
    refusal = {"message": message, "attributes": ["source_id"]}
    assert (wrong.status, wrong.json) == (422, refusal)
    error = "param is missing or the value is empty: contact phone number"
    assert (missing.status, missing.json) == (422, {"error": error})


@pytest.mark.parametrize(
    ("medium", "written", "unwritten"),
    [
        ("sms", "+351912000111", "whatsapp:+351912000111"),
        ("whatsapp", "whatsapp:+351912000111", "+351912000111"),
    ],
)
async def test_twilio_writes_to_one_kind_of_address_in_each_inbox(
    api: Api, given: Given, medium: str, written: str, unwritten: str
) -> None:
    sender = {"account_sid": "AC1", "auth_token": "secret", "medium": medium}
    body = {"name": "Loja", **sender, "messaging_service_sid": f"MG{given.account_id}"}
    inbox = (await api.post("/channels/twilio_channel", {"twilio_channel": body})).json
    path = f"/contacts/{(await given.contact(phone_number='+351912000111'))['id']}/contact_inboxes"

    refused = await api.post(path, {"inbox_id": inbox["id"], "source_id": unwritten})
    made = await api.post(path, {"inbox_id": inbox["id"]})

    message = f"Source must be one that this inbox can write to, such as {written}"
    assert (refused.status, refused.json) == (422, {"message": message, "attributes": ["source_id"]})
    assert made.json["source_id"] == written


async def test_a_channel_that_cannot_write_first_needs_a_source_id(api: Api, given: Given) -> None:
    inbox = await inbox_of(given, "Channel::Telegram")

    refused = await api.post("/contacts", {"email": "rosa@example.net", "inbox_id": inbox["id"]})
    made = await api.post("/contacts", {"email": "rosa@example.net", "inbox_id": inbox["id"], "source_id": "77"})

    assert refused.status == 422
    assert made.json["payload"]["contact_inbox"]["source_id"] == "77"


async def test_a_visitor_of_a_website_is_offered_where_nothing_was_said_yet(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    contact = await given.contact()
    path = f"/contacts/{contact['id']}"
    for source_id in ("first", "second"):
        await api.post(f"{path}/contact_inboxes", {"inbox_id": inbox["id"], "source_id": source_id})
    await api.post("/conversations", {"source_id": "second", "inbox_id": inbox["id"], "contact_id": contact["id"]})
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(SET_CHANNEL, given.account_id, inbox["id"], "Channel::WebWidget")

    with given.queries(at_most=4):
        offered = await api.get(f"{path}/contactable_inboxes")

    assert [each["source_id"] for each in offered.json["payload"]] == ["first"]
