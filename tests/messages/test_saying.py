"""What a message does beside being there: to its conversation, to its contact, and in the log."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from harness import Api, Given

from criachat.conversations.events import ConversationOpened, ConversationStatusChanged, ConversationUpdated
from criachat.kit import clock
from criachat.messages.events import FirstReplyCreated, MessageCreated, ReplyCreated

Conversation = dict[str, Any]


def path_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation['id']}/messages"


async def shown(api: Api, conversation: Conversation) -> dict[str, Any]:
    return (await api.get(f"/conversations/{conversation['id']}")).json


async def told(given: Given) -> list[str]:
    """The names of the account's events since its last conversation was made, in their order."""
    async with given.world.parts.database.reading() as db:
        names = await db.fetch_values("SELECT name FROM events WHERE account_id = $1 ORDER BY id", given.account_id)
    return names[names.index("conversation_created") + 1 :]


async def test_every_message_is_told_of_with_what_it_says(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa Lind")
    inbox = await given.inbox("App")
    conversation = await given.conversation(inbox=inbox, contact=contact)

    said = await given.message(conversation, "Olá!", echo_id="c1", content_attributes={"a": [1]})

    (event,) = await given.emitted(MessageCreated)
    message, place = event.snapshot.message, event.snapshot.conversation
    assert (event.message_id, event.inbox_id, event.contact_id) == (said["id"], inbox["id"], contact["id"])
    assert (event.actor_type, event.actor_id, event.performer.id) == ("user", given.boss.id, given.boss.id)
    assert (message.id, message.content, message.content_attributes) == (said["id"], "Olá!", {"a": [1]})
    assert (message.conversation_id, message.sender.id, message.status) == (conversation["id"], given.boss.id, "sent")
    assert (place.id, place.contact.name, place.inbox.name) == (conversation["id"], "Rosa Lind", "App")
    assert place.last_activity_at == message.created_at
    assert event.snapshot.newest_public == message
    assert event.snapshot.echo_id == "c1"
    assert event.changes is None


@pytest.mark.parametrize(
    ("fields", "unread"),
    [
        ({"message_type": "incoming"}, 1),
        ({"message_type": "outgoing"}, 0),
        ({"private": True}, 0),
        ({"message_type": "activity"}, 0),
        ({"message_type": "template"}, 0),
    ],
)
async def test_any_message_is_a_sign_of_life_and_incoming_ones_are_unread(
    api: Api, given: Given, fields: dict[str, Any], unread: int
) -> None:
    conversation = await given.conversation()
    clock.travel(timedelta(minutes=3))

    said = await given.message(conversation, **fields)

    after = await shown(api, conversation)
    assert after["last_activity_at"] == after["timestamp"] == said["created_at"]
    assert after["last_activity_at"] >= conversation["last_activity_at"] + 180
    assert after["updated_at"] > conversation["updated_at"]
    assert after["unread_count"] == unread
    assert after["messages"][0]["id"] == said["id"]
    assert after["messages"][0]["conversation"]["unread_count"] == unread


async def test_unread_messages_are_counted_to_ten(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for _ in range(12):
        await given.message(conversation, message_type="incoming")

    assert (await shown(api, conversation))["unread_count"] == 10
    await api.post(f"/conversations/{conversation['id']}/update_last_seen")
    await given.message(conversation, message_type="incoming")
    assert (await shown(api, conversation))["unread_count"] == 1


async def test_what_lists_show_is_kept_with_each_message(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    public = await given.message(conversation, "Olá!")
    note = await given.message(conversation, "Só nós", private=True)
    activity = await given.message(conversation, "Rita entrou", message_type="activity")

    after = await shown(api, conversation)

    assert after["messages"][0]["id"] == activity["id"]
    assert after["last_non_activity_message"]["id"] == note["id"]
    newest = [event.snapshot.newest_public.id for event in await given.emitted(MessageCreated)]
    assert newest == [public["id"]] * 3


async def test_the_contact_shows_life_without_an_event_of_its_own(api: Api, given: Given) -> None:
    contact = await given.contact()
    conversation = await given.conversation(contact=contact)

    said = await given.message(conversation, message_type="incoming")
    await given.message(conversation, "Resposta")

    payload = (await api.get(f"/contacts/{contact['id']}")).json["payload"]
    assert payload["last_activity_at"] == said["created_at"]
    assert "contact_updated" not in await told(given)


# Waiting, and the first reply


async def test_the_first_reply_ends_the_waiting_and_is_told_of_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    said = await given.message(conversation, "Olá!")
    after = await shown(api, conversation)

    assert conversation["waiting_since"] == conversation["created_at"]
    assert (after["first_reply_created_at"], after["waiting_since"]) == (said["created_at"], 0)
    assert await told(given) == ["message_created", "first_reply_created", "conversation_updated"]
    (updated,) = await given.emitted(ConversationUpdated)
    assert set(updated.changes) == {"waiting_since", "first_reply_created_at", "updated_at"}
    assert updated.cause == f"message:{said['id']}"
    (first,) = await given.emitted(FirstReplyCreated)
    assert first.snapshot.message.id == said["id"]


async def test_later_replies_are_told_of_when_somebody_waited(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await given.message(conversation, "Olá!")
    asked = await given.message(conversation, "Onde?", message_type="incoming")
    await given.message(conversation, "Alô?", message_type="incoming")
    waiting = await shown(api, conversation)

    await given.message(conversation, "Aqui.")
    await given.message(conversation, "Mais algo?")

    assert waiting["waiting_since"] == asked["created_at"]
    after = await shown(api, conversation)
    assert (after["waiting_since"], after["first_reply_created_at"]) == (0, waiting["first_reply_created_at"])
    (reply,) = await given.emitted(ReplyCreated)
    assert reply.snapshot.message.content == "Aqui."
    assert datetime.fromisoformat(reply.waiting_since).timestamp() == pytest.approx(asked["created_at"], abs=1)
    assert len(await given.emitted(FirstReplyCreated)) == 1
    assert await told(given) == [
        "message_created",
        "first_reply_created",
        "conversation_updated",
        "message_created",
        "conversation_updated",
        "message_created",
        "message_created",
        "reply_created",
        "conversation_updated",
        "message_created",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"private": True},
        {"message_type": "template"},
        {"message_type": "activity"},
        {"campaign_id": 7},
        {"content_attributes": {"automation_rule_id": 3}},
    ],
)
async def test_what_no_person_says_to_the_contact_is_no_reply(api: Api, given: Given, fields: dict[str, Any]) -> None:
    conversation = await given.conversation()

    await given.message(conversation, **fields)

    after = await shown(api, conversation)
    assert (after["first_reply_created_at"], after["waiting_since"]) == (0, conversation["waiting_since"])
    assert await told(given) == ["message_created"]


async def test_a_bot_ends_the_waiting_without_replying_first(api: Api, given: Given) -> None:
    bot = await given.bot()
    conversation = await given.conversation()

    await api.acting_as(bot).post(path_of(conversation), {"content": "Só nós", "private": True})
    still_waiting = await shown(api, conversation)
    await api.acting_as(bot).post(path_of(conversation), {"content": "Olá!"})

    after = await shown(api, conversation)
    assert still_waiting["waiting_since"] > 0
    assert (after["first_reply_created_at"], after["waiting_since"]) == (0, 0)
    assert await told(given) == ["message_created", "message_created", "conversation_updated"]
    (event, _) = await given.emitted(MessageCreated)
    assert (event.actor_type, event.actor_id, event.performer.id) == ("agent_bot", bot.id, bot.id)


# Opening again


@pytest.mark.parametrize(
    ("before", "after"), [("resolved", "open"), ("snoozed", "open"), ("pending", "pending"), ("open", "open")]
)
async def test_an_incoming_message_opens_what_was_closed(api: Api, given: Given, before: str, after: str) -> None:
    conversation = await given.conversation(status=before)

    await given.message(conversation, message_type="incoming")

    now = await shown(api, conversation)
    assert (now["status"], now["snoozed_until"]) == (after, None)
    opens = before != after
    assert len(await given.emitted(ConversationOpened)) == int(opens)
    assert [event.changes for event in await given.emitted(ConversationStatusChanged)] == (
        [{"status": [before, after]}] if opens else []
    )
    if opens:
        assert (await told(given))[:3] == ["conversation_opened", "conversation_status_changed", "message_created"]
        (updated,) = await given.emitted(ConversationUpdated)
        assert updated.changes["status"] == [before, after]


async def test_a_bot_takes_over_what_was_resolved(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    conversation = await given.conversation(inbox=inbox, status="resolved")
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE inboxes SET has_active_bot = true WHERE account_id = $1", given.account_id)

    await given.message(conversation, message_type="incoming")

    assert (await shown(api, conversation))["status"] == "pending"
    assert await given.emitted(ConversationOpened) == []


async def test_a_blocked_contact_opens_nothing(api: Api, given: Given) -> None:
    contact = await given.contact()
    conversation = await given.conversation(contact=contact)
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    assert (await api.patch(f"/contacts/{contact['id']}", {"blocked": True})).status == 200

    said = await given.message(conversation, message_type="incoming")

    after = await shown(api, conversation)
    assert (after["status"], after["messages"][0]["id"]) == ("resolved", said["id"])


async def test_what_we_say_opens_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation(status="resolved")

    await given.message(conversation, "Até logo!")

    assert (await shown(api, conversation))["status"] == "resolved"


# At once


async def test_thirty_two_writers_in_one_conversation_lose_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    replies = await asyncio.gather(
        *(api.post(path_of(conversation), {"content": f"{n}", "message_type": "incoming"}) for n in range(32))
    )

    assert {reply.status for reply in replies} == {200}
    params = {"after": 0, "before": 2**62}
    thread = (await api.get(path_of(conversation), params=params)).json["payload"]
    assert {each["content"] for each in thread} == {f"{n}" for n in range(32)}
    async with given.world.parts.database.reading() as db:
        unread = await db.fetch_value("SELECT unread_count FROM conversations WHERE account_id = $1", given.account_id)
    assert unread == 32
    assert (await shown(api, conversation))["messages"][0]["id"] == thread[-1]["id"]
    told_of = [event.message_id for event in await given.emitted(MessageCreated)]
    assert sorted(told_of) == sorted(reply.json["id"] for reply in replies)


async def test_of_two_first_replies_at_once_one_is_the_first(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    await asyncio.gather(*(given.message(conversation, f"{n}") for n in range(8)))

    (first,) = await given.emitted(FirstReplyCreated)
    thread = (await api.get(path_of(conversation))).json["payload"]
    assert first.message_id == thread[0]["id"]
    assert len(await given.emitted(ConversationUpdated)) == 1


async def test_times_within_a_conversation_never_go_back(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    clock.travel(timedelta(hours=1))
    await given.message(conversation, "Antes")
    clock.travel(timedelta(hours=-1))

    await given.message(conversation, "Depois")

    created = [event.snapshot.message.created_at for event in await given.emitted(MessageCreated)]
    assert created[0] < created[1]
    thread = (await api.get(path_of(conversation))).json["payload"]
    assert [each["content"] for each in thread] == ["Antes", "Depois"]
