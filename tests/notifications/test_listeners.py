from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from apps import open_app
from harness import Api, Given, Person

from criachat.conversations.events import AssigneeChanged
from criachat.messages.events import MessageCreated
from criachat.notifications.events import NotificationCreated, NotificationDeleted
from criachat.notifications.listeners import notify

Listed = Callable[..., Awaitable[list[Any]]]


def kinds(notifications: list[Any]) -> list[str]:
    return [each["notification_type"] for each in notifications]


async def assign(api: Api, conversation: Any, person: Person) -> None:
    reply = await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": person.id})
    assert reply.status == 200, reply.body


async def take_part(api: Api, conversation: Any, *people: Person) -> None:
    path = f"/conversations/{conversation['id']}/participants"
    assert (await api.post(path, {"user_ids": [person.id for person in people]})).status == 200


async def choose(api: Api, person: Person, *push_flags: str) -> None:
    flags = {"selected_email_flags": [], "selected_push_flags": push_flags}
    reply = await api.acting_as(person).patch("/notification_settings", {"notification_settings": flags})
    assert reply.status == 200, reply.body


async def test_who_is_handed_a_conversation_is_told(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)

    await assign(api, conversation, ana)

    (notification,) = await told(ana)
    assert notification["notification_type"] == "conversation_assignment"
    assert notification["push_message_title"] == f"A conversation (#{conversation['id']}) has been assigned to you"
    assert notification["primary_actor"]["id"] == conversation["id"]
    assert notification["secondary_actor"]["name"] == given.boss.name
    assert notification["user"]["id"] == ana.id
    assert await told(given.boss) == []


async def test_who_takes_a_conversation_knows_that(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)

    await assign(api.acting_as(ana), await given.conversation(inbox=inbox), ana)

    assert await told(ana) == []


async def test_a_conversation_that_a_bot_still_has_is_nobodys_news(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)

    await assign(api, await given.conversation(inbox=inbox, status="pending"), ana)

    assert await told(ana) == []


async def test_what_is_said_is_told_to_the_assignee_and_those_who_take_part_but_not_to_who_said_it(
    api: Api, given: Given, told: Listed
) -> None:
    inbox = await given.inbox()
    ana, davi, eva = [await given.agent(name, inbox=inbox) for name in ("Ana", "Davi", "Eva")]
    conversation = await given.conversation(inbox=inbox)
    await assign(api, conversation, ana)
    await take_part(api, conversation, davi, eva)

    said = await api.acting_as(eva).post(
        f"/conversations/{conversation['id']}/messages",
        {"content": "**Olá** Rosa, um dois três quatro cinco seis sete oito nove"},
    )

    (to_ana,), (to_davi,) = await told(ana), await told(davi)
    assert to_ana["notification_type"] == "assigned_conversation_new_message"
    assert to_davi["notification_type"] == "participating_conversation_new_message"
    assert to_ana["push_message_title"] == f"A new message in conversation (#{conversation['id']})"
    assert to_ana["push_message_body"] == "Eva: Olá Rosa, um dois três quatro cinco seis sete oito…"
    assert to_ana["secondary_actor"]["id"] == said.json["id"]
    assert await told(eva) == []


