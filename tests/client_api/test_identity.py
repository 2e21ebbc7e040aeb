"""What the hash of the business proves, and what nobody gets without it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from apps import App, contacts_path, open_app, signed
from harness import Api, Given

from criachat.contacts.events import ContactCreated, ContactDeleted, ContactMerged
from criachat.conversations.events import ConversationContactChanged
from criachat.kit import clock
from criachat.messages.events import MessageUpdated

REFUSED = {"error": "HMAC failed: Invalid Identifier Hash Provided"}
LONG = "device-of-rosa-0001"


async def demanding(given: Given) -> Any:
    """An inbox in which everybody proves who they are."""
    return await given.inbox("Bank", channel={"hmac_mandatory": True})


async def test_whoever_proves_who_they_are_begins_with_a_verified_session(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    first = await given.session(inbox, **signed(inbox, "crm-77"), email="rosa@example.net")
    elsewhere = App(api, inbox, first)
    conversation = await elsewhere.conversation()

    phone = App(api, inbox, await given.session(inbox, **signed(inbox, "crm-77"), name="Somebody"))

    assert phone.session["id"] == first["id"]
    assert phone.session["source_id"] != first["source_id"]
    assert (phone.session["name"], phone.session["email"]) == ("Rosa Lind", "rosa@example.net")
    assert [each["id"] for each in (await phone.get("/conversations")).json] == [conversation["id"]]
    assert len(await given.emitted(ContactCreated)) == 1


@pytest.mark.parametrize(
    "claim",
    [
        {"identifier": "crm-77", "identifier_hash": "0" * 64},
        {"identifier": "crm-77", "identifier_hash": "ação"},
        {"identifier_hash": "0" * 64},
        {"identifier": "", "identifier_hash": "0" * 64},
    ],
)
async def test_a_wrong_hash_is_refused_wherever_it_is_looked_at(api: Api, given: Given, claim: dict[str, str]) -> None:
    app = await open_app(given, identifier="crm-77")

    replies = [
        await api.acting_as(None).post(contacts_path(app.inbox), {**claim, "source_id": "device-1"}),
        await app.get(params=claim),
        await app.patch("", {**claim, "name": "Somebody"}),
    ]

    assert [(reply.status, reply.json) for reply in replies] == [(401, REFUSED)] * 3
    assert (await api.acting_as(None).get(f"{contacts_path(app.inbox)}/device-1")).status == 404
    assert (await app.get()).json == app.session


async def test_a_hash_made_with_another_inboxs_key_or_for_another_user_is_refused(given: Given) -> None:
    app = await open_app(given)
    elsewhere = await given.inbox("Elsewhere")
    mine = signed(app.inbox, "crm-77")

    replies = [
        await app.get(params=signed(elsewhere, "crm-77")),
        await app.get(params={**mine, "identifier": "crm-78"}),
        await app.get(params={**mine, "identifier_hash": mine["identifier_hash"].upper()}),
    ]

    assert [reply.status for reply in replies] == [401] * 3


async def test_an_identifier_is_proved_to_the_letter(given: Given) -> None:
    inbox = await given.inbox()
    names = ("rosa", "Rosa", " rosa", "rosa ")

    sessions = [await given.session(inbox, **signed(inbox, name)) for name in names]

    assert len({session["id"] for session in sessions}) == 4


async def test_an_identifier_that_is_a_number_is_proved_by_its_digits(given: Given) -> None:
    inbox = await given.inbox()
    claim = signed(inbox, "77")

    session = await given.session(inbox, identifier=77, identifier_hash=claim["identifier_hash"])

    contact = (await given.api.get(f"/contacts/{session['id']}")).json["payload"]
    assert contact["identifier"] == "77"


async def test_a_blank_hash_claims_nothing(given: Given) -> None:
    app = await open_app(given, identifier="crm-77")

    reply = await app.get(params={"identifier": "crm-77", "identifier_hash": ""})

    assert (reply.status, reply.json) == (200, app.session)


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_session_is_verified_by_showing_or_changing_its_contact(given: Given, method: str) -> None:
    app = await open_app(given, identifier="crm-77")
    elsewhere = await given.conversation(contact={"id": app.session["id"]})
    assert (await app.get("/conversations")).json == []

    proved = await app.call(method, params=signed(app.inbox, "crm-77"))

    assert proved.status == 200
    assert [each["id"] for each in (await app.get("/conversations")).json] == [elsewhere["id"]]
    assert (await app.get(f"/conversations/{elsewhere['id']}")).status == 200


async def test_whoever_proves_to_be_somebody_else_gets_nothing_of_this_session(api: Api, given: Given) -> None:
    rosa = await open_app(given, identifier="crm-77", source_id=LONG)
    other = signed(rosa.inbox, "crm-78")

    replies = [
        await rosa.get(params=other),
        await rosa.patch("", {**other, "name": "Somebody"}),
        await api.acting_as(None).post(contacts_path(rosa.inbox), {**other, "source_id": LONG}),
    ]

    assert [(reply.status, reply.json) for reply in replies] == [(401, REFUSED)] * 3
    assert (await rosa.get()).json == rosa.session


async def test_a_contact_without_an_identifier_takes_the_one_that_was_proved(api: Api, given: Given) -> None:
    app = await open_app(given)

    await app.get(params=signed(app.inbox, "crm-77"))
    phone = await given.session(app.inbox, **signed(app.inbox, "crm-77"))

    assert phone["id"] == app.session["id"]
    contact = (await api.get(f"/contacts/{phone['id']}")).json["payload"]
    assert contact["identifier"] == "crm-77"


async def test_an_identifier_that_is_an_email_proves_it(given: Given) -> None:
    inbox = await given.inbox()
    known = await given.contact("Rosa", email="rosa@example.net")

    session = await given.session(inbox, **signed(inbox, "rosa@example.net"), email="rosa@example.net")

    assert (session["id"], session["name"]) == (known["id"], "Rosa")


async def test_an_email_of_somebody_who_is_known_by_another_identifier_is_not_proved(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await given.contact("Rosa", email="rosa@example.net", identifier="crm-1")
    claim = signed(inbox, "rosa@example.net")

    taken = await api.acting_as(None).post(contacts_path(inbox), {**claim, "email": "rosa@example.net"})
    other = await api.acting_as(None).post(
        contacts_path(inbox), {**signed(inbox, "crm-2"), "email": "rosa@example.net"}
    )

    refusal = {"message": "Email has already been taken", "attributes": ["email"]}
    assert [(reply.status, reply.json) for reply in (taken, other)] == [(422, refusal)] * 2


async def test_where_identities_are_demanded_every_door_is_shut_without_one(api: Api, given: Given) -> None:
    inbox = await demanding(given)
    contact = await given.contact("Rosa", identifier="crm-77")
    session = (await api.post(f"/contacts/{contact['id']}/contact_inboxes", {"inbox_id": inbox["id"]})).json
    app = App(api, inbox, session)
    conversation = await given.conversation(inbox=inbox, contact=contact, source_id=session["source_id"])
    message = await given.message(conversation)
    path = f"/conversations/{conversation['id']}"

    replies = [
        await api.acting_as(None).post(contacts_path(inbox), {"identifier": "crm-77"}),
        await app.get(),
        await app.patch("", {"name": "Somebody"}),
        await app.get("/conversations"),
        await app.post("/conversations"),
        await app.get(path),
        await app.post(f"{path}/toggle_status"),
        await app.post(f"{path}/toggle_typing", {"typing_status": "on"}),
        await app.post(f"{path}/update_last_seen"),
        await app.get(f"{path}/messages"),
        await app.post(f"{path}/messages", {"content": "Olá!"}),
        await app.patch(f"{path}/messages/{message['id']}", {"submitted_values": [{"value": "b"}]}),
    ]

    assert [(reply.status, reply.json) for reply in replies] == [(401, REFUSED)] * 12
    assert (await api.get(f"/conversations/{conversation['id']}")).json["status"] == "open"


async def test_where_identities_are_demanded_a_proof_opens_every_door(api: Api, given: Given) -> None:
    inbox = await demanding(given)
    claim = signed(inbox, "crm-77")
    app = App(api, inbox, await given.session(inbox, **claim))

    conversation = await app.conversation()
    await app.say(conversation)

    assert (await app.get(params=claim)).json == app.session
    assert (await app.get()).status == 401
    assert (await app.patch("", {**claim, "name": "Rosa L."})).json["name"] == "Rosa L."
    assert len((await app.get("/conversations")).json) == 1


async def test_where_identities_are_demanded_a_source_id_is_long_and_leads_nobody_else_in(
    api: Api, given: Given
) -> None:
    inbox = await demanding(given)
    rosa, other = signed(inbox, "crm-77"), signed(inbox, "crm-78")
    door = api.acting_as(None)

    short = await door.post(contacts_path(inbox), {**rosa, "source_id": "x" * 15})
    made = await door.post(contacts_path(inbox), {**rosa, "source_id": LONG})
    again = await door.post(contacts_path(inbox), {**rosa, "source_id": LONG})
    without = await door.post(contacts_path(inbox), {"source_id": LONG})
    stranger = await door.post(contacts_path(inbox), {**other, "source_id": LONG})

    refusal = {"message": "Source is too short (minimum is 16 characters)", "attributes": ["source_id"]}
    assert (short.status, short.json) == (422, refusal)
    assert made.status == 200
    assert again.json == made.json
    assert [(reply.status, reply.json) for reply in (without, stranger)] == [(401, REFUSED)] * 2


async def test_a_session_from_before_identities_were_demanded_is_let_in_once_it_proved_its_own(
    api: Api, given: Given
) -> None:
    app = await open_app(given)
    conversation = await app.conversation()
    await api.patch(f"/inboxes/{app.inbox['id']}", {"channel": {"hmac_mandatory": True}})
    clock.travel(timedelta(seconds=3))
    shut = await app.get("/conversations")

    await app.get(params=signed(app.inbox, "crm-77"))

    assert (shut.status, shut.json) == (401, REFUSED)
    assert [each["id"] for each in (await app.get("/conversations")).json] == [conversation["id"]]


async def test_32_devices_of_one_user_that_begin_at_once_are_one_contact(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    sent = {**signed(inbox, "rosa@example.net"), "email": "rosa@example.net"}

    replies = await asyncio.gather(*(api.acting_as(None).post(contacts_path(inbox), sent) for _ in range(32)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len({reply.json["source_id"] for reply in replies}) == 32
    assert (await api.get("/contacts/search?q=rosa@example.net")).json["meta"]["count"] == 1
    assert len(await given.emitted(ContactCreated)) == 1


@pytest.mark.parametrize("is_proved", [False, True])
async def test_32_tries_to_begin_one_session_begin_one(api: Api, given: Given, is_proved: bool) -> None:  # noqa: FBT001
    inbox = await given.inbox()
    sent = {"source_id": LONG, **(signed(inbox, "crm-77") if is_proved else {})}

    replies = await asyncio.gather(*(api.acting_as(None).post(contacts_path(inbox), sent) for _ in range(32)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert len(await given.emitted(ContactCreated)) == 1


async def test_a_session_whose_user_turns_out_to_be_known_becomes_theirs(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    phone = App(api, inbox, await given.session(inbox, **signed(inbox, "crm-77"), email="rosa@example.net"))
    anonymous = await open_app(given, inbox, name="Somebody", custom_attributes={"cart": 3})
    await api.post(f"/contacts/{anonymous.session['id']}/labels", {"labels": ["shopper"]})
    conversation = await anonymous.conversation()
    said = await anonymous.say(conversation)

    proved = await anonymous.get(params=signed(inbox, "crm-77"))

    rosa = phone.session["id"]
    assert proved.json == {**phone.session, **{key: anonymous.session[key] for key in ("source_id", "pubsub_token")}}
    for app in (phone, anonymous):
        (shown,) = (await app.get("/conversations")).json
        assert (shown["id"], shown["contact"]["id"]) == (conversation["id"], rosa)
        assert [(each["id"], each["sender"]["id"]) for each in shown["messages"]] == [(said["id"], rosa)]
    contact = (await api.get(f"/contacts/{rosa}")).json["payload"]
    assert (contact["name"], contact["custom_attributes"]) == ("Rosa Lind", {"cart": 3})
    assert (await api.get(f"/contacts/{rosa}/labels")).json["payload"] == ["shopper"]
    assert (await api.get(f"/contacts/{anonymous.session['id']}")).status == 404
    seen = (await api.get(f"/conversations/{conversation['id']}")).json
    assert seen["messages"][0]["sender"]["id"] == seen["last_non_activity_message"]["sender"]["id"] == rosa


async def test_a_merge_is_told_of(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    rosa = await given.session(inbox, **signed(inbox, "crm-77"))
    anonymous = await open_app(given, inbox)
    conversation = await anonymous.conversation()
    said = await anonymous.say(conversation)

    await anonymous.get(params=signed(inbox, "crm-77"))
    await api.delete(f"/conversations/{conversation['id']}/messages/{said['id']}")

    (merged,) = await given.emitted(ContactMerged)
    (deleted,) = await given.emitted(ContactDeleted)
    (moved,) = await given.emitted(ConversationContactChanged)
    assert (merged.contact_id, merged.merged_contact_id) == (rosa["id"], anonymous.session["id"])
    assert deleted.contact_id == anonymous.session["id"]
    assert moved.changes == {"contact_id": [anonymous.session["id"], rosa["id"]]}
    assert (moved.snapshot.id, moved.snapshot.contact.id) == (conversation["id"], rosa["id"])
    assert moved.snapshot.last_message.sender.id == rosa["id"]
    (deletion,) = await given.emitted(MessageUpdated)
    assert deletion.snapshot.message.sender_id == rosa["id"]


@pytest.mark.parametrize("value", ["rosa@example.net", "+4915112345678"])
async def test_an_email_or_phone_number_that_was_proved_is_taken_along_with_whoever_had_it(
    api: Api, given: Given, value: str
) -> None:
    field = "email" if "@" in value else "phone_number"
    app = await open_app(given)
    claim = signed(app.inbox, value)
    await app.get(params=claim)
    other = await given.contact("Rosa", **{field: value, "custom_attributes": {"plan": "gold"}})
    elsewhere = await given.conversation(contact=other)

    changed = await app.patch("", {**claim, field: value})

    assert changed.status == 200
    assert (changed.json[field], changed.json["custom_attributes"]) == (value, {"plan": "gold"})
    assert [each["id"] for each in (await app.get("/conversations")).json] == [elsewhere["id"]]
    assert (await api.get(f"/contacts/{other['id']}")).status == 404


async def test_nobody_is_merged_with_somebody_known_by_another_identifier(api: Api, given: Given) -> None:
    app = await open_app(given)
    other = await given.contact("Rosa", email="rosa@example.net", identifier="crm-1")
    claim = signed(app.inbox, "rosa@example.net")

    changed = await app.patch("", {**claim, "email": "rosa@example.net"})

    assert (changed.status, changed.json["attributes"]) == (422, ["email"])
    assert (await api.get(f"/contacts/{other['id']}")).status == 200
    assert await given.emitted(ContactMerged) == []


async def test_32_sessions_that_prove_one_identity_at_once_are_one_contact(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    apps = [await open_app(given, inbox) for _ in range(32)]
    numbers = {(await app.conversation())["id"] for app in apps}

    replies = await asyncio.gather(*(app.get(params=signed(inbox, "crm-77")) for app in apps))

    assert {reply.status for reply in replies} == {200}
    assert len({(await app.get()).json["id"] for app in apps}) == 1
    assert {each["id"] for each in (await apps[0].get("/conversations")).json} == numbers
    assert len(await given.emitted(ContactMerged)) == 31


async def test_a_session_that_proves_who_it_is_several_times_at_once_is_found_each_time(given: Given) -> None:
    inbox = await given.inbox()
    rosa = await given.session(inbox, **signed(inbox, "crm-77"))
    app = await open_app(given, inbox)
    claim = signed(inbox, "crm-77")

    shown = await asyncio.gather(*(app.get(params=claim) for _ in range(8)))
    changed = await asyncio.gather(*(app.patch("", {**claim, "name": "Rosa"}) for _ in range(8)))

    assert [(reply.status, reply.json["id"]) for reply in (*shown, *changed)] == [(200, rosa["id"])] * 16
    assert len(await given.emitted(ContactMerged)) == 1


async def test_what_is_said_while_contacts_are_merged_is_not_lost(given: Given) -> None:
    inbox = await given.inbox()
    await given.session(inbox, **signed(inbox, "crm-77"))
    app = await open_app(given, inbox)
    conversation = await app.conversation()
    path = f"/conversations/{conversation['id']}/messages"

    *said, proved = await asyncio.gather(
        *(app.post(path, {"content": f"{number}"}) for number in range(16)),
        app.get(params=signed(inbox, "crm-77")),
    )

    assert [reply.status for reply in (*said, proved)] == [200] * 17
    listed = (await app.get(path)).json
    assert sorted(int(each["content"]) for each in listed) == list(range(16))
    assert {each["sender"]["id"] for each in listed} == {proved.json["id"]}
