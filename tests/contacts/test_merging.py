from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given

from criachat.contacts.events import ContactDeleted, ContactMerged, ContactUpdated
from criachat.conversations.events import ConversationContactChanged

NOT_FOUND = {"error": "Resource could not be found"}


async def merge(api: Api, base: Any, mergee: Any) -> Any:
    return await api.post("/actions/contact_merge", {"base_contact_id": base["id"], "mergee_contact_id": mergee["id"]})


async def test_the_base_takes_over_what_the_other_has_and_what_it_lacks(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    base = await given.contact(
        "Rosa", email="rosa@example.net", custom_attributes={"plan": "gold", "address": {"city": "Porto"}}
    )
    mergee = await given.contact(
        "R. Lind",
        email="r.lind@example.net",
        phone_number="+351912000111",
        identifier="crm-77",
        custom_attributes={"plan": "free", "seats": 3, "address": {"city": "Braga", "zip": "4700"}},
        additional_attributes={"city": "Porto"},
    )
    conversation = await given.conversation(inbox=inbox, contact=mergee, source_id="rosa-1")
    message = await given.message(conversation, message_type="incoming")

    reply = await merge(api, base, mergee)

    shown = (await api.get(f"/contacts/{base['id']}")).json["payload"]
    assert reply.status == 200
    assert reply.json == {key: value for key, value in shown.items() if key != "contact_inboxes"}
    assert shown == {
        **base,
        "phone_number": "+351912000111",
        "identifier": "crm-77",
        "custom_attributes": {"plan": "gold", "seats": 3, "address": {"city": "Porto", "zip": "4700"}},
        "additional_attributes": {"city": "Porto"},
        "contact_inboxes": [{"source_id": "rosa-1", "inbox": shown["contact_inboxes"][0]["inbox"]}],
    }
    assert (await api.get(f"/contacts/{mergee['id']}")).status == 404
    (moved,) = (await api.get(f"/contacts/{base['id']}/conversations")).json["payload"]
    assert (moved["id"], moved["meta"]["sender"]["id"]) == (conversation["id"], base["id"])
    thread = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert [each["sender"]["id"] for each in thread if each["id"] == message["id"]] == [base["id"]]


async def test_a_merge_is_told_of_on_every_side(api: Api, given: Given) -> None:
    base, mergee = await given.contact("Rosa"), await given.contact("R. Lind", identifier="crm-77")
    conversation = await given.conversation(contact=mergee)

    await merge(api, base, mergee)

    (merged,) = await given.emitted(ContactMerged)
    (updated,) = await given.emitted(ContactUpdated)
    (deleted,) = await given.emitted(ContactDeleted)
    (moved,) = await given.emitted(ConversationContactChanged)
    assert (merged.contact_id, merged.merged_contact_id) == (base["id"], mergee["id"])
    assert updated.changes["identifier"] == [None, "crm-77"]
    assert (deleted.contact_id, deleted.snapshot.name) == (mergee["id"], "R. Lind")
    assert moved.changes == {"contact_id": [mergee["id"], base["id"]]}
    assert (moved.snapshot.id, moved.snapshot.contact.id) == (conversation["id"], base["id"])
    assert {event.actor_id for event in (merged, updated, deleted, moved)} == {given.boss.id}


async def test_a_contact_merged_with_itself_stays_as_it_is(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa")

    reply = await merge(api, contact, contact)

    assert reply.status == 200
    assert reply.json == {key: value for key, value in contact.items() if key != "contact_inboxes"}
    assert await given.emitted(ContactUpdated) == await given.emitted(ContactDeleted) == []


async def test_contacts_that_are_not_there_are_not_merged(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa")
    theirs = await (await given.another_account()).contact("Rosa")
    nobody = {"id": 2**62}

    replies = [
        await merge(api, contact, nobody),
        await merge(api, nobody, contact),
        await merge(api, nobody, nobody),
        await merge(api, contact, theirs),
        await merge(api, theirs, contact),
    ]

    assert [(reply.status, reply.json) for reply in replies] == [(404, NOT_FOUND)] * 5
    assert (await api.get(f"/contacts/{contact['id']}")).json["payload"] == contact


@pytest.mark.parametrize(
    "body", [{}, {"base_contact_id": 1}, {"base_contact_id": "x", "mergee_contact_id": 1}, {"base_contact_id": [1]}]
)
async def test_a_merge_names_two_contacts(api: Api, body: dict[str, Any]) -> None:
    reply = await api.post("/actions/contact_merge", body)

    assert reply.status == 422
    assert reply.json.keys() == {"error"}


async def test_agents_merge_contacts_and_bots_and_strangers_do_not(api: Api, given: Given) -> None:
    base, mergee = await given.contact("Rosa"), await given.contact("R. Lind")

    bot = await merge(api.acting_as(await given.bot()), base, mergee)
    nobody = await merge(api.acting_as(None), base, mergee)
    agent = await merge(api.acting_as(await given.agent("Ana")), base, mergee)

    assert (bot.status, nobody.status, agent.status) == (401, 401, 200)


async def test_two_contacts_merged_into_each_other_at_once_are_one(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    one, other = await given.contact("Rosa"), await given.contact("R. Lind")
    for contact in (one, other):
        await given.conversation(inbox=inbox, contact=contact)

    replies = await asyncio.gather(*[merge(api, *pair) for pair in ((one, other), (other, one)) for _ in range(4)])

    assert sorted(reply.status for reply in replies) == [200, *[404] * 7]
    (left,) = (await api.get("/contacts")).json["payload"]
    assert len((await api.get(f"/contacts/{left['id']}/conversations")).json["payload"]) == 2
    assert len(await given.emitted(ContactMerged)) == 1