async def test_a_contact_is_heard_by_the_assignee(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    app = await open_app(given, inbox, name="Rosa Lind")
    conversation = await app.conversation()
    await assign(api, conversation, ana)

    await app.say(conversation, "Meu pedido não chegou")

    (notification,) = await told(ana)
    assert notification["push_message_body"] == "Rosa Lind: Meu pedido não chegou"


async def test_of_a_conversation_a_person_keeps_the_newest_notification(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    await assign(api, conversation, ana)
    (first,) = await told(ana)
    await api.acting_as(ana).patch(f"/notifications/{first['id']}")

    await given.message(conversation, "Olá")
    (second,) = await told(ana)
    await given.message(conversation, "Alô")
    (third,) = await told(ana, **{"includes[]": ["read"]})

    assert first["id"] < second["id"] < third["id"]
    assert third["push_message_body"] == "Beatriz: Alô"
    gone = [each.id for event in await given.emitted(NotificationDeleted) for each in event.notifications]
    assert gone == [first["id"], second["id"]]


async def test_who_is_mentioned_is_told_of_that_and_of_nothing_else(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana, davi = [await given.agent(name, inbox=inbox) for name in ("Ana", "Davi")]
    conversation = await given.conversation(inbox=inbox)
    await assign(api, conversation, ana)
    await given.relayed()

    note = f"[@Ana](mention://user/{ana.id}/Ana) [@Davi](mention://user/{davi.id}/Davi) olhem isso"
    await given.message(conversation, note, private=True)

    for person in (ana, davi):
        (notification,) = await told(person)
        assert notification["notification_type"] == "conversation_mention"
        assert notification["push_message_body"] == "Beatriz: @Ana @Davi olhem isso"
    told_of = [each.user.id for event in await given.emitted(NotificationCreated) for each in event.notifications]
    assert sorted(told_of) == sorted([ana.id, ana.id, davi.id])


async def test_who_mentions_themself_is_not_told(api: Api, given: Given, told: Listed) -> None:
    conversation = await given.conversation()

    await given.message(conversation, f"[@B](mention://user/{given.boss.id}/B)", private=True)

    assert await told(given.boss) == []


async def test_a_blocked_contact_disturbs_nobody_but_a_colleague_who_asks_does(
    api: Api, given: Given, told: Listed
) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    contact = await given.contact()
    conversation = await given.conversation(inbox=inbox, contact=contact)
    assert (await api.patch(f"/contacts/{contact['id']}", {"blocked": True})).status == 200

    await assign(api, conversation, ana)
    await given.message(conversation, "Olá")
    unheard = await told(ana)
    await given.message(conversation, f"[@Ana](mention://user/{ana.id}/Ana)", private=True)

    assert unheard == []
    assert kinds(await told(ana)) == ["conversation_mention"]


async def test_new_conversations_are_told_to_members_of_the_inbox_who_want_to_know(
    api: Api, given: Given, told: Listed
) -> None:
    inbox = await given.inbox()
    ana, davi = [await given.agent(name, inbox=inbox) for name in ("Ana", "Davi")]
    eva = await given.agent("Eva")
    for person in (ana, eva):
        await choose(api, person, "push_conversation_creation")

    await given.conversation(inbox=inbox)
    pending = await given.conversation(inbox=inbox, status="pending")
    before = await told(ana)
    await api.acting_as(await given.bot()).post(f"/conversations/{pending['id']}/toggle_status", {"status": "open"})

    assert kinds(before) == ["conversation_creation"]
    assert kinds(await told(ana)) == ["conversation_creation"] * 2
    assert await told(davi) == await told(eva) == []


async def test_who_cannot_open_the_conversation_is_told_nothing(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    await take_part(api, conversation, ana)
    await given.message(conversation, "Olá")
    before = await told(ana)

    assert (await api.delete("/inbox_members", json={"inbox_id": inbox["id"], "user_ids": [ana.id]})).status == 200
    after = await told(ana)
    await given.message(conversation, "Alô")

    assert (kinds(before), after) == (["participating_conversation_new_message"], [])
    assert len(await given.emitted(NotificationCreated)) == 1


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        (["conversation_manage"], {"mine", "nobody's", "taking part", "of Davi"}),
        (["conversation_unassigned_manage"], {"mine", "nobody's"}),
        (["conversation_participating_manage"], {"mine", "taking part"}),
        (["report_manage"], set[str]()),
    ],
)
async def test_a_custom_role_is_told_of_what_it_may_open_and_lists_no_more_than_that(
    api: Api, given: Given, told: Listed, permissions: list[str], shown: set[str]
) -> None:
    inbox = await given.inbox()
    ana, davi = [await given.agent(name, inbox=inbox) for name in ("Ana", "Davi")]
    await choose(api, ana, "push_conversation_creation")
    of = {name: await given.conversation(inbox=inbox) for name in ("mine", "nobody's", "taking part", "of Davi")}
    for name, person in {"mine": ana, "taking part": davi, "of Davi": davi}.items():
        await assign(api, of[name], person)
    names = {conversation["id"]: name for name, conversation in of.items()}
    await take_part(api, of["taking part"], ana)
    before = await told(ana)
    made = len(await given.emitted(NotificationCreated))
    await given.custom_role(*permissions, of=ana)

    listed = await told(ana)
    unread = (await api.acting_as(ana).get("/notifications/unread_count")).json
    for conversation in of.values():
        note = f"[@Ana](mention://user/{ana.id}/Ana)"
        await given.message(conversation, note, private=True)
    mentioned = await told(ana)

    assert {names[each["primary_actor"]["id"]] for each in before} == {*of}
    assert {names[each["primary_actor"]["id"]] for each in listed} == shown
    assert unread == len(shown)
    # Whoever is mentioned takes part from then on.
    opens = {*of} if "conversation_participating_manage" in permissions else shown
    assert {names[each["primary_actor"]["id"]] for each in mentioned} == opens
    told_since = (await given.emitted(NotificationCreated))[made:]
    told_her = [event for event in told_since if ana.id in [each.user.id for each in event.notifications]]
    assert {names[event.snapshot.conversation.id] for event in told_her} == opens


async def test_an_event_delivered_twice_is_told_once(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    await assign(api, conversation, ana)
    await given.message(conversation, "Olá")
    before = await told(ana)

    async with given.world.parts.database.transaction() as tx:
        await notify(tx, await given.emitted(AssigneeChanged))
        await notify(tx, await given.emitted(MessageCreated))

    assert await told(ana) == before
    assert [len(event.notifications) for event in await given.emitted(NotificationCreated)] == [1]


async def test_a_conversation_that_is_gone_by_then_is_told_to_nobody(api: Api, given: Given, told: Listed) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    await assign(api, conversation, ana)
    assert (await api.delete(f"/conversations/{conversation['id']}")).status == 200
    await given.worked()

    async with given.world.parts.database.transaction() as tx:
        await notify(tx, await given.emitted(AssigneeChanged))

    assert await told(ana) == []


@pytest.mark.parametrize("count", [1, 40])
async def test_a_batch_costs_the_same_whatever_is_in_it(given: Given, api: Api, count: int) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox, assignee_id=ana.id)
    for number in range(count):
        await given.message(conversation, f"Olá {number}")
    events = await given.emitted(MessageCreated)

    with given.queries(at_most=7):
        async with given.world.parts.database.transaction() as tx:
            await notify(tx, events)
