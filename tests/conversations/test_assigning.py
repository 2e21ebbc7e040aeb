from __future__ import annotations

import asyncio
from typing import Any

import pytest
from apps import PNG
from harness import Api, Given, Person, Reply

from criachat.conversations.events import (
    AssigneeChanged,
    ConversationOpened,
    ConversationStatusChanged,
    ConversationUpdated,
    TeamChanged,
)
from criachat.kit.events import Event


async def assign(api: Api, conversation: Any, **body: Any) -> Reply:
    reply = await api.post(f"/conversations/{conversation['id']}/assignments", body)
    assert reply.status == 200, reply.body
    return reply


async def shown(api: Api, conversation: Any) -> Any:
    return (await api.get(f"/conversations/{conversation['id']}")).json


async def handed(given: Given, kind: type[Event] = AssigneeChanged) -> list[tuple[int | None, int | None]]:
    """Who had it before and who has it since, of every hand-over in the log."""
    return [(event.previous, event.current) for event in await given.emitted(kind)]


async def agent_of(api: Api, person: Person) -> Any:
    return next(each for each in (await api.get("/agents")).json if each["id"] == person.id)


async def test_a_person_is_assigned_and_answered_as_an_agent(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    conversation = await given.conversation()

    reply = await assign(api, conversation, assignee_id=str(ana.id))

    after = await shown(api, conversation)
    assert reply.json == after["meta"]["assignee"] == await agent_of(api, ana)
    assert after["meta"]["assignee_type"] == "User"
    assert await handed(given) == [(None, ana.id)]
    (updated,) = await given.emitted(ConversationUpdated)
    assert updated.changes["assignee_id"] == [None, ana.id]
    assert updated.snapshot.assignee.name == "Ana"
    (event,) = await given.emitted(AssigneeChanged)
    assert event.changes == updated.changes
    assert event.id > updated.id


async def test_a_conversation_assigned_twice_is_told_of_once(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    conversation = await given.conversation()

    first = await assign(api, conversation, assignee_id=ana.id)
    again = await assign(api, conversation, assignee_id=ana.id)

    assert first.json == again.json
    assert await handed(given) == [(None, ana.id)]
    assert len(await given.emitted(ConversationUpdated)) == 1


@pytest.mark.parametrize("nobody", [None, 0, "", "nil", "0", 10**9, "9" * 200_000, -1, 2**70, {"id": 1}, [1], True])
async def test_whoever_is_nobody_of_ours_unassigns(api: Api, given: Given, nobody: Any) -> None:
    ana = await given.agent("Ana")
    conversation = await given.conversation(assignee_id=ana.id)

    reply = await assign(api, conversation, assignee_id=nobody)

    assert reply.json is None
    after = await shown(api, conversation)
    assert not {"assignee", "assignee_type"} & set(after["meta"])
    assert await handed(given) == [(None, ana.id), (ana.id, None)]


async def test_somebody_of_another_account_is_nobody(api: Api, given: Given) -> None:
    stranger = await (await given.another_account()).agent("Eva")
    conversation = await given.conversation(assignee_id=given.boss.id)

    assert (await assign(api, conversation, assignee_id=stranger.id)).json is None
    assert "assignee" not in (await shown(api, conversation))["meta"]


async def test_an_assignee_need_not_be_in_the_inbox(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    conversation = await given.conversation()

    await assign(api, conversation, assignee_id=ana.id)

    assert (await shown(api, conversation))["meta"]["assignee"]["id"] == ana.id
    assert (await api.acting_as(ana).get(f"/conversations/{conversation['id']}")).status == 401


async def test_of_two_who_press_at_once_the_second_is_told_of_the_first(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    people = [await given.agent(name, inbox=inbox) for name in ("Ana", "Davi", "Eva", "Gil")]
    conversation = await given.conversation(inbox=inbox)

    await asyncio.gather(*(assign(api.acting_as(each), conversation, assignee_id=each.id) for each in people))

    chain = await handed(given)
    assert len(chain) == 4
    assert [previous for previous, _ in chain] == [None, *(current for _, current in chain[:-1])]
    assert (await shown(api, conversation))["meta"]["assignee"]["id"] == chain[-1][1]


async def test_a_bot_is_assigned_and_answers_first_from_then_on(api: Api, given: Given) -> None:
    robot = await given.bot()
    conversation = await given.conversation(assignee_id=given.boss.id)

    reply = await assign(api, conversation, assignee_id=robot.id, assignee_type="AgentBot")

    after = await shown(api, conversation)
    assert reply.json == after["meta"]["assignee"]
    assert reply.json == {
        "id": robot.id,
        "name": "Robô",
        "description": None,
        "thumbnail": "",
        "outgoing_url": None,
        "bot_type": "webhook",
    }
    assert (after["meta"]["assignee_type"], after["status"]) == ("AgentBot", "pending")
    assert await handed(given) == [(None, given.boss.id), (given.boss.id, None)]
    (updated,) = await given.emitted(ConversationUpdated)
    assert updated.changes["assignee_agent_bot_id"] == [None, robot.id]


async def test_whoever_has_it_is_shown_with_their_picture_and_a_bot_with_its_address(api: Api, given: Given) -> None:
    ana, robot = await given.agent("Ana"), await given.bot(outgoing_url="https://bot.example.com/in")
    conversation = await given.conversation()
    profile = await api.acting_as(ana).call("PUT", "/api/v1/profile", files={"profile[avatar]": ("me.png", PNG)})
    bot = await api.patch(f"/agent_bots/{robot.id}", files={"avatar": ("me.png", PNG)})

    to_person = await assign(api, conversation, assignee_id=ana.id)
    of_person = (await shown(api, conversation))["meta"]["assignee"]
    to_bot = await assign(api, conversation, assignee_id=robot.id, assignee_type="AgentBot")
    of_bot = (await shown(api, conversation))["meta"]["assignee"]

    assert profile.json["avatar_url"] != ""
    assert to_person.json["thumbnail"] == of_person["thumbnail"] == profile.json["avatar_url"]
    assert bot.json["thumbnail"] != ""
    assert to_bot.json == of_bot
    assert (of_bot["thumbnail"], of_bot["outgoing_url"]) == (bot.json["thumbnail"], "https://bot.example.com/in")


async def test_a_person_takes_over_from_a_bot_and_it_is_open(api: Api, given: Given) -> None:
    ana, robot = await given.agent("Ana"), await given.bot()
    conversation = await given.conversation()
    await assign(api, conversation, assignee_id=robot.id, assignee_type="AgentBot")

    await assign(api, conversation, assignee_id=ana.id, assignee_type="User")

    after = await shown(api, conversation)
    assert (after["meta"]["assignee"]["id"], after["meta"]["assignee_type"]) == (ana.id, "User")
    assert after["status"] == "open"
    assert len(await given.emitted(ConversationOpened)) == 1


async def test_taking_a_bot_away_leaves_the_status(api: Api, given: Given) -> None:
    robot = await given.bot()
    conversation = await given.conversation()
    await assign(api, conversation, assignee_id=robot.id, assignee_type="AgentBot")

    assert (await assign(api, conversation, assignee_id=None)).json is None

    after = await shown(api, conversation)
    assert ("assignee" in after["meta"], after["status"]) == (False, "pending")


async def test_an_unknown_bot_changes_nothing(api: Api, given: Given) -> None:
    theirs = await (await given.another_account()).bot()
    conversation = await given.conversation(assignee_id=given.boss.id)

    for bot_id in (theirs.id, 10**9, None, "nil"):
        assert (await assign(api, conversation, assignee_id=bot_id, assignee_type="AgentBot")).json is None

    assert (await shown(api, conversation))["meta"]["assignee"]["id"] == given.boss.id
    assert await given.emitted(ConversationUpdated) == []


async def test_a_team_is_assigned_and_answered_as_its_row(api: Api, given: Given) -> None:
    team = await given.team("vendas", description="Loja", allow_auto_assign=False)
    conversation = await given.conversation()

    reply = await assign(api, conversation, team_id=team["id"])

    assert reply.json == {
        "id": team["id"],
        "name": "vendas",
        "description": "Loja",
        "allow_auto_assign": False,
        "account_id": given.account_id,
        "created_at": reply.json["created_at"],
        "updated_at": reply.json["created_at"],
    }
    assert (await shown(api, conversation))["meta"]["team"] == team
    assert await handed(given, TeamChanged) == [(None, team["id"])]
    (event,) = await given.emitted(TeamChanged)
    assert (event.changes["team_id"], event.snapshot.team.name) == ([None, team["id"]], "vendas")


async def test_a_team_may_stand_in_the_query_with_no_body(api: Api, given: Given) -> None:
    team = await given.team()
    conversation = await given.conversation()

    reply = await api.post(f"/conversations/{conversation['id']}/assignments?team_id={team['id']}")

    assert (reply.status, reply.json["id"]) == (200, team["id"])


async def test_an_assignee_stays_only_in_a_team_of_theirs(api: Api, given: Given) -> None:
    ana, davi = await given.agent("Ana"), await given.agent("Davi")
    sales, support = await given.team("vendas", ana), await given.team("suporte", davi)
    conversation = await given.conversation(assignee_id=ana.id)

    await assign(api, conversation, team_id=sales["id"])
    after_hers = (await shown(api, conversation))["meta"]
    await assign(api, conversation, team_id=support["id"])
    after_his = (await shown(api, conversation))["meta"]

    assert (after_hers["assignee"]["id"], after_hers["team"]["id"]) == (ana.id, sales["id"])
    assert ("assignee" in after_his, after_his["team"]["id"]) == (False, support["id"])
    assert await handed(given) == [(None, ana.id), (ana.id, None)]
    assert await handed(given, TeamChanged) == [(None, sales["id"]), (sales["id"], support["id"])]


async def test_a_team_set_while_the_assignee_changes_keeps_who_is_of_the_team(api: Api, given: Given) -> None:
    ana, davi = await given.agent("Ana"), await given.agent("Davi")
    sales = await given.team("vendas", davi)
    conversation = await given.conversation(assignee_id=ana.id)

    await asyncio.gather(assign(api, conversation, team_id=sales["id"]), assign(api, conversation, assignee_id=davi.id))

    # Whoever came first: Ana, who is not of the team, has it no more, and Davi has it.
    assert (await shown(api, conversation))["meta"]["assignee"]["id"] == davi.id
    chain = await handed(given)
    assert chain in ([(None, ana.id), (ana.id, davi.id)], [(None, ana.id), (ana.id, None), (None, davi.id)])


@pytest.mark.parametrize("nobody", [None, 0, "", "nil", 10**9, 2**70])
async def test_an_unknown_team_takes_the_team_away_and_leaves_the_assignee(api: Api, given: Given, nobody: Any) -> None:
    team = await given.team()
    conversation = await given.conversation(team_id=team["id"], assignee_id=given.boss.id)

    reply = await assign(api, conversation, team_id=nobody)

    meta = (await shown(api, conversation))["meta"]
    assert reply.json is None
    assert ("team" in meta, meta["assignee"]["id"]) == (False, given.boss.id)
    assert await handed(given, TeamChanged) == [(None, team["id"]), (team["id"], None)]


async def test_of_assignee_and_team_only_the_assignee_counts(api: Api, given: Given) -> None:
    ana, team = await given.agent("Ana"), await given.team()
    conversation = await given.conversation()

    reply = await assign(api, conversation, assignee_id=ana.id, team_id=team["id"])

    meta = (await shown(api, conversation))["meta"]
    assert reply.json["id"] == meta["assignee"]["id"] == ana.id
    assert "team" not in meta


async def test_a_bot_type_alone_does_not_keep_a_team_from_being_set(api: Api, given: Given) -> None:
    team = await given.team()
    conversation = await given.conversation()

    assert (await assign(api, conversation, assignee_type="AgentBot", team_id=team["id"])).json["id"] == team["id"]


async def test_neither_changes_nothing(api: Api, given: Given) -> None:
    conversation = await given.conversation(assignee_id=given.boss.id)

    for body in ({}, {"assignee_type": "User"}, {"unknown": 1}):
        assert (await assign(api, conversation, **body)).json is None

    assert await shown(api, conversation) == conversation
    assert await given.emitted(ConversationUpdated) == []


async def test_a_team_that_is_removed_meanwhile_is_none(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    teams = [await given.team(f"equipe {number}") for number in range(6)]

    replies = await asyncio.gather(
        *(assign(api, conversation, team_id=team["id"]) for team in teams),
        *(api.delete(f"/teams/{team['id']}") for team in teams),
    )

    assert [reply.status for reply in replies] == [200] * 12
    assert "team" not in (await shown(api, conversation))["meta"]


async def test_an_assignee_sees_who_they_are_while_the_status_stays(api: Api, given: Given) -> None:
    conversation = await given.conversation(status="snoozed")

    await assign(api, conversation, assignee_id=given.boss.id)

    assert (await shown(api, conversation))["status"] == "snoozed"
    assert await given.emitted(ConversationStatusChanged) == []


async def test_whoever_is_removed_leaves_another_version_of_what_they_had(api: Api, given: Given) -> None:
    ana, bot, team = await given.agent("Ana"), await given.bot("Robô"), await given.team("vendas")
    theirs, bots, teams = [await given.conversation() for _ in range(3)]
    await assign(api, theirs, assignee_id=ana.id)
    await assign(api, bots, assignee_id=bot.id, assignee_type="AgentBot")
    await assign(api, teams, team_id=team["id"])
    paths = [f"/conversations/{each['id']}" for each in (theirs, bots, teams)]
    before = [await api.get(path) for path in paths]

    for removed in (f"/agents/{ana.id}", f"/agent_bots/{bot.id}", f"/teams/{team['id']}"):
        assert (await api.delete(removed)).status == 200

    after = [await api.get(path) for path in paths]
    assert all("assignee" not in reply.json["meta"] for reply in after)
    assert "team" not in after[2].json["meta"]
    for path, old, new in zip(paths, before, after, strict=True):
        assert new.headers["etag"] != old.headers["etag"]
        assert new.json["updated_at"] > old.json["updated_at"]
        late = await api.post(f"{path}/labels/add", {"label": "vip"}, headers={"If-Match": old.headers["etag"]})
        assert late.status == 412
