from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from apps import contacts_path, open_app
from harness import Api, Given

from criachat.contacts.events import ContactCreated, ContactUpdated

NO_SUCH_PAGE = {"status": 404, "error": "Not Found"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{24}")
# The inbox of a program of the business, which is the only one that begins sessions in it.
BRIDGE = {"additional_attributes": {"reuse_contacts": True}}


async def test_a_session_begins_with_a_new_contact(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    sent = {
        "name": "Rosa Lind",
        "email": "Rosa@Example.net",
        "phone_number": "+4915112345678",
        "identifier": "crm-77",
        "custom_attributes": {"plan": "gold"},
        "unknown": "ignored",
    }

    reply = await api.acting_as(None).post(contacts_path(inbox), sent)

    assert reply.status == 200
    assert UUID.fullmatch(reply.json["source_id"])
    assert BASE58.fullmatch(reply.json["pubsub_token"])
    assert reply.json == {
        "source_id": reply.json["source_id"],
        "pubsub_token": reply.json["pubsub_token"],
        "id": reply.json["id"],
        "name": "Rosa Lind",
        "email": "rosa@example.net",
        "phone_number": "+4915112345678",
    }
    contact = (await api.get(f"/contacts/{reply.json['id']}")).json["payload"]
    assert contact["identifier"] == "crm-77"
    assert contact["custom_attributes"] == {"plan": "gold"}
    assert [each["source_id"] for each in contact["contact_inboxes"]] == [reply.json["source_id"]]
    (event,) = await given.emitted(ContactCreated)
    assert (event.contact_id, event.actor_type, event.actor_id) == (reply.json["id"], "contact", None)


@pytest.mark.parametrize("body", [None, {}, {"name": "  ", "email": "", "phone_number": None, "source_id": " "}])
async def test_whoever_says_nothing_of_themselves_gets_a_name(api: Api, given: Given, body: Any) -> None:
    inbox = await given.inbox()

    reply = await api.acting_as(None).post(contacts_path(inbox), body)

    assert reply.status == 200
    assert re.fullmatch(r"[a-z]+-[a-z]+-[0-9]{1,3}", reply.json["name"])
    assert UUID.fullmatch(reply.json["source_id"])
    assert (reply.json["email"], reply.json["phone_number"]) == (None, None)


async def test_forms_and_query_strings_are_understood_as_well(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    form = {"name": "Rosa Lind", "custom_attributes[plan]": "gold"}

    created = await api.acting_as(None).post(contacts_path(inbox) + "?identifier=77", data=form)

    assert created.status == 200
    contact = (await api.get(f"/contacts/{created.json['id']}")).json["payload"]
    assert (contact["name"], contact["identifier"], contact["custom_attributes"]) == (
        "Rosa Lind",
        "77",
        {"plan": "gold"},
    )


async def test_a_session_is_resumed_by_its_source_id_and_nothing_of_it_changes(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    first = await api.acting_as(None).post(contacts_path(inbox), {"source_id": "device-1", "name": "Rosa Lind"})

    again = await api.acting_as(None).post(
        contacts_path(inbox), {"source_id": "device-1", "name": "Somebody", "email": "some@example.net"}
    )

    assert first.json["source_id"] == "device-1"
    assert (again.status, again.json) == (200, first.json)
    assert len(await given.emitted(ContactCreated)) == 1
    assert await given.emitted(ContactUpdated) == []


async def test_one_source_id_is_another_session_in_another_inbox(api: Api, given: Given) -> None:
    here, there = await given.inbox("Here"), await given.inbox("There")

    mine = await given.session(here, source_id="device-1")
    yours = await given.session(there, source_id="device-1")

    assert mine["id"] != yours["id"]
    assert mine["pubsub_token"] != yours["pubsub_token"]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "ROSA@example.net", "Email has already been taken"),
        ("phone_number", "+4915112345678", "Phone number has already been taken"),
        ("identifier", "crm-77", "Identifier has already been taken"),
    ],
)
async def test_nobody_begins_as_somebody_else_without_a_proof(
    api: Api, given: Given, field: str, value: str, sentence: str
) -> None:
    inbox = await given.inbox()
    await given.contact(email="rosa@example.net", phone_number="+4915112345678", identifier="crm-77")

    reply = await api.acting_as(None).post(contacts_path(inbox), {"source_id": "device-1", field: value})

    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": [field]})
    assert (await api.acting_as(None).get(f"{contacts_path(inbox)}/device-1")).status == 404
    assert len(await given.emitted(ContactCreated)) == 1


@pytest.mark.parametrize(
    "claim", [{"identifier": "crm-77"}, {"email": "ROSA@example.net"}, {"phone_number": "+4915112345678"}]
)
async def test_a_bridge_begins_as_whoever_has_the_details_and_changes_nothing_of_them(
    given: Given, claim: dict[str, str]
) -> None:
    inbox = await given.inbox(channel=BRIDGE)
    rosa = await given.contact(email="rosa@example.net", phone_number="+4915112345678", identifier="crm-77")
    await given.conversation(contact=rosa)

    app = await open_app(given, inbox, name="Somebody", custom_attributes={"a": 1}, **claim)

    assert app.session["id"] == rosa["id"]
    assert (await app.get("/conversations")).json == []
    after = (await given.api.get(f"/contacts/{rosa['id']}")).json["payload"]
    assert (after["name"], after["custom_attributes"]) == (rosa["name"], {})
    assert len(await given.emitted(ContactCreated)) == 1


async def test_for_a_bridge_the_identifier_says_most_and_the_phone_number_least(given: Given) -> None:
    inbox = await given.inbox(channel=BRIDGE)
    by_identifier = await given.contact(identifier="crm-77")
    by_email = await given.contact(email="rosa@example.net")
    by_phone = await given.contact(phone_number="+4915112345678")
    details = {"identifier": "crm-77", "email": "rosa@example.net", "phone_number": "+4915112345678"}

    sessions = [
        await given.session(inbox, **details),
        await given.session(inbox, **{**details, "identifier": "crm-78"}),
        await given.session(inbox, phone_number=details["phone_number"]),
    ]

    assert [session["id"] for session in sessions] == [by_identifier["id"], by_email["id"], by_phone["id"]]


async def test_of_many_begun_at_once_by_a_bridge_one_makes_the_contact(given: Given) -> None:
    inbox = await given.inbox(channel=BRIDGE)

    sessions = await asyncio.gather(*(given.session(inbox, identifier="crm-77") for _ in range(8)))

    assert len({session["id"] for session in sessions}) == 1
    assert len({session["source_id"] for session in sessions}) == 8
    assert len(await given.emitted(ContactCreated)) == 1


async def test_where_everybody_proves_who_they_are_so_does_a_bridge(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel={**BRIDGE, "hmac_mandatory": True})
    await given.contact(identifier="crm-77")

    reply = await api.acting_as(None).post(contacts_path(inbox), {"identifier": "crm-77"})

    assert reply.status == 401


async def test_a_bridge_finds_nobody_of_another_account(given: Given) -> None:
    others = await given.another_account()
    rosa = await others.contact(identifier="crm-77")

    session = await given.session(await given.inbox(channel=BRIDGE), identifier="crm-77")

    assert session["id"] != rosa["id"]


async def test_contacts_of_another_account_are_in_nobodys_way(api: Api, given: Given) -> None:
    others = await given.another_account()
    await others.contact(email="rosa@example.net", identifier="crm-77")
    inbox = await given.inbox()

    reply = await api.acting_as(None).post(contacts_path(inbox), {"email": "rosa@example.net", "identifier": "crm-77"})

    assert reply.status == 200


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        ({"email": "rosa"}, {"message": "Email Invalid email", "attributes": ["email"]}),
        ({"email": "rosa@ example"}, {"message": "Email Invalid email", "attributes": ["email"]}),
        (
            {"phone_number": "0151"},
            {"message": "Phone number should be in e164 format", "attributes": ["phone_number"]},
        ),
        (
            {"email": "rosa", "phone_number": "x"},
            {
                "message": "Email Invalid email, Phone number should be in e164 format",
                "attributes": ["email", "phone_number"],
            },
        ),
        (
            {"name": "x" * 256},
            {"message": "Name is too long (maximum is 255 characters)", "attributes": ["name"]},
        ),
        (
            {"source_id": "x" * 256},
            {"message": "Source id is too long (maximum is 255 characters)", "attributes": ["source_id"]},
        ),
        ({"source_id": "a/b"}, {"message": "Source must not contain a slash", "attributes": ["source_id"]}),
        (
            {"custom_attributes": {"note": "x" * 100_000}},
            {
                "message": "Custom attributes is too large (maximum is 100 kB)",
                "attributes": ["custom_attributes"],
            },
        ),
    ],
)
async def test_a_contact_that_cannot_be_is_refused_and_not_made(
    api: Api, given: Given, sent: dict[str, Any], refusal: dict[str, Any]
) -> None:
    inbox = await given.inbox()

    reply = await api.acting_as(None).post(contacts_path(inbox), sent)

    assert (reply.status, reply.json) == (422, refusal)
    assert await given.emitted(ContactCreated) == []


