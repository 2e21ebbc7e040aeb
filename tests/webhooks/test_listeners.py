"""Who is told of what, and what a failure does to a message."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from harness import Api, Given, World, links_of
from receivers import Receiver, Say, Told

from criachat.kit import clock
from criachat.messages.events import MessageCreated, MessageUpdated
from criachat.webhooks import operations
from criachat.webhooks.events import DeliveryFailed, DeliveryRecovered
from criachat.webhooks.listeners import mark_messages


async def hooked(given: Given, receiver: Receiver) -> Any:
    """A conversation in an API inbox whose URL is the receiver's; what happened so far was told."""
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    conversation = await given.conversation(inbox=inbox)
    await given.delivered()
    receiver.forget()
    return conversation


async def shown(api: Api, conversation: Any, message: Any) -> tuple[str, str | None]:
    """The message's status, and the error it shows."""
    thread = await api.get(f"/conversations/{conversation['id']}/messages")
    (found,) = [each for each in thread.json["payload"] if each["id"] == message["id"]]
    return found["status"], found["content_attributes"].get("external_error")


async def try_again(given: Given) -> None:
    """Be there when the next try of the account is due, and have it made and heard of."""
    deliveries = (await given.api.get("/deliveries?status=pending")).json["deliveries"]
    tries = [datetime.fromisoformat(each["next_try_at"]) for each in deliveries if each["tries"]]
    clock.travel(min(tries) - clock.now() + timedelta(milliseconds=10))
    await given.delivered()
    await given.delivered()


async def test_a_webhook_is_told_of_what_it_subscribed_to(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "contact_created", "message_created")
    conversation = await given.conversation()
    await given.message(conversation)
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})

    await given.delivered()

    assert [body["event"] for body in receiver.events()] == ["contact_created", "message_created"]


async def test_a_webhook_is_told_of_all_inboxes_also_when_it_names_one(given: Given, receiver: Receiver) -> None:
    app, shop = await given.inbox("App"), await given.inbox("Shop")
    await given.webhook(receiver.url, "conversation_created", inbox_id=app["id"])

    await given.conversation(inbox=app)
    await given.conversation(inbox=shop)
    await given.delivered()

    assert [body["inbox_id"] for body in receiver.events()] == [app["id"], shop["id"]]


async def test_the_address_of_an_api_inbox_is_told_of_everything_in_it_and_of_nothing_else(
    api: Api, given: Given, receiver: Receiver
) -> None:
    app = await given.inbox("App", channel={"webhook_url": receiver.url})
    elsewhere = await given.conversation(inbox=await given.inbox("Shop"))
    await given.message(elsewhere)
    conversation = await given.conversation(inbox=app)
    message = await given.message(conversation)
    await api.delete(f"/conversations/{conversation['id']}/messages/{message['id']}")
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})

    await given.delivered()

    told = Counter(body["event"] for body in receiver.events())
    assert told.keys() == {
        "conversation_created",
        "message_created",
        "message_updated",
        "conversation_updated",
        "conversation_status_changed",
    }
    assert {body.get("inbox_id", app["id"]) for body in receiver.events()} == {app["id"]}


async def test_what_a_receiver_wrote_itself_is_told_to_it_too(api: Api, given: Given, receiver: Receiver) -> None:
    conversation = await hooked(given, receiver)

    await given.message(conversation, "From the bridge", message_type="incoming", source_id="wamid.7")
    await given.delivered()

    (body,) = receiver.events("message_created")
    assert (body["message_type"], body["source_id"]) == ("incoming", "wamid.7")


async def test_the_same_address_is_told_once_by_each_who_named_it(given: Given, receiver: Receiver) -> None:
    conversation = await hooked(given, receiver)
    await given.webhook(receiver.url, "message_created")

    await given.message(conversation)
    await given.delivered()

    assert len(receiver.events("message_created")) == 2


async def test_another_account_is_not_told(given: Given, receiver: Receiver) -> None:
    others = await given.another_account()
    await others.webhook(receiver.url)

    await given.message(await given.conversation())
    await given.delivered()
    await others.delivered()

    assert receiver.told == []


