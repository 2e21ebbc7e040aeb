"""Addresses that macros have told of a conversation, and that are no webhook of the account."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from harness import Api, Given, links_of
from receivers import Receiver
from standardwebhooks import Webhook

from criachat.conversations.events import TellingRequested
from criachat.conversations.jobs import forget_addresses
from criachat.kit import clock
from criachat.kit.jobs import JobContext
from criachat.webhooks import operations


async def press(given: Given, *urls: str, conversation: Any) -> None:
    """A macro that has these addresses told is to be executed in the conversation."""
    actions = [{"action_name": "send_webhook_event", "action_params": [url]} for url in urls]
    macro = (await given.api.post("/macros", {"name": "Tell the CRM", "actions": actions})).json["payload"]
    body = {"conversation_ids": [conversation["id"]]}
    assert (await given.api.post(f"/macros/{macro['id']}/execute", body)).status == 200


async def pressed(given: Given, *urls: str, conversation: Any) -> None:
    """It was executed."""
    await press(given, *urls, conversation=conversation)
    await given.worked()


async def test_an_address_is_told_of_the_conversation_as_webhooks_are(given: Given, receiver: Receiver) -> None:
    conversation = await given.conversation()
    await given.message(conversation, "Olá!")
    await given.webhook(f"{receiver.url}/all", "conversation_updated")
    await given.api.post(f"/conversations/{conversation['id']}/labels", {"labels": ["vip"]})
    # What is told of this change is not moved any further by an activity that follows from it.
    await given.relayed()
    path = f"/conversations/{conversation['id']}/custom_attributes"
    await given.api.post(path, {"custom_attributes": {"plan": "gold"}})

    await pressed(given, f"{receiver.url}/crm?key=s3cret", conversation=conversation)
    await given.delivered()

    *_, of_webhook = receiver.events("conversation_updated")
    (of_macro,) = receiver.events("macro.executed")
    (told,) = [each for each in receiver.told if each.json["event"] == "macro.executed"]
    assert told.path == "/hook/crm?key=s3cret"
    del of_webhook["changed_attributes"]
    assert of_macro == {**of_webhook, "event": "macro.executed", "updated_at": of_macro["updated_at"]}
    assert of_macro["messages"][0]["content"] == "Olá!"
    assert (of_macro["labels"], of_macro["custom_attributes"]) == (["vip"], {"plan": "gold"})
    assert told.headers["webhook-id"] == told.headers["X-Chatwoot-Delivery"]
    assert "X-Chatwoot-Signature" not in told.headers


async def test_one_that_has_a_webhook_too_can_verify_what_it_is_told(given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(f"{receiver.url}/crm", "contact_created")

    await pressed(given, f"{receiver.url}/crm", conversation=await given.conversation())
    await given.delivered()

    (told,) = [each for each in receiver.told if each.json["event"] == "macro.executed"]
    assert Webhook(webhook["secret_standard"]).verify(told.body, dict(told.headers)) == told.json


async def test_it_is_tried_again_under_the_same_id_and_stands_in_the_log(
    api: Api, given: Given, receiver: Receiver
) -> None:
    conversation = await given.conversation()
    receiver.will_answer(500)

    await pressed(given, receiver.url, conversation=conversation)
    await given.delivered()
    clock.travel(timedelta(seconds=7))
    await given.delivered()

    first, second = receiver.told
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    log = (await api.get("/deliveries")).json["deliveries"]
    (delivery,) = [each for each in log if each["event"] == "macro.executed"]
    assert delivery["id"] == first.headers["webhook-id"]
    assert delivery["target"].startswith("address:")
    assert (delivery["status"], delivery["tries"], delivery["conversation_id"]) == ("delivered", 2, conversation["id"])
    assert (await api.get(f"/deliveries?conversation_id={conversation['id']}")).json["deliveries"] == [delivery]


async def test_each_execution_is_a_delivery_of_its_own_however_often_it_is_heard_of(
    given: Given, receiver: Receiver
) -> None:
    conversation = await given.conversation()

    await pressed(given, receiver.url, receiver.url, conversation=conversation)
    await given.relayed()
    events = await given.emitted(TellingRequested)
    async with given.world.parts.database.transaction() as tx:
        await operations.queue_tellings(tx, events, links_of(given.world))
    await given.delivered()

    assert len({event.address_id for event in events}) == 1
    assert len(receiver.told) == len({each.headers["webhook-id"] for each in receiver.told}) == 2


async def test_private_addresses_are_not_told(api: Api, given: Given) -> None:
    await pressed(given, "http://10.0.0.7/hook", conversation=await given.conversation())
    await given.delivered()

    (delivery,) = (await api.get("/deliveries")).json["deliveries"]
    assert (delivery["status"], delivery["tries"], delivery["last_status"]) == ("pending", 1, None)


async def test_an_address_that_fails_marks_no_message_and_is_given_up_in_the_end(
    api: Api, given: Given, receiver: Receiver
) -> None:
    conversation = await given.conversation()
    message = await given.message(conversation, "Olá!")
    receiver.always_answers(500)

    await pressed(given, receiver.url, conversation=conversation)
    for _ in range(12):
        await given.delivered()
        clock.travel(timedelta(hours=30))

    (delivery,) = (await api.get("/deliveries")).json["deliveries"]
    shown = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    assert (delivery["status"], delivery["tries"], len(receiver.told)) == ("exhausted", 10, 10)
    assert [(each["id"], each["status"]) for each in shown] == [(message["id"], "sent")]


async def test_the_feed_and_the_log_of_events_do_not_show_the_address(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await pressed(given, f"{receiver.url}/?key=s3cret", conversation=await given.conversation())

    feed = await api.get("/events")
    async with given.world.parts.database.reading() as db:
        rows = await db.fetch_values(
            "SELECT row_to_json(events)::text FROM events WHERE account_id = $1", given.account_id
        )

    assert "telling_requested" in feed.body.decode()
    assert "s3cret" not in feed.body.decode()
    assert "s3cret" not in "".join(rows)


async def test_of_many_who_name_one_address_at_once_all_have_the_same(given: Given, receiver: Receiver) -> None:
    conversations = [await given.conversation() for _ in range(8)]

    async def press_and_work(conversation: Any) -> None:
        await press(given, receiver.url, conversation=conversation)
        await given.world.parts.jobs.drain()

    await asyncio.gather(*map(press_and_work, conversations))
    await given.worked()
    await given.delivered()

    assert len(receiver.told) == 8
    async with given.world.parts.database.reading() as db:
        count = await db.fetch_value("SELECT count(*) FROM told_addresses WHERE account_id = $1", given.account_id)
    assert count == 1


async def forgotten(given: Given, *, after_days: int) -> list[str]:
    """The addresses of the account that are known still when so many days have passed and the job has run, twice."""
    clock.travel(timedelta(days=after_days))
    parts = given.world.parts
    context = JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)
    for _ in range(2):
        await forget_addresses(context)
    async with parts.database.reading() as db:
        return await db.fetch_values("SELECT url FROM told_addresses WHERE account_id = $1", given.account_id)


async def test_an_address_is_forgotten_when_no_delivery_to_it_is_kept_any_more(
    api: Api, given: Given, receiver: Receiver
) -> None:
    days = given.world.parts.settings.attempt_retention_days
    await pressed(given, receiver.url, conversation=await given.conversation())
    await given.delivered()

    kept = await forgotten(given, after_days=days)
    log = (await api.get("/deliveries")).json["deliveries"]
    gone = await forgotten(given, after_days=3)

    assert kept == [receiver.url]
    assert [each["target"].partition(":")[0] for each in log] == ["address"]
    assert gone == []


async def test_one_that_is_told_of_something_again_is_kept_longer(given: Given, receiver: Receiver) -> None:
    conversation = await given.conversation()
    await pressed(given, f"{receiver.url}/crm", f"{receiver.url}/old", conversation=conversation)
    days = given.world.parts.settings.attempt_retention_days
    clock.travel(timedelta(days=days - 1))
    await pressed(given, f"{receiver.url}/crm", conversation=conversation)
    await given.delivered()

    left = await forgotten(given, after_days=4)

    assert left == [f"{receiver.url}/crm"]


async def test_one_that_was_forgotten_is_told_as_before_when_a_macro_names_it_again(
    given: Given, receiver: Receiver
) -> None:
    conversation = await given.conversation()
    await pressed(given, receiver.url, conversation=conversation)
    await given.delivered()
    assert await forgotten(given, after_days=100) == []

    await pressed(given, receiver.url, conversation=conversation)
    await given.delivered()

    assert len(receiver.told) == 2