async def test_the_contact_of_a_session_is_shown_to_its_app(given: Given) -> None:
    app = await open_app(given, email="rosa@example.net")

    with given.queries(at_most=4):
        reply = await app.get()

    assert (reply.status, reply.json) == (200, app.session)


async def test_a_lost_session_is_not_found(api: Api, given: Given) -> None:
    app = await open_app(given)
    others = await open_app(await given.another_account(), source_id="device-of-others")
    elsewhere = await open_app(given, source_id="device-elsewhere")
    paths = [
        f"{contacts_path(app.inbox)}/unknown",
        f"{contacts_path(app.inbox)}/{app.session['id']}",
        f"{contacts_path(app.inbox)}/{others.session['source_id']}",
        f"{contacts_path(app.inbox)}/{elsewhere.session['source_id']}",
    ]

    replies = [await api.acting_as(None).call(method, path) for path in paths for method in ("GET", "PATCH")]

    assert [(reply.status, reply.json) for reply in replies] == [(404, NO_SUCH_PAGE)] * 8


async def test_a_contact_changes_what_is_known_of_them(api: Api, given: Given) -> None:
    app = await open_app(given, custom_attributes={"plan": {"name": "gold", "seats": 3}, "since": 2020})
    sent = {
        "name": "Rosa L.",
        "email": "ROSA@example.net",
        "phone_number": "+4915112345678",
        "custom_attributes": {"plan": {"seats": 5}},
    }

    reply = await app.patch("", sent)

    assert reply.status == 200
    assert reply.json == {
        "id": app.session["id"],
        "name": "Rosa L.",
        "email": "rosa@example.net",
        "phone_number": "+4915112345678",
        "account_id": given.account_id,
        "created_at": reply.json["created_at"],
        "updated_at": reply.json["updated_at"],
        "additional_attributes": {},
        "identifier": None,
        "custom_attributes": {"plan": {"name": "gold", "seats": 5}, "since": 2020},
        "last_activity_at": None,
        "contact_type": "lead",
        "middle_name": "",
        "last_name": "",
        "location": None,
        "country_code": None,
        "blocked": False,
        "company_id": None,
    }
    (event,) = await given.emitted(ContactUpdated)
    assert event.changes["name"] == ["Rosa Lind", "Rosa L."]
    assert (event.actor_type, event.actor_id) == ("contact", app.session["id"])
    assert (await app.get()).json["email"] == "rosa@example.net"


