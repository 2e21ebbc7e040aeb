from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given

from criachat.contacts.events import ContactDeleted, ContactUpdated
from criachat.conversations.events import ConversationUpdated
from criachat.conversations.jobs import ChangeConversation, change_conversation
from criachat.conversations.models import Wanted
from criachat.kit.jobs import JobContext

PATH = "/bulk_actions"


async def shown(api: Api, conversation: Any) -> Any:
    return (await api.get(f"/conversations/{conversation['id']}")).json


async def do(given: Given, api: Api, **body: Any) -> None:
    """Ask for it, and have it done."""
    reply = await api.post(PATH, body)
    assert (reply.status, reply.body) == (200, b"")
    assert await given.world.parts.jobs.drain() == []
    await given.relayed()


async def test_many_conversations_become_what_somebody_wants(api: Api, given: Given) -> None:
    inbox, ana = await given.inbox(), await given.agent("Ana")
    team = await given.team("vendas", ana)
    first, second, third = [await given.conversation(inbox=inbox) for _ in range(3)]
    await api.post(f"/conversations/{first['id']}/labels", {"labels": ["new", "lead"]})

    await do(
        given,
        api,
        type="Conversation",
        ids=[first["id"], str(second["id"]), 999_999, "x", first["id"]],
        fields={"status": "snoozed", "assignee_id": ana.id, "team_id": team["id"]},
        snoozed_until=1_900_000_000,
        labels={"add": ["vip"], "remove": ["new"]},
    )

    for conversation, labels in ((first, ["lead", "vip"]), (second, ["vip"])):
        after = await shown(api, conversation)
        assert (after["status"], after["snoozed_until"]) == ("snoozed", "2030-03-17T17:46:40.000Z")
        assert (after["meta"]["assignee"]["id"], after["meta"]["team"]["id"]) == (ana.id, team["id"])
        assert after["labels"] == labels
    assert await shown(api, third) == third
    told = [event for event in await given.emitted(ConversationUpdated) if "status" in event.changes]
    assert [event.snapshot.id for event in told] == ids(first, second)
    assert {event.performer.id for event in told} == {given.boss.id}
    thread = (await api.get(f"/conversations/{second['id']}/messages")).json["payload"]
    assert "Conversation was snoozed by Beatriz" in [message["content"] for message in thread]


def ids(*conversations: Any) -> list[int]:
    return [each["id"] for each in conversations]


@pytest.mark.parametrize("nobody", [None, 0, "0", ""])
async def test_null_and_zero_take_it_from_its_assignee_and_its_team(api: Api, given: Given, nobody: Any) -> None:
    team = await given.team()
    conversation = await given.conversation(assignee_id=given.boss.id, team_id=team["id"])

    await do(given, api, type="Conversation", ids=ids(conversation), fields={"assignee_id": nobody, "team_id": nobody})

    after = await shown(api, conversation)
    assert not {"assignee", "team"} & set(after["meta"])


async def test_null_is_no_status_and_opening_many_takes_none(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))
    conversation = await given.conversation(inbox=inbox, status="resolved")

    await do(given, ana, type="conversation", ids=ids(conversation), fields={"status": None})
    assert (await shown(api, conversation))["status"] == "resolved"
    await do(given, ana, type="CONVERSATION", ids=ids(conversation), fields={"status": "open"})

    after = await shown(api, conversation)
    assert after["status"] == "open"
    assert "assignee" not in after["meta"]


