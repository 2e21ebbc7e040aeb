"""Pictures of contacts: sent, fetched from an address, and taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given
from receivers import Receiver, Say, Told
from stores import files_of

from criachat.contacts.events import ContactUpdated
from criachat.kit import clock

BREAK = "UPDATE contacts SET additional_attributes = '[]' WHERE account_id = $1 AND id = $2"
MEND = "UPDATE contacts SET additional_attributes = '{}' WHERE account_id = $1 AND id = $2"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
OTHER = GIF + b"another"


async def picture_of(api: Api, contact: Any) -> bytes:
    reply = await api.acting_as(None).get(contact["thumbnail"].removeprefix("http://criachat.test"))
    assert reply.status == 200
    return reply.body


async def shown(api: Api, contact: Any) -> Any:
    return (await api.get(f"/contacts/{contact['id']}")).json["payload"]


async def test_a_picture_is_sent_replaced_and_taken_away(api: Api, given: Given) -> None:
    made = await api.post("/contacts", data={"name": "Rosa", "identifier": "crm-1"}, files={"avatar": ("me.gif", GIF)})
    contact = made.json["payload"]["contact"]
    path = f"/contacts/{contact['id']}"
    first = await picture_of(api, contact)
    replaced = (await api.patch(path, files={"avatar": ("me.gif", OTHER)})).json["payload"]
    second = await picture_of(api, replaced)
    removed = await api.delete(f"{path}/avatar")
    await given.worked()

    assert (first, second) == (GIF, OTHER)
    assert removed.status == 200
    assert removed.json["payload"]["thumbnail"] == ""
    assert "contact_inboxes" not in removed.json["payload"]
    assert len(await given.emitted(ContactUpdated)) == 2
    gone = [
        await api.acting_as(None).get(each["thumbnail"].removeprefix("http://criachat.test"))
        for each in (contact, replaced)
    ]
    assert [reply.status for reply in gone] == [404, 404]


async def test_null_for_a_picture_takes_it_away_and_a_blank_says_nothing(api: Api, given: Given) -> None:
    made = await api.post("/contacts", data={"name": "Rosa", "identifier": "crm-1"}, files={"avatar": ("me.gif", GIF)})
    contact = made.json["payload"]["contact"]
    path = f"/contacts/{contact['id']}"

    kept = (await api.patch(path, {"avatar": "", "name": "Rosa L."})).json["payload"]
    removed = (await api.patch(path, {"avatar": None, "name": "Rosa Lind"})).json["payload"]
    again = await api.patch(path, {"avatar": None})

    assert kept["thumbnail"] == contact["thumbnail"] != ""
    assert (removed["thumbnail"], removed["name"]) == ("", "Rosa Lind")
    assert (again.status, again.json["payload"]) == (200, removed)
    assert len(await given.emitted(ContactUpdated)) == 3


async def test_a_picture_is_shown_wherever_the_contact_is(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "contact_created", "message_created")
    contact = (
        await api.post("/contacts?upsert=1", data={"identifier": "crm-1"}, files={"avatar": ("me.gif", GIF)})
    ).json["payload"]["contact"]
    conversation = await given.conversation(contact=contact)
    await given.message(conversation, message_type="incoming")

    listed = (await api.get("/contacts")).json["payload"][0]
    sender = (await api.get(f"/conversations/{conversation['id']}")).json["meta"]["sender"]
    messages = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]

    await given.delivered()
    told = receiver.events("message_created")[0]
    feed = (await api.get("/events?event=contact_created")).json["payload"][0]["snapshot"]["contact"]

    shown_as = {
        each["thumbnail"]
        for each in (
            listed,
            sender,
            messages[-1]["sender"],
            receiver.events("contact_created")[0],
            told["sender"],
            told["conversation"]["meta"]["sender"],
            feed,
        )
    }
    assert shown_as == {contact["thumbnail"]} != {""}


@pytest.mark.parametrize("sent", [{"avatar": ("me.txt", b"no picture")}, {"avatar": ("me.svg", b"<svg/>")}])
async def test_what_is_no_picture_is_refused_whole(api: Api, given: Given, sent: Any) -> None:
    contact = await given.contact("Rosa")

    created = await api.post("/contacts", data={"name": "Marta", "identifier": "crm-2"}, files=sent)
    changed = await api.patch(f"/contacts/{contact['id']}", data={"name": "Other"}, files=sent)

    refusal = {"message": "Avatar must be a JPEG, PNG or GIF of 15 MB at most", "attributes": ["avatar"]}
    assert (created.status, created.json) == (changed.status, changed.json) == (422, refusal)
    assert (await api.get("/contacts")).json["payload"] == [contact]


async def test_a_picture_is_fetched_from_an_address_and_not_fetched_again(
    api: Api, given: Given, receiver: Receiver
) -> None:
    receiver.always_answers(Say(body=GIF))
    url = f"{receiver.url}/me.gif"
    made = (await api.post("/contacts", {"identifier": "crm-1", "avatar_url": url})).json["payload"]["contact"]
    await given.worked()
    fetched = await shown(api, made)

    await api.patch(f"/contacts/{made['id']}", {"avatar_url": url})
    clock.travel(timedelta(minutes=2))
    await given.worked()

    assert made["thumbnail"] == ""
    assert await picture_of(api, fetched) == GIF
    assert fetched["additional_attributes"].keys() == {"avatar_url_hash", "last_avatar_sync_at"}
    assert await shown(api, made) == fetched
    assert len(receiver.told) == 1


async def test_a_picture_that_was_fetched_and_not_taken_is_removed(api: Api, given: Given, receiver: Receiver) -> None:
    contact = await given.contact(avatar_url=f"{receiver.url}/me.gif")

    usually = receiver.behave

    async def answer_and_break(_: Told) -> Say:
        async with given.world.parts.database.transaction() as tx:
            await tx.execute(BREAK, given.account_id, contact["id"])
        return Say(body=OTHER)

    receiver.behave = answer_and_break
    await given.world.parts.jobs.drain()
    stored = files_of(given)
    receiver.behave = usually
    receiver.always_answers(Say(body=GIF))
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(MEND, given.account_id, contact["id"])
    for _ in range(2):
        await given.world.parts.jobs.drain(ahead=timedelta(hours=2))

    assert stored == [OTHER]
    assert files_of(given) == [GIF]
    assert await picture_of(api, await shown(api, contact)) == GIF


@pytest.mark.parametrize("answer", [404, Say(body=b"<html>no picture</html>")])
async def test_what_is_fetched_and_no_picture_changes_nothing(
    api: Api, given: Given, receiver: Receiver, answer: int | Say
) -> None:
    receiver.always_answers(answer)
    contact = await given.contact(avatar_url=f"{receiver.url}/me.gif")

    await given.worked()

    assert await shown(api, contact) == contact


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "http://[", "me.gif"])
async def test_no_picture_is_fetched_from_what_is_no_address(api: Api, url: str) -> None:
    reply = await api.post("/contacts", {"identifier": "crm-1", "avatar_url": url})

    assert (reply.status, reply.json) == (422, {"message": "Avatar url is invalid", "attributes": ["avatar_url"]})
    assert (await api.get("/contacts")).json["payload"] == []


async def test_a_picture_goes_with_its_contact(api: Api, given: Given) -> None:
    made = await api.post("/contacts", data={"identifier": "crm-1"}, files={"avatar": ("me.gif", GIF)})
    contact = made.json["payload"]["contact"]

    await api.delete(f"/contacts/{contact['id']}")
    await given.worked()

    assert (await api.acting_as(None).get(contact["thumbnail"].removeprefix("http://criachat.test"))).status == 404


async def test_pictures_of_another_accounts_contacts_stay(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await others.contact()

    refused = [await api.delete(f"/contacts/{theirs['id']}/avatar")]
    refused += [await api.patch(f"/contacts/{theirs['id']}", files={"avatar": ("me.gif", GIF)})]

    assert [reply.status for reply in refused] == [404, 404]
    assert (await api.acting_as(await given.bot()).delete(f"/contacts/{theirs['id']}/avatar")).status == 401