async def test_put_is_patch(given: Given) -> None:
    app = await open_app(given)

    reply = await app.call("PUT", json={"name": "Rosa L."})

    assert (reply.status, reply.json["name"]) == (200, "Rosa L.")


async def test_what_is_blank_or_not_ones_own_to_say_changes_nothing(given: Given) -> None:
    app = await open_app(given, email="rosa@example.net", identifier="crm-77", custom_attributes={"plan": "gold"})
    blank: dict[str, Any] = {"name": " ", "email": "", "phone_number": None, "custom_attributes": {}}

    reply = await app.patch("", {**blank, "identifier": "crm-1", "blocked": True, "source_id": "x", "labels": ["vip"]})

    assert reply.status == 200
    shown = reply.json
    assert (shown["name"], shown["email"], shown["identifier"]) == ("Rosa Lind", "rosa@example.net", "crm-77")
    assert (shown["custom_attributes"], shown["blocked"]) == ({"plan": "gold"}, False)
    assert await given.emitted(ContactUpdated) == []


@pytest.mark.parametrize(("field", "value"), [("email", "OTHER@example.net"), ("phone_number", "+4915112345678")])
async def test_nobody_becomes_somebody_else_without_a_proof(given: Given, field: str, value: str) -> None:
    other = await given.contact(email="other@example.net", phone_number="+4915112345678")
    app = await open_app(given, email="rosa@example.net")

    reply = await app.patch("", {"name": "Rosa L.", field: value})

    sentence = f"{field.replace('_', ' ').capitalize()} has already been taken"
    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": [field]})
    assert (await app.get()).json == app.session
    assert (await given.api.get(f"/contacts/{other['id']}")).status == 200


@pytest.mark.parametrize(
    ("sent", "attributes"),
    [
        ({"email": "rosa"}, ["email"]),
        ({"phone_number": "555"}, ["phone_number"]),
        ({"name": "x" * 256}, ["name"]),
        ({"custom_attributes": {"note": "x" * 100_000}}, ["custom_attributes"]),
    ],
)
async def test_a_change_that_cannot_be_is_refused_whole(
    given: Given, sent: dict[str, Any], attributes: list[str]
) -> None:
    app = await open_app(given)

    reply = await app.patch("", {"name": "Rosa L.", **sent})

    assert (reply.status, reply.json["attributes"]) == (422, attributes)
    assert (await app.get()).json == app.session


async def test_attributes_grown_too_large_by_merging_are_refused(given: Given) -> None:
    app = await open_app(given, custom_attributes={"first": "x" * 60_000})

    reply = await app.patch("", {"custom_attributes": {"second": "x" * 60_000}})

    assert (reply.status, reply.json["attributes"]) == (422, ["custom_attributes"])


async def test_two_apps_that_change_one_contact_at_once_lose_nothing(given: Given) -> None:
    app = await open_app(given)

    replies = await asyncio.gather(
        *(app.patch("", {"custom_attributes": {f"key_{number}": number}}) for number in range(16))
    )

    assert [reply.status for reply in replies] == [200] * 16
    kept = (await given.api.get(f"/contacts/{app.session['id']}")).json["payload"]["custom_attributes"]
    assert kept == {f"key_{number}": number for number in range(16)}
