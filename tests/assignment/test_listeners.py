"""What is nobody's goes to those of its inbox who are there, in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from apps import open_app
from harness import Api, Given, Person

from criachat.assignment.operations import hand_out_opened, hand_out_within_team
from criachat.conversations import access as conversations
from criachat.conversations.events import AssigneeChanged, ConversationCreated, TeamChanged
from criachat.conversations.operations.assigning import assign_if_free
from criachat.kit.actors import system


def shows_up(given: Given, *people: Person) -> None:
    """These people have the dashboard open."""
    for person in people:
        given.world.parts.presence.touch_user(given.account_id, person.id)


async def assignee(given: Given, conversation: Mapping[str, Any]) -> str | None:
    """Who has it, once everybody has heard of what happened."""
    await given.relayed()
    found = (await given.api.get(f"/conversations/{conversation['id']}")).json
    return found["meta"]["assignee"]["name"] if "assignee" in found["meta"] else None


async def activities(given: Given, conversation: Mapping[str, Any]) -> list[str]:
    """What the thread tells of."""
    await given.relayed()
    thread = (await given.api.get(f"/conversations/{conversation['id']}/messages")).json["payload"]
    return [message["content"] for message in thread if message["message_type"] == 2]


async def test_a_new_conversation_goes_to_whoever_of_its_inbox_is_there(given: Given) -> None:
    inbox = await given.inbox()
    ana, _davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    outsider = await given.agent("Olga")
    shows_up(given, ana, outsider, given.boss)

    conversation = await given.conversation(inbox=inbox)

    assert await assignee(given, conversation) == "Ana"
    assert [(each.previous, each.current) for each in await given.emitted(AssigneeChanged)] == [(None, ana.id)]


async def test_they_take_turns(given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    shows_up(given, ana, davi)

    opened = [await given.conversation(inbox=inbox) for _ in range(4)]
    first = [await assignee(given, conversation) for conversation in opened]
    carla = await given.agent("Carla", inbox=inbox)
    shows_up(given, carla)
    later = [await assignee(given, await given.conversation(inbox=inbox)) for _ in range(3)]

    assert first == ["Ana", "Davi", "Ana", "Davi"]
    assert later == ["Carla", "Ana", "Davi"]


async def test_who_is_busy_or_away_is_passed_over(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    shows_up(given, ana)
    await api.patch(f"/agents/{ana.id}", {"availability": "busy"})

    while_busy = await assignee(given, await given.conversation(inbox=inbox))
    await api.patch(f"/agents/{davi.id}", {"auto_offline": False})
    who_stays_online = await assignee(given, await given.conversation(inbox=inbox))

    assert while_busy is None
    assert who_stays_online == "Davi"


async def test_an_inbox_that_does_not_want_it_leaves_them_to_be_taken(given: Given) -> None:
    inbox = await given.inbox(enable_auto_assignment=False)
    shows_up(given, await given.agent("Ana", inbox=inbox))

    assert await assignee(given, await given.conversation(inbox=inbox)) is None


@pytest.mark.parametrize("status", ["pending", "resolved", "snoozed"])
async def test_what_is_not_open_waits_until_it_is(api: Api, given: Given, status: str) -> None:
    inbox = await given.inbox()
    shows_up(given, await given.agent("Ana", inbox=inbox))
    conversation = await given.conversation(inbox=inbox, status=status)
    before = await assignee(given, conversation)

    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "open"})

    assert before is None
    assert await assignee(given, conversation) == "Ana"


async def test_what_a_customer_opens_again_stays_with_who_had_it_while_they_are_in_the_inbox(
    api: Api, given: Given
) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    conversation = await given.conversation(inbox=inbox, assignee_id=ana.id)
    path = f"/conversations/{conversation['id']}/toggle_status"
    shows_up(given, davi)

    async def reopened() -> str | None:
        await api.post(path, {"status": "resolved"})
        await given.message(conversation, "E agora?", message_type="incoming")
        return await assignee(given, conversation)

    with_ana_in_it = await reopened()
    await api.delete("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [ana.id]})
    without_her = await reopened()

    assert with_ana_in_it == "Ana"
    assert without_her == "Davi"


async def test_what_a_bot_has_is_left_to_it(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    bot = await given.bot()
    conversation = await given.conversation(inbox=inbox, status="pending")
    path = f"/conversations/{conversation['id']}"
    await api.post(f"{path}/assignments", {"assignee_id": bot.id, "assignee_type": "AgentBot"})
    shows_up(given, await given.agent("Ana", inbox=inbox))

    await api.post(f"{path}/toggle_status", {"status": "open"})

    assert await assignee(given, conversation) == "Robô"


async def test_the_thread_names_whose_request_it_was_and_nobody_where_it_was_a_customers(given: Given) -> None:
    inbox = await given.inbox()
    shows_up(given, await given.agent("Ana", inbox=inbox))

    by_beatriz = await given.conversation(inbox=inbox)
    app = await open_app(given, inbox)
    by_customer = await app.conversation()

    assert await assignee(given, by_customer) == await assignee(given, by_beatriz) == "Ana"
    assert await activities(given, by_beatriz) == ["Beatriz assigned this conversation to Ana"]
    assert await activities(given, by_customer) == []


async def test_who_has_as_many_open_ones_as_the_inbox_allows_gets_no_more(api: Api, given: Given) -> None:
    inbox = await given.inbox(auto_assignment_config={"max_assignment_limit": 1})
    shows_up(given, await given.agent("Ana", inbox=inbox))
    first = await given.conversation(inbox=inbox)
    has_one = await assignee(given, first)

    over = await assignee(given, await given.conversation(inbox=inbox))
    await api.post(f"/conversations/{first['id']}/toggle_status", {"status": "resolved"})
    after = await assignee(given, await given.conversation(inbox=inbox))

    assert (has_one, over, after) == ("Ana", None, "Ana")


async def test_a_team_hands_out_what_it_gets_among_those_who_are_in_the_inbox_too(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    team = await given.team("vendas", davi, await given.agent("Olga"))
    conversation = await given.conversation(inbox=inbox, assignee_id=ana.id)
    shows_up(given, ana, davi)

    await api.post(f"/conversations/{conversation['id']}/assignments", {"team_id": team["id"]})

    assert await assignee(given, conversation) == "Davi"


async def test_a_conversation_that_opens_with_a_team_goes_to_nobody_outside_of_it(given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    team = await given.team("vendas", davi)
    shows_up(given, ana)

    conversation = await given.conversation(inbox=inbox, team_id=team["id"])

    assert await assignee(given, conversation) is None


async def test_a_team_that_does_not_hand_out_leaves_its_conversations_to_be_taken(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    team = await given.team("vendas", ana, allow_auto_assign=False)
    shows_up(given, ana)

    opened_with = await given.conversation(inbox=inbox, team_id=team["id"])
    handed_over = await given.conversation(inbox=inbox, status="pending")
    await api.post(f"/conversations/{handed_over['id']}/assignments", {"team_id": team["id"]})

    assert await assignee(given, opened_with) is None
    assert await assignee(given, handed_over) is None


async def test_an_event_delivered_twice_takes_one_turn(given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    team = await given.team("vendas", ana, davi)
    shows_up(given, ana, davi)
    await given.conversation(inbox=inbox)
    await given.relayed()
    await given.conversation(inbox=inbox, status="pending", team_id=team["id"])
    await given.relayed()
    before = await given.emitted(AssigneeChanged)

    presence = given.world.parts.presence
    async with given.world.parts.database.transaction() as tx:
        for event in await given.emitted(ConversationCreated):
            await hand_out_opened(tx, event, presence)
        for event in await given.emitted(TeamChanged):
            await hand_out_within_team(tx, event, presence)

    assert [each.current for each in before] == [ana.id, davi.id]
    assert await given.emitted(AssigneeChanged) == before
    assert await assignee(given, await given.conversation(inbox=inbox)) == "Ana"


@pytest.mark.parametrize(
    ("what", "body", "holder"),
    [
        ("assignments", {"assignee_id": "Ana"}, "Ana"),
        ("assignments", {"team_id": "vendas"}, None),
        ("toggle_status", {"status": "resolved"}, None),
    ],
)
async def test_what_became_of_it_meanwhile_stays(
    api: Api, given: Given, what: str, body: dict[str, str], holder: str | None
) -> None:
    inbox = await given.inbox(enable_auto_assignment=False)
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    team = await given.team("vendas", allow_auto_assign=False)
    conversation = await given.conversation(inbox=inbox)
    async with given.world.parts.database.reading() as db:
        read = await conversations.find_conversation(db, given.account_id, conversation["id"])
    assert read is not None
    ids = {"Ana": ana.id, "vendas": team["id"]}
    changed = await api.post(
        f"/conversations/{conversation['id']}/{what}", {name: ids.get(value, value) for name, value in body.items()}
    )
    assert changed.status == 200

    async with given.world.parts.database.transaction() as tx:
        await assign_if_free(tx, read, davi.id, actor=system(given.account_id), cause="event:1")

    assert await assignee(given, conversation) == holder