async def test_what_the_caller_may_not_open_stays(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = api.acting_as(await given.agent("Ana", inbox=inbox))
    theirs, others = await given.conversation(inbox=inbox), await given.conversation()

    await do(given, ana, type="Conversation", ids=ids(others, theirs), fields={"status": "resolved"})

    assert [(await shown(api, each))["status"] for each in (theirs, others)] == ["resolved", "open"]


async def test_people_and_teams_of_another_account_are_given_nothing(api: Api, given: Given) -> None:
    other = await given.another_account()
    team, theirs = await other.team(), await other.conversation()
    conversation = await given.conversation()

    for fields in ({"assignee_id": other.boss.id}, {"team_id": team["id"]}):
        await do(given, api, type="Conversation", ids=ids(conversation, theirs), fields=fields)

    assert await shown(api, conversation) == conversation
    assert await shown(other.api, theirs) == theirs


async def test_who_left_the_account_changes_nothing_any_more(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)
    await api.acting_as(ana).post(
        PATH, {"type": "Conversation", "ids": ids(conversation), "fields": {"status": "resolved"}}
    )

    assert (await api.delete(f"/agents/{ana.id}")).status == 200
    assert await given.world.parts.jobs.drain() == []

    assert (await shown(api, conversation))["status"] == "open"


async def test_done_twice_it_is_told_once(api: Api, given: Given, context: JobContext) -> None:
    conversation = await given.conversation()
    wanted = Wanted(status="resolved", added_labels=["vip"])
    params = ChangeConversation(given.account_id, given.boss.id, conversation["id"], wanted)

    for _ in range(2):
        await change_conversation(context, params)

    (event,) = await given.emitted(ConversationUpdated)
    assert event.changes["label_list"] == [[], ["vip"]]


async def test_many_who_change_the_same_at_once_all_get_their_labels(
    api: Api, given: Given, context: JobContext
) -> None:
    conversation = await given.conversation()

    await asyncio.gather(
        *(
            change_conversation(
                context,
                ChangeConversation(
                    given.account_id, given.boss.id, conversation["id"], Wanted(added_labels=[f"l{number}"])
                ),
            )
            for number in range(16)
        )
    )

    assert sorted((await shown(api, conversation))["labels"]) == sorted(f"l{number}" for number in range(16))


async def test_a_thousand_are_asked_for_in_few_statements(api: Api, given: Given) -> None:
    body = {"type": "Conversation", "ids": [*range(10_000_000, 10_001_000)], "fields": {"status": "resolved"}}
    await api.post(PATH, {**body, "ids": []})

    with given.queries(at_most=4):
        assert (await api.post(PATH, body)).status == 200
    assert await given.world.parts.jobs.drain() == []


async def test_contacts_are_labelled_and_removed(api: Api, given: Given) -> None:
    rosa, eva = await given.contact("Rosa"), await given.contact("Eva")
    ana = api.acting_as(await given.agent("Ana"))

    await do(given, ana, type="Contact", ids=[rosa["id"], 999_999], labels={"add": ["vip"]})
    refused = await ana.post(PATH, {"type": "Contact", "ids": [eva["id"]], "action_name": "delete"})
    await do(given, api, type="contact", ids=[eva["id"], eva["id"]], action_name="delete")

    assert (await api.get(f"/contacts/{rosa['id']}/labels")).json == {"payload": ["vip"]}
    assert refused.status == 401
    assert (await api.get(f"/contacts/{eva['id']}")).status == 404
    assert [event.snapshot.id for event in await given.emitted(ContactDeleted)] == [eva["id"]]
    assert len(await given.emitted(ContactUpdated)) == 1


async def test_a_contact_who_is_online_stays(api: Api, given: Given) -> None:
    rosa = await given.contact("Rosa")
    given.world.parts.presence.touch_contact(given.account_id, rosa["id"])

    await do(given, api, type="Contact", ids=[rosa["id"]], action_name="delete")

    assert (await api.get(f"/contacts/{rosa['id']}")).status == 200


async def test_a_token_for_conversations_alone_touches_no_contact(api: Api, given: Given) -> None:
    rosa = await given.contact("Rosa")
    door = api.acting_as(await given.narrowed(given.boss, "conversations:write"))

    of_contacts = await door.post(PATH, {"type": "Contact", "ids": [rosa["id"]], "action_name": "delete"})
    of_conversations = await door.post(PATH, {"type": "Conversation", "ids": []})

    assert (of_contacts.status, of_conversations.status) == (401, 200)
    assert of_contacts.json == {"error": "This access token lacks the scope contacts:write"}
    assert await given.world.parts.jobs.drain() == []
    assert (await api.get(f"/contacts/{rosa['id']}")).status == 200


@pytest.mark.parametrize("kind", [None, "", "Message", "conversations", ["Conversation"], {"a": 1}])
async def test_there_are_two_kinds(api: Api, given: Given, kind: Any) -> None:
    reply = await api.post(PATH, {"type": kind, "ids": [1]})

    assert (reply.status, reply.json) == (422, {"success": False})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Ids must be a list of 1,000 at most"),
        ({"ids": 7}, "Ids must be a list of 1,000 at most"),
        ({"ids": [*range(1001)]}, "Ids must be a list of 1,000 at most"),
        ({"ids": [1], "fields": {"status": "closed"}}, "Status must be open, resolved, pending or snoozed"),
        ({"ids": [1], "snoozed_until": "tomorrow"}, "snoozed_until must be a time in unix seconds"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_done(
    api: Api, given: Given, body: dict[str, Any], text: str
) -> None:
    reply = await api.post(PATH, {"type": "Conversation", **body})

    assert (reply.status, reply.json) == (422, {"error": text})


@pytest.mark.parametrize("body", [{"fields": "open"}, {"labels": ["vip"]}, {"fields": {"status": ["open"]}}])
async def test_what_has_the_wrong_form_is_refused(api: Api, given: Given, body: dict[str, Any]) -> None:
    assert (await api.post(PATH, {"type": "Conversation", "ids": [1], **body})).status == 422


async def test_labels_that_are_too_long_are_refused(api: Api, given: Given) -> None:
    body = {"type": "Conversation", "ids": [1], "labels": {"add": ["x" * 300]}}

    assert (await api.post(PATH, body)).status == 422


async def test_bots_and_strangers_change_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    stranger = (await given.another_account()).api
    body = {"type": "Conversation", "ids": ids(conversation), "fields": {"status": "resolved"}}

    doors = (api.acting_as(await given.bot()), api.acting_as(None), stranger.in_account(given.account_id))
    replies = [await door.post(PATH, body) for door in doors]
    await stranger.post(PATH, body)
    await given.world.parts.jobs.drain()

    assert [reply.status for reply in replies] == [401] * 3
    assert (await shown(api, conversation))["status"] == "open"
