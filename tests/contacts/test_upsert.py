"""One call that finds or creates a contact, however often and by however many it is made."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from harness import Api, Given

from criachat.contacts.events import ContactCreated, ContactUpdated

MANY = 32


async def upsert(api: Api, **body: Any) -> Any:
    reply = await api.post("/contacts?upsert=true", body)
    assert reply.status == 200, reply.body
    return reply.json["payload"]["contact"]


async def test_who_is_not_there_is_created(api: Api, given: Given) -> None:
    contact = await upsert(api, name="Rosa", identifier="crm-7", custom_attributes={"plan": "gold"})

    assert (await api.get(f"/contacts/{contact['id']}")).json["payload"] == contact
    assert [event.contact_id for event in await given.emitted(ContactCreated)] == [contact["id"]]


@pytest.mark.parametrize(
    "known", [{"identifier": "crm-7"}, {"email": "ROSA@example.net"}, {"phone_number": "+351912000111"}]
)
async def test_who_is_there_is_found_by_any_of_the_three_and_changed_as_sent(
    api: Api, given: Given, known: dict[str, str]
) -> None:
    rosa = await upsert(api, name="Rosa", custom_attributes={"plan": "gold"}, **known)

    again = await upsert(api, name="Rosa Lind", custom_attributes={"seats": 3}, **known)

    assert again["id"] == rosa["id"]
    assert (again["name"], again["custom_attributes"]) == ("Rosa Lind", {"plan": "gold", "seats": 3})
    assert len(await given.emitted(ContactCreated)) == len(await given.emitted(ContactUpdated)) == 1


async def test_the_identifier_says_more_than_the_email_and_that_more_than_the_phone_number(api: Api) -> None:
    by_phone = await upsert(api, phone_number="+351912000111")
    by_email = await upsert(api, email="rosa@example.net")
    by_identifier = await upsert(api, identifier="crm-7")

    found = await upsert(api, identifier="crm-7", name="Rosa")
    reply = await api.post("/contacts?upsert=true", {"email": "rosa@example.net", "phone_number": "+351912000111"})

    assert found["id"] == by_identifier["id"]
    assert reply.status == 422
    assert reply.json == {
        "message": "Phone number has already been taken",
        "attributes": ["phone_number"],
        "taken_by": {"phone_number": by_phone["id"]},
    }
    assert (await api.get(f"/contacts/{by_email['id']}")).json["payload"] == by_email


async def test_what_changes_nothing_tells_nothing(api: Api, given: Given) -> None:
    rosa = await upsert(api, name="Rosa", email="rosa@example.net")

    with given.queries(at_most=4):
        again = await upsert(api, name="Rosa", email="rosa@example.net")

    assert again == rosa
    assert await given.emitted(ContactUpdated) == []


async def test_without_anything_to_go_by_somebody_new_is_made_each_time(api: Api) -> None:
    assert (await upsert(api, name="Rosa"))["id"] != (await upsert(api, name="Rosa"))["id"]


@pytest.mark.parametrize("body", [{"identifier": "crm-7"}, {"email": "a@b.c", "phone_number": "+351912000111"}])
async def test_many_at_once_make_one_contact_with_one_session(api: Api, given: Given, body: dict[str, str]) -> None:
    inbox = await given.inbox()
    sent = {"upsert": True, "inbox_id": inbox["id"], **body}

    replies = await asyncio.gather(
        *[api.post("/contacts", {**sent, "custom_attributes": {f"a{number}": number}}) for number in range(MANY)]
    )

    assert Counter(reply.status for reply in replies) == {200: MANY}
    assert len({reply.json["payload"]["contact"]["id"] for reply in replies}) == 1
    assert len({reply.json["payload"]["contact_inbox"]["source_id"] for reply in replies}) == 1
    (shown,) = (await api.get("/contacts")).json["payload"]
    assert shown["custom_attributes"] == {f"a{number}": number for number in range(MANY)}
    assert len(shown["contact_inboxes"]) == 1
    assert len(await given.emitted(ContactCreated)) == 1


async def test_many_at_once_make_one_session_of_a_contact_who_is_there_already(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await upsert(api, identifier="crm-7")
    sent = {"upsert": True, "identifier": "crm-7", "inbox_id": inbox["id"]}

    replies = await asyncio.gather(*[api.post("/contacts", sent) for _ in range(MANY)])

    assert Counter(reply.status for reply in replies) == {200: MANY}
    assert len({reply.json["payload"]["contact_inbox"]["source_id"] for reply in replies}) == 1


async def test_the_default_still_refuses(api: Api) -> None:
    rosa = await upsert(api, email="rosa@example.net")

    reply = await api.post("/contacts?upsert=false", {"email": "rosa@example.net"})

    assert (reply.status, reply.json["taken_by"]) == (422, {"email": rosa["id"]})


async def test_contacts_of_another_account_are_nobody_here(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await upsert(others.api, email="rosa@example.net")

    assert (await upsert(api, email="rosa@example.net"))["id"] != theirs["id"]
