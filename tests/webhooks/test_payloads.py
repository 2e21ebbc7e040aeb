"""What receivers read, value by value. That every key is there is what tests/contract compares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from harness import Api, Given, World, build_world, links_of, open_folder
from receivers import Receiver

from criachat.conversations.typing import TYPING_TOPIC, read_typing
from criachat.messages.events import MessageCreated
from criachat.webhooks import operations
from criachat.webhooks.payloads import WidgetOpened


async def told(given: Given, receiver: Receiver, *names: str) -> list[Any]:
    await given.delivered()
    return receiver.events(*names)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_message_is_told_with_its_whole_conversation(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    inbox = await given.inbox("WhatsApp bridge", channel={})
    contact = await given.contact("Ana", email=None, phone_number="+5511988887777", identifier="5511988887777@s.net")
    ana = await given.conversation(inbox=inbox, contact=contact, source_id="5511988887777")
    await api.post(f"/conversations/{ana['id']}/assignments", {"assignee_id": given.boss.id})
    await api.post(f"/conversations/{ana['id']}/labels", {"labels": ["shipping"]})

    message = await given.message(ana, "Your order left the warehouse.")

    (body,) = await told(given, receiver, "message_created")
    (event,) = [each for each in await given.emitted(MessageCreated) if each.message_id == message["id"]]
    at, conversation = event.snapshot.message.created_at, event.snapshot.conversation
    boss = {"id": given.boss.id, "name": "Beatriz", "email": given.boss.email, "type": "user"}
    boss_push = {
        "id": given.boss.id,
        "name": "Beatriz",
        "available_name": "Beatriz",
        "avatar_url": "",
        "type": "user",
        "availability_status": None,
        "thumbnail": "",
    }
    assert body == {
        "event": "message_created",
        "id": message["id"],
        "content": "Your order left the warehouse.",
        "content_type": "text",
        "content_attributes": {},
        "additional_attributes": {},
        "message_type": "outgoing",
        "private": False,
        "source_id": None,
        "created_at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        "sender": boss,
        "inbox": {"id": inbox["id"], "name": "WhatsApp bridge"},
        "account": {"id": given.account_id, "name": "Loja Azul"},
        "conversation": {
            "account": {"id": given.account_id, "name": "Loja Azul"},
            "additional_attributes": {},
            "can_reply": True,
            "channel": "Channel::Api",
            "contact_inbox": {
                "id": conversation.contact_inbox.id,
                "contact_id": contact["id"],
                "inbox_id": inbox["id"],
                "source_id": "5511988887777",
                "created_at": body["conversation"]["contact_inbox"]["created_at"],
                "updated_at": body["conversation"]["contact_inbox"]["updated_at"],
                "hmac_verified": False,
                "pubsub_token": None,
            },
            "id": ana["id"],
            "inbox_id": inbox["id"],
            "messages": [
                {
                    "id": message["id"],
                    "content": "Your order left the warehouse.",
                    "account_id": given.account_id,
                    "inbox_id": inbox["id"],
                    "conversation_id": ana["id"],
                    "message_type": 1,
                    "created_at": int(at.timestamp()),
                    "updated_at": body["conversation"]["messages"][0]["updated_at"],
                    "private": False,
                    "status": "sent",
                    "source_id": None,
                    "content_type": "text",
                    "content_attributes": {},
                    "sender_type": "User",
                    "sender_id": given.boss.id,
                    "external_source_ids": {},
                    "additional_attributes": {},
                    "processed_message_content": "Your order left the warehouse.",
                    "sentiment": {},
                    "conversation": {
                        "assignee_id": given.boss.id,
                        "unread_count": 0,
                        "last_activity_at": int(at.timestamp()),
                        "contact_inbox": {"source_id": "5511988887777"},
                    },
                    "sender": boss_push,
                }
            ],
            "labels": ["shipping"],
            "meta": {
                "sender": {
                    "additional_attributes": {},
                    "custom_attributes": {},
                    "email": None,
                    "id": contact["id"],
                    "identifier": "5511988887777@s.net",
                    "name": "Ana",
                    "phone_number": "+5511988887777",
                    "thumbnail": "",
                    "blocked": False,
                    "type": "contact",
                },
                "assignee": boss_push,
                "assignee_type": "User",
                "team": None,
                "hmac_verified": False,
            },
            "status": "open",
            "custom_attributes": {},
            "snoozed_until": None,
            "unread_count": 0,
            "first_reply_created_at": body["created_at"],
            "priority": None,
            "waiting_since": 0,
            "agent_last_seen_at": int((conversation.agent_last_seen_at or datetime.fromtimestamp(0, UTC)).timestamp()),
            "contact_last_seen_at": 0,
            "last_activity_at": int(at.timestamp()),
            "timestamp": int(at.timestamp()),
            "created_at": ana["created_at"],
            "updated_at": conversation.updated_at.timestamp(),
        },
    }


async def test_a_contact_who_writes_is_told_of_without_a_type(given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    contact = await given.contact("Rosa", custom_attributes={"plan": "gold"})
    conversation = await given.conversation(contact=contact)

    await given.message(conversation, "Oi!", message_type="incoming", source_id="wamid.1")

    (body,) = await told(given, receiver)
    assert body["sender"] == {
        "account": {"id": given.account_id, "name": "Loja Azul"},
        "additional_attributes": {},
        "avatar": "",
        "custom_attributes": {"plan": "gold"},
        "email": contact["email"],
        "id": contact["id"],
        "identifier": None,
        "name": "Rosa",
        "phone_number": None,
        "thumbnail": "",
        "blocked": False,
    }
    assert (body["message_type"], body["source_id"]) == ("incoming", "wamid.1")
    assert body["conversation"]["unread_count"] == 1
    assert body["conversation"]["waiting_since"] == body["conversation"]["messages"][0]["created_at"]


async def test_a_bot_that_answers_is_told_of_as_one(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    bot = await given.bot("Robô")
    conversation = await given.conversation()

    await api.acting_as(bot).post(f"/conversations/{conversation['id']}/messages", {"content": "Olá!"})

    (body,) = await told(given, receiver)
    assert body["sender"] == {"id": bot.id, "name": "Robô", "type": "agent_bot"}
    assert body["conversation"]["messages"][0]["sender"] == {
        "id": bot.id,
        "name": "Robô",
        "avatar_url": "",
        "type": "agent_bot",
    }


async def test_private_notes_are_told_and_never_shown_as_the_newest_message(given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    public = await given.message(conversation, "Olá!")

    await given.message(conversation, "She pays late.", private=True)

    _, body = await told(given, receiver)
    assert (body["content"], body["private"]) == ("She pays late.", True)
    assert [each["id"] for each in body["conversation"]["messages"]] == [public["id"]]


async def test_activities_are_told_to_nobody(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created", "message_updated")
    inbox = await given.inbox(channel={"webhook_url": f"{receiver.url}/inbox"})
    conversation = await given.conversation(inbox=inbox)

    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    await given.delivered()

    thread = await api.get(f"/conversations/{conversation['id']}/messages")
    assert [each["message_type"] for each in thread.json["payload"]] == [2]
    assert await told(given, receiver, "message_created", "message_updated") == []


async def test_what_the_product_says_by_itself_has_no_sender(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    inbox = await given.inbox(greeting_enabled=True, greeting_message="Welcome!")
    conversation = await given.conversation(inbox=inbox)

    await given.message(conversation, "Oi!", message_type="incoming")
    await given.delivered()

    _, body = await told(given, receiver)
    assert (body["content"], body["message_type"], body["sender"]) == ("Welcome!", "template", None)
    assert "sender" not in body["conversation"]["messages"][0]


async def test_files_are_told_by_addresses_that_anybody_may_fetch(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()

    await api.post(
        f"/conversations/{conversation['id']}/messages",
        data={"content": "The bill"},
        files={"attachments[]": ("bill.txt", b"42 reais", "text/plain")},
    )

    (body,) = await told(given, receiver)
    (attachment,) = body["attachments"]
    assert body["conversation"]["messages"][0]["attachments"] == [attachment]
    assert (attachment["file_type"], attachment["file_size"]) == ("file", 8)
    address = attachment["data_url"].removeprefix("http://criachat.test")
    fetched = await api.acting_as(None).get(address)
    while fetched.status in (301, 302):
        fetched = await api.acting_as(None).get(fetched.headers["location"].removeprefix("http://criachat.test"))
    assert (fetched.status, fetched.body) == (200, b"42 reais")


async def test_markdown_breaks_are_told_as_plain_ones(given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()

    await given.message(conversation, "One\\\ntwo **three**\n\n")

    (body,) = await told(given, receiver)
    newest = body["conversation"]["messages"][0]
    assert body["content"] == newest["content"] == newest["processed_message_content"] == "One\ntwo **three**"


async def test_a_survey_is_told_with_the_address_where_it_is_answered(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation(inbox=await given.inbox(csat_survey_enabled=True))

    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    await given.delivered()
    await given.delivered()

    (body,) = [each for each in receiver.events() if each["content_type"] == "input_csat"]
    assert body["content"].endswith(f" http://criachat.test/survey/responses/{conversation['uuid']}")
    assert (await api.acting_as(None).get(f"/public/api/v1/csat_survey/{conversation['uuid']}")).status == 200


async def test_a_message_taken_back_is_told_as_updated(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_updated")
    conversation = await given.conversation()
    message = await given.message(conversation, "Oops")

    await api.delete(f"/conversations/{conversation['id']}/messages/{message['id']}")

    (body,) = await told(given, receiver)
    assert (body["id"], body["content"]) == (message["id"], "This message was deleted")
    assert body["content_attributes"] == {"deleted": True}


async def test_a_new_conversation_is_told_of_as_it_was_then(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "conversation_created")
    conversation = await given.conversation()
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})

    (body,) = await told(given, receiver)

    assert (body["event"], body["id"], body["status"]) == ("conversation_created", conversation["id"], "open")
    assert (body["messages"], body["unread_count"], body["snoozed_until"]) == ([], 0, None)
    assert "changed_attributes" not in body


async def test_a_changed_conversation_is_told_with_what_changed(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "conversation_updated")
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"

    await api.post(f"{path}/labels", {"labels": ["vip", "orders"]})
    await api.post(f"{path}/toggle_priority", {"priority": "high"})

    labelled, urgent = await told(given, receiver)
    assert {"label_list": {"previous_value": [], "current_value": ["vip", "orders"]}} in labelled["changed_attributes"]
    assert sorted(labelled["labels"]) == ["orders", "vip"]
    assert {"priority": {"previous_value": None, "current_value": "high"}} in urgent["changed_attributes"]
    assert all(len(change) == 1 for change in (*labelled["changed_attributes"], *urgent["changed_attributes"]))
    before, after = next(
        change["updated_at"].values() for change in urgent["changed_attributes"] if "updated_at" in change
    )
    assert moment(before) < moment(after)


async def test_a_changed_status_is_told_without_saying_what_it_was(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "conversation_status_changed")
    conversation = await given.conversation()

    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})

    (body,) = await told(given, receiver)
    assert (body["status"], body["changed_attributes"]) == ("resolved", None)


async def test_a_contact_is_told_of_with_what_changed(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "contact_created", "contact_updated")

    contact = await given.contact("Rosa")
    await api.patch(f"/contacts/{contact['id']}", {"name": "Rosa Lind", "custom_attributes": {"plan": "gold"}})

    created, updated = await told(given, receiver)
    assert created == {
        "event": "contact_created",
        "account": {"id": given.account_id, "name": "Loja Azul"},
        "additional_attributes": {},
        "avatar": "",
        "custom_attributes": {},
        "email": contact["email"],
        "id": contact["id"],
        "identifier": None,
        "name": "Rosa",
        "phone_number": None,
        "thumbnail": "",
        "blocked": False,
    }
    changes = updated.pop("changed_attributes")
    assert updated == {
        **created,
        "event": "contact_updated",
        "name": "Rosa Lind",
        "custom_attributes": {"plan": "gold"},
    }
    assert {"name": {"previous_value": "Rosa", "current_value": "Rosa Lind"}} in changes
    assert {"custom_attributes": {"previous_value": {}, "current_value": {"plan": "gold"}}} in changes


async def test_who_types_is_told_of(api: Api, given: Given, receiver: Receiver, worker: None) -> None:
    await given.webhook(receiver.url, "conversation_typing_on", "conversation_typing_off")
    inbox = await given.inbox()
    session = await given.session(inbox)
    contact = api.acting_as(None)
    path = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts/{session['source_id']}/conversations"
    conversation = (await contact.post(path, {})).json

    await api.post(
        f"/conversations/{conversation['id']}/toggle_typing_status", {"typing_status": "on", "is_private": True}
    )
    await receiver.until(1)
    await contact.post(f"{path}/{conversation['id']}/toggle_typing", {"typing_status": "off"})
    await receiver.until(2)

    on, off = receiver.events()
    assert (on["event"], on["is_private"]) == ("conversation_typing_on", True)
    assert on["user"] == {"id": given.boss.id, "name": "Beatriz", "email": given.boss.email, "type": "user"}
    assert on["conversation"]["id"] == off["conversation"]["id"] == conversation["id"]
    assert (off["event"], off["is_private"]) == ("conversation_typing_off", False)
    assert (off["user"]["name"], "type" in off["user"]) == ("Rosa Lind", False)


async def test_who_types_is_told_of_once_however_many_workers_hear_of_it(
    api: Api, given: Given, world: World, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "conversation_typing_on")
    conversation = await given.conversation()
    heard: list[bytes] = []
    world.parts.signals.subscribe(TYPING_TOPIC, heard.append)
    path = f"/conversations/{conversation['id']}/toggle_typing_status"
    await api.post(path, {"typing_status": "on"})
    await api.post(path, {"typing_status": "on"})
    world.parts.signals.unsubscribe(TYPING_TOPIC, heard.append)

    for message in (*heard, *heard):
        async with world.parts.database.transaction() as tx:
            await operations.queue_typing(tx, read_typing(message), links_of(world))

    assert len(await told(given, receiver)) == len(heard) == 2


async def test_an_opened_widget_is_told_of(given: Given, world: World, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "webwidget_triggered")
    conversation = await given.conversation()
    await given.message(conversation, "Olá!")
    (event,) = await given.emitted(MessageCreated)
    snapshot = event.snapshot.conversation
    opened = WidgetOpened(
        account=snapshot.account,
        inbox=snapshot.inbox,
        contact=snapshot.contact,
        contact_inbox=snapshot.contact_inbox,
        current_conversation=snapshot,
        event_info={"referer": "https://shop.example.com/p/1"},
    )

    async with world.parts.database.transaction() as tx:
        await operations.queue_widget_opened(tx, opened, links_of(world))

    (body,) = await told(given, receiver)
    assert (body["event"], body["id"]) == ("webwidget_triggered", snapshot.contact_inbox.id)
    assert body["current_conversation"]["id"] == conversation["id"]
    assert body["event_info"] == {"referer": "https://shop.example.com/p/1"}


@pytest.fixture
async def world_that_tells_of_inboxes(world: World) -> Any:
    with open_folder() as folder:
        async with build_world(world.parts.database.url, folder, enable_inbox_events=True) as other:
            yield other


async def test_inboxes_are_told_of_where_that_is_switched_on(
    world_that_tells_of_inboxes: World, receiver: Receiver
) -> None:
    given = await Given.in_new_account(world_that_tells_of_inboxes)
    await given.webhook(receiver.url, "inbox_created", "inbox_updated")

    inbox = await given.inbox("App", channel={"webhook_url": f"{receiver.url}/inbox"})
    await given.api.patch(f"/inboxes/{inbox['id']}", {"name": "Loja", "greeting_enabled": True})

    created, updated = await told(given, receiver)
    assert (created["event"], created["id"], created["name"]) == ("inbox_created", inbox["id"], "App")
    assert created["account"] == {"id": given.account_id, "name": "Loja Azul"}
    assert [day["day_of_week"] for day in created["working_hours"]] == list(range(7))
    assert updated["greeting_enabled"]
    changes = [change for change in updated["changed_attributes"] if "updated_at" not in change]
    assert changes == [
        {"greeting_enabled": {"previous_value": False, "current_value": True}},
        {"name": {"previous_value": "App", "current_value": "Loja"}},
    ] or changes == [
        {"name": {"previous_value": "App", "current_value": "Loja"}},
        {"greeting_enabled": {"previous_value": False, "current_value": True}},
    ]
    sent = b"".join(each.body for each in receiver.told).decode()
    for secret in (inbox["secret"], inbox["hmac_token"], inbox["inbox_identifier"], f"{receiver.url}/inbox"):
        assert secret not in sent


async def test_inboxes_are_told_of_to_nobody_otherwise(given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "inbox_created", "inbox_updated")

    await given.inbox()

    assert await told(given, receiver) == []


async def test_nobody_is_told_how_to_listen_as_the_contact(given: Given, receiver: Receiver) -> None:
    inbox = await given.inbox(channel={"webhook_url": f"{receiver.url}/app"})
    await given.webhook(receiver.url)
    session = await given.session(inbox)
    door = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts/{session['source_id']}"
    conversation = (await given.api.post(f"{door}/conversations", {})).json
    await given.api.post(f"{door}/conversations/{conversation['id']}/messages", {"content": "Olá"})
    await given.delivered()

    assert {each.json["event"] for each in receiver.told} >= {"conversation_created", "message_created"}
    assert not any(session["pubsub_token"].encode() in each.body for each in receiver.told)