async def test_an_event_that_is_handed_over_twice_is_told_once(given: Given, world: World, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    await given.message(await given.conversation())
    await given.delivered()
    events = await given.emitted(MessageCreated)

    for _ in range(2):
        async with world.parts.database.transaction() as tx:
            await operations.queue_deliveries(tx, events, links_of(world))
    await given.delivered()

    assert len(receiver.told) == 1


async def test_a_batch_of_events_is_two_statements_however_many_are_told(given: Given, world: World) -> None:
    for number in range(3):
        await given.webhook(f"https://crm{number}.example.com", "message_created")
    conversation = await given.conversation()
    for number in range(5):
        await given.message(conversation, f"Message {number}")
    events = await given.emitted(MessageCreated)

    async with world.parts.database.transaction() as tx:
        await tx.begin()
        with given.queries(at_most=2):
            await operations.queue_deliveries(tx, events, links_of(world))


async def test_a_message_that_an_api_inbox_does_not_take_is_failed_after_thirteen_minutes(
    api: Api, given: Given, receiver: Receiver
) -> None:
    conversation = await hooked(given, receiver)
    receiver.always_answers(500)
    message = await given.message(conversation)
    began = clock.now()

    await given.delivered()
    while (await shown(api, conversation, message))[0] == "sent":
        await try_again(given)

    assert await shown(api, conversation, message) == ("failed", "500 Internal Server Error")
    assert len(receiver.events("message_created")) == 6
    assert timedelta(minutes=10) < clock.now() - began < timedelta(minutes=16)
    (delivery,) = (await api.get("/deliveries?event=message_created")).json["deliveries"]
    assert (delivery["status"], delivery["next_try_at"] is not None) == ("pending", True)


async def test_a_later_success_takes_the_failure_back(api: Api, given: Given, receiver: Receiver) -> None:
    conversation = await hooked(given, receiver)
    receiver.will_answer(404)
    message = await given.message(conversation)
    await given.delivered()
    await given.delivered()
    failed = await shown(api, conversation, message)

    await try_again(given)

    assert failed == ("failed", "404 Not Found")
    assert await shown(api, conversation, message) == ("sent", None)
    assert len(receiver.events("message_created")) == 2


@pytest.mark.parametrize(
    ("status", "becomes"),
    [(400, "failed"), (401, "failed"), (410, "failed"), (422, "failed"), (429, "sent"), (500, "sent")],
)
async def test_a_definite_refusal_fails_a_message_at_once(
    api: Api, given: Given, receiver: Receiver, status: int, becomes: str
) -> None:
    conversation = await hooked(given, receiver)
    receiver.always_answers(status)
    message = await given.message(conversation)

    await given.delivered()
    await given.delivered()

    assert (await shown(api, conversation, message))[0] == becomes


async def test_a_receiver_that_takes_too_long_is_named_as_the_family_does(
    api: Api, given: Given, receiver: Receiver
) -> None:
    event = DeliveryFailed(
        account_id=given.account_id,
        message_id=(await given.message(conversation := await given.conversation()))["id"],
        delivery_id="0",
        target="api_inbox:1",
        error="Timed out reading data from server",
    )

    async with given.world.parts.database.transaction() as tx:
        await mark_messages(tx, [event])

    assert await shown(api, conversation, {"id": event.message_id}) == (
        "failed",
        "Timed out reading data from server",
    )


async def test_nothing_of_a_failed_delivery_goes_back_to_the_address_that_failed(
    api: Api, given: Given, receiver: Receiver
) -> None:
    async with Receiver().listening() as crm:
        await given.webhook(crm.url, "message_updated")
        await given.webhook(receiver.url, "message_updated")
        conversation = await hooked(given, receiver)
        receiver.will_answer(404)
        message = await given.message(conversation)
        await given.delivered()
        await given.delivered()

        await try_again(given)
        await given.delivered()

        assert receiver.events("message_updated") == []
        failed, recovered = crm.events("message_updated")
    assert failed["id"] == recovered["id"] == message["id"]
    assert failed["content_attributes"] == {"external_error": "404 Not Found"}
    assert recovered["content_attributes"] == {}
    (first, second) = await given.emitted(MessageUpdated)
    assert [first.snapshot.message.status, second.snapshot.message.status] == ["failed", "sent"]


async def test_a_message_that_came_in_stands_as_failed_too(api: Api, given: Given, receiver: Receiver) -> None:
    conversation = await hooked(given, receiver)
    receiver.always_answers(403)
    message = await given.message(conversation, message_type="incoming")

    await given.delivered()
    await given.delivered()

    assert await shown(api, conversation, message) == ("failed", "403 Forbidden")


async def test_no_other_failure_is_a_messages_own(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url)
    receiver.always_answers(403)
    conversation = await given.conversation(inbox=await given.inbox(channel={"webhook_url": f"{receiver.url}/inbox"}))
    await given.delivered()
    receiver.behave = refusing_accounts
    message = await given.message(conversation)
    await given.delivered()
    await given.delivered()

    assert await shown(api, conversation, message) == ("sent", None)
    assert await given.emitted(DeliveryFailed) == []


async def refusing_accounts(told: Told) -> Say:
    return Say(status=200 if told.path.endswith("/inbox") else 403)


async def test_a_failure_that_is_heard_of_twice_is_told_of_once(
    api: Api, given: Given, receiver: Receiver, world: World
) -> None:
    conversation = await hooked(given, receiver)
    receiver.will_answer(404)
    await given.message(conversation)
    await given.delivered()
    await given.delivered()
    (failure,) = await given.emitted(DeliveryFailed)

    async with world.parts.database.transaction() as tx:
        await mark_messages(tx, [failure, failure])

    assert len(await given.emitted(MessageUpdated)) == 1


async def test_a_message_that_is_gone_meanwhile_is_let_go(given: Given, world: World) -> None:
    events = [
        kind(account_id=given.account_id, message_id=2**60, delivery_id="0", target="api_inbox:1")
        for kind in (DeliveryFailed, DeliveryRecovered)
    ]

    async with world.parts.database.transaction() as tx:
        await mark_messages(tx, events)

    assert await given.emitted(MessageUpdated) == []


async def test_a_replay_that_succeeds_takes_the_failure_back(api: Api, given: Given, receiver: Receiver) -> None:
    conversation = await hooked(given, receiver)
    receiver.always_answers(500)
    message = await given.message(conversation)
    await given.delivered()
    while (await api.get("/deliveries?status=pending&event=message_created")).json["deliveries"]:
        await try_again(given)
    exhausted = await shown(api, conversation, message)
    receiver.always_answers(200)

    (delivery,) = (await api.get("/deliveries?status=exhausted&event=message_created")).json["deliveries"]
    await api.post(f"/deliveries/{delivery['id']}/replay")
    await given.delivered()
    await given.delivered()

    assert exhausted == ("failed", "500 Internal Server Error")
    assert await shown(api, conversation, message) == ("sent", None)
