from __future__ import annotations

from typing import Any

from harness import Api, Given

from criachat.contacts.events import ContactUpdated
from criachat.conversations.events import ConversationMuted, ConversationStatusChanged, ConversationUnmuted


async def shown(api: Api, conversation: Any) -> Any:
    return (await api.get(f"/conversations/{conversation['id']}")).json


async def said_by_itself(api: Api, conversation: Any) -> list[str]:
    thread = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    return [message["content"] for message in thread if message["message_type"] == 2]


async def test_muting_resolves_it_and_mutes_every_conversation_of_the_contact(api: Api, given: Given) -> None:
    inbox, rosa = await given.inbox(), await given.contact()
    ana = await given.agent("Ana", inbox=inbox)
    conversation, another = [await given.conversation(inbox=inbox, contact=rosa) for _ in range(2)]

    reply = await api.acting_as(ana).post(f"/conversations/{conversation['id']}/mute")
    await given.relayed()

    after, beside = await shown(api, conversation), await shown(api, another)
    assert (reply.status, reply.body) == (200, b"")
    assert (after["muted"], after["status"], after["meta"]["sender"]["blocked"]) == (True, "resolved", True)
    assert (beside["muted"], beside["status"]) == (True, "open")
    (told,) = await given.emitted(ContactUpdated)
    assert told.changes["blocked"] == [False, True]
    (muted,) = await given.emitted(ConversationMuted)
    assert (muted.performer.id, muted.snapshot.contact.blocked) == (ana.id, True)
    assert await said_by_itself(api, conversation) == [
        "Conversation was resolved by Ana",
        "Ana muted this conversation",
    ]


async def test_who_is_muted_writes_without_opening_anything(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await api.post(f"/conversations/{conversation['id']}/mute")

    await given.message(conversation, "Alô?", message_type="incoming")

    assert (await shown(api, conversation))["status"] == "resolved"


async def test_unmuting_hears_the_contact_again_and_leaves_the_status(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await api.post(f"/conversations/{conversation['id']}/mute")

    reply = await api.post(f"/conversations/{conversation['id']}/unmute")
    await given.relayed()

    after = await shown(api, conversation)
    assert (reply.status, reply.body) == (200, b"")
    assert (after["muted"], after["status"]) == (False, "resolved")
    assert (await said_by_itself(api, conversation))[-1] == "Beatriz unmuted this conversation"


async def test_muting_and_unmuting_twice_is_told_once(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    for action in ("mute", "mute", "unmute", "unmute"):
        assert (await api.post(f"/conversations/{conversation['id']}/{action}")).status == 200

    told = [await given.emitted(kind) for kind in (ConversationMuted, ConversationUnmuted, ConversationStatusChanged)]
    assert [len(events) for events in told] == [1, 1, 1]
