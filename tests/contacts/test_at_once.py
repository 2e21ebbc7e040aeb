"""What contacts are when many do the same at the same time, and what is left when one of them is deleted."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.contacts.events import ContactCreated, ContactDeleted, ContactUpdated
from criachat.conversations.events import ConversationCreated
from criachat.kit import directory

MANY = 32
THEIRS = """
SELECT (SELECT count(*) FROM contacts WHERE account_id = $1)
    + (SELECT count(*) FROM contact_inboxes WHERE account_id = $1)
    + (SELECT count(*) FROM conversations WHERE account_id = $1)
    + (SELECT count(*) FROM messages WHERE account_id = $1)
    + (SELECT count(*) FROM attachments WHERE account_id = $1)
    + (SELECT count(*) FROM directory WHERE account_id = $1 AND kind IN ('contact_pubsub_token', 'conversation_uuid'))
"""


LOCK_CONVERSATION = "SELECT id FROM conversations WHERE account_id = $1 AND display_id = $2 FOR NO KEY UPDATE"
NOTE_ACTIVITY = "UPDATE contacts SET last_activity_at = now() WHERE account_id = $1 AND id = $2"
IS_ANYBODY_WAITING = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


async def left_of(given: Given) -> int:
    """How many rows the account has of contacts and what hangs on them."""
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(THEIRS, given.account_id)


def statuses(replies: list[Reply]) -> dict[int, int]:
    return dict(Counter(reply.status for reply in replies))


@pytest.mark.parametrize(
    "body",
    [
        {"email": "rosa@example.net"},
        {"phone_number": "+351912000111"},
        {"identifier": "crm-77"},
        {"email": "rosa@example.net", "phone_number": "+351912000111", "identifier": "crm-77"},
    ],
)
async def test_one_contact_created_by_many_at_once_is_one_row(api: Api, given: Given, body: dict[str, str]) -> None:
    replies = await asyncio.gather(*[api.post("/contacts", body) for _ in range(MANY)])

    assert statuses(replies) == {200: 1, 422: MANY - 1}
    assert {tuple(reply.json["attributes"]) for reply in replies if reply.status == 422} == {tuple(body)}
    assert (await api.get("/contacts")).json["meta"]["count"] == 1
    assert len(await given.emitted(ContactCreated)) == 1


async def test_one_session_created_by_many_at_once_is_one_row(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    contact = await given.contact()
    body = {"inbox_id": inbox["id"], "source_id": "rosa-1"}

    replies = await asyncio.gather(*[api.post(f"/contacts/{contact['id']}/contact_inboxes", body) for _ in range(MANY)])

    assert statuses(replies) == {200: MANY}
    assert len({reply.body for reply in replies}) == 1
    shown = (await api.get(f"/contacts/{contact['id']}")).json["payload"]
    assert shown["contact_inboxes"] == [replies[0].json]
    assert await left_of(given) == len(["the contact", "its session", "its token in the directory"])


async def test_one_session_wanted_for_many_contacts_at_once_belongs_to_one(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    replies = await asyncio.gather(
        *[
            api.post("/contacts", {"identifier": f"crm-{number}", "inbox_id": inbox["id"], "source_id": "one"})
            for number in range(MANY)
        ]
    )

    assert statuses(replies) == {200: 1, 422: MANY - 1}
    assert (await api.get("/contacts")).json["meta"]["count"] == 1


async def test_one_address_wanted_by_many_contacts_at_once_is_given_to_one(api: Api, given: Given) -> None:
    contacts = [await given.contact() for _ in range(16)]
    paths = [f"/contacts/{contact['id']}" for contact in contacts]

    replies = await asyncio.gather(*[api.patch(path, {"phone_number": "+351912000111"}) for path in paths])

    (winner,) = [reply.json["payload"]["id"] for reply in replies if reply.status == 200]
    told = {"message": "Phone number has already been taken", "attributes": ["phone_number"]}
    taken = {**told, "taken_by": {"phone_number": winner}}
    assert statuses(replies) == {200: 1, 422: 15}
    assert all(reply.json == taken for reply in replies if reply.status == 422)


async def test_two_contacts_who_exchange_addresses_at_once_do_not_wait_for_each_other_for_ever(
    api: Api, given: Given
) -> None:
    rosa = await given.contact(email="rosa@example.net")
    marta = await given.contact(email="marta@example.net")

    replies = await asyncio.gather(
        api.patch(f"/contacts/{rosa['id']}", {"email": "marta@example.net"}),
        api.patch(f"/contacts/{marta['id']}", {"email": "rosa@example.net"}),
    )

    assert statuses(list(replies)) == {422: 2}


async def test_labels_and_attributes_added_by_many_at_once_are_all_there(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}"

    replies = await asyncio.gather(
        *[api.post(f"{path}/labels/add", {"label": f"label{number}"}) for number in range(MANY)],
        *[
            api.patch(f"{path}/custom_attributes", {"custom_attributes": {f"key{number}": number}})
            for number in range(MANY)
        ],
    )

    shown = (await api.get(path)).json["payload"]
    labels = (await api.get(f"{path}/labels")).json["payload"]
    assert statuses(list(replies)) == {200: 2 * MANY}
    assert sorted(labels) == sorted(f"label{number}" for number in range(MANY))
    assert shown["custom_attributes"] == {f"key{number}": number for number in range(MANY)}
    assert (await api.get(path)).headers["etag"] == f'"{2 * MANY + 1}"'
    assert len(await given.emitted(ContactUpdated)) == 2 * MANY


async def test_a_deleted_contact_takes_along_all_that_was_theirs(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    rosa, marta = await given.contact("Rosa"), await given.contact("Marta")
    for contact in (rosa, marta):
        for _ in range(2):
            conversation = await given.conversation(inbox=inbox, contact=contact)
            await given.message(conversation, message_type="incoming")
    before = await left_of(given)

    deleted = await api.delete(f"/contacts/{rosa['id']}")

    assert (deleted.status, deleted.body) == (200, b"")
    assert await left_of(given) == before / 2
    assert (await api.get(f"/contacts/{rosa['id']}")).status == 404
    assert (await api.get(f"/contacts/{rosa['id']}/conversations")).status == 404
    listed = (await api.get("/conversations?status=all")).json["data"]
    assert {each["meta"]["sender"]["id"] for each in listed["payload"]} == {marta["id"]}
    assert listed["meta"]["all_count"] == 2
    (event,) = await given.emitted(ContactDeleted)
    assert (event.contact_id, event.snapshot.id, event.snapshot.name) == (rosa["id"], rosa["id"], "Rosa")


async def test_what_led_to_a_deleted_contact_leads_nowhere(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    session = await given.session(inbox)
    conversation = await given.conversation(inbox=inbox, contact={"id": session["id"]}, source_id=session["source_id"])

    await api.delete(f"/contacts/{session['id']}")

    async with given.world.parts.database.reading() as db:
        assert await directory.find(db, "contact_pubsub_token", session["pubsub_token"]) is None
        assert await directory.find(db, "conversation_uuid", conversation["uuid"]) is None
    path = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts/{session['source_id']}"
    assert (await api.acting_as(None).get(path)).status == 404


async def test_a_contact_deleted_twice_is_gone_once(api: Api, given: Given) -> None:
    contact = await given.contact()

    replies = await asyncio.gather(*[api.delete(f"/contacts/{contact['id']}") for _ in range(8)])

    assert statuses(replies) == {200: 1, 404: 7}
    assert len(await given.emitted(ContactDeleted)) == 1


async def test_the_address_of_a_deleted_contact_is_free_again(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    body = {"email": "rosa@example.net", "identifier": "crm-77", "inbox_id": inbox["id"], "source_id": "rosa-1"}
    first = (await api.post("/contacts", body)).json["payload"]["contact"]

    await api.delete(f"/contacts/{first['id']}")
    second = await api.post("/contacts", body)

    assert second.status == 200
    assert second.json["payload"]["contact"]["id"] != first["id"]


@pytest.mark.parametrize("attempt", range(4))
async def test_a_contact_deleted_while_others_write_leaves_nothing_behind(api: Api, given: Given, attempt: int) -> None:
    inbox = await given.inbox(lock_to_single_conversation=attempt % 2 == 1)
    contact = await given.contact()
    conversation = await given.conversation(inbox=inbox, contact=contact, source_id="rosa-1")
    path = f"/contacts/{contact['id']}"
    said: dict[str, Any] = {"content": "Olá!", "message_type": "incoming"}

    def write() -> list[Any]:
        return [
            api.post("/conversations", {"inbox_id": inbox["id"], "contact_id": contact["id"], "source_id": "rosa-1"}),
            api.post(f"/conversations/{conversation['id']}/messages", said),
            api.post(f"{path}/contact_inboxes", {"inbox_id": inbox["id"]}),
            api.patch(path, {"name": "Marta"}),
        ]

    writing = [*write(), *write(), api.delete(path), *write(), *write()]
    replies = await asyncio.gather(*writing)

    assert statuses(replies).keys() <= {200, 404}
    assert replies[8].status == 200
    assert await left_of(given) == 0
    assert len(await given.emitted(ContactDeleted)) == 1
    opened = {event.conversation_id for event in await given.emitted(ConversationCreated)}
    assert len(opened) >= 1


async def test_a_deletion_that_waits_for_a_message_does_not_hold_it_up(api: Api, given: Given) -> None:
    database = given.world.parts.database
    contact = await given.contact()
    conversation = await given.conversation(contact=contact)

    async with database.transaction() as tx:
        await tx.execute("SET LOCAL lock_timeout = '300ms'")
        await tx.fetch_value(LOCK_CONVERSATION, given.account_id, conversation["id"])
        deleting = asyncio.create_task(api.delete(f"/contacts/{contact['id']}"))
        while not await tx.fetch_value(IS_ANYBODY_WAITING):  # noqa: ASYNC110 - only PostgreSQL knows
            await asyncio.sleep(0.01)
        written = await tx.execute(NOTE_ACTIVITY, given.account_id, contact["id"])

    assert written == 1
    assert (await deleting).status == 200
    assert await left_of(given) == 0
