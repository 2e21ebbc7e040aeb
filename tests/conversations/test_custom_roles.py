"""What people with a role of the account's own see of the conversations in their inboxes."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given, Person

MANY = {"payload": []}


async def stage(given: Given, *permissions: str) -> tuple[Person, dict[str, Any]]:
    """Ana with such a role, and in her inbox one conversation of each kind; one more is in her team alone."""
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    team = await given.team("vendas", ana)
    await given.custom_role(*permissions, of=ana)
    of = {
        "mine": await given.conversation(inbox=inbox, assignee_id=ana.id),
        "unassigned": await given.conversation(inbox=inbox),
        "of a bot": await given.conversation(inbox=inbox),
        "taking part": await given.conversation(inbox=inbox, assignee_id=davi.id),
        "of davi": await given.conversation(inbox=inbox, assignee_id=davi.id),
        "of the team": await given.conversation(team_id=team["id"]),
        "elsewhere": await given.conversation(),
    }
    robot = {"assignee_id": (await given.bot()).id, "assignee_type": "AgentBot"}
    await given.api.post(f"/conversations/{of['of a bot']['id']}/assignments", robot)
    await given.api.post(f"/conversations/{of['taking part']['id']}/participants", {"user_ids": [ana.id]})
    return ana, of


@pytest.mark.parametrize(
    ("permissions", "listed", "opened"),
    [
        (
            ["conversation_manage"],
            {"mine", "unassigned", "of a bot", "taking part", "of davi"},
            {"mine", "unassigned", "of a bot", "taking part", "of davi", "of the team"},
        ),
        (
            ["conversation_unassigned_manage"],
            {"mine", "unassigned", "of a bot"},
            {"mine", "unassigned", "of a bot", "of the team"},
        ),
        (["conversation_participating_manage"], {"mine"}, {"mine", "taking part"}),
        (
            ["conversation_unassigned_manage", "conversation_participating_manage"],
            {"mine", "unassigned", "of a bot"},
            {"mine", "unassigned", "of a bot", "taking part", "of the team"},
        ),
        (["report_manage"], set(), set()),
        ([], set(), set()),
    ],
)
async def test_what_a_role_lists_and_opens(
    api: Api, given: Given, permissions: list[str], listed: set[str], opened: set[str]
) -> None:
    ana, of = await stage(given, *permissions)
    door = api.acting_as(ana)
    names = {conversation["id"]: name for name, conversation in of.items()}

    in_list = (await door.get("/conversations?status=all")).json["data"]
    counts = (await door.get("/conversations/meta?status=all")).json["meta"]
    filtered = (await door.post("/conversations/filter", MANY)).json
    searched = (await door.get("/conversations/search")).json
    may_open = [name for name, each in of.items() if (await door.get(f"/conversations/{each['id']}")).status == 200]
    refused = [
        (await door.post(f"/conversations/{each['id']}/toggle_priority", {"priority": "low"})).status
        for name, each in of.items()
        if name not in opened
    ]

    for payload in (in_list["payload"], filtered["payload"], searched["payload"]):
        assert {names[each["id"]] for each in payload} == listed
    mine = int("mine" in listed)
    unassigned = len(listed & {"unassigned", "of a bot"})
    assert in_list["meta"] == counts
    assert (counts["mine_count"], counts["unassigned_count"], counts["all_count"]) == (mine, unassigned, len(listed))
    assert filtered["meta"] == searched["meta"] == {key: counts[key] for key in filtered["meta"]}
    assert set(may_open) == opened
    assert set(refused) <= {401}


@pytest.mark.parametrize("message", [None, {"content": "Olá"}])
async def test_who_may_not_open_the_one_conversation_of_a_session_does_not_get_it_by_opening_another(
    api: Api, given: Given, message: dict[str, str] | None
) -> None:
    inbox, rosa = await given.inbox(lock_to_single_conversation=True), await given.contact()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    await given.custom_role("conversation_participating_manage", of=ana)
    theirs = await given.conversation(inbox=inbox, contact=rosa, assignee_id=davi.id, source_id="wa-5511")
    await given.message(theirs, "canary")
    wanted = {"inbox_id": inbox["id"], "contact_id": rosa["id"], "source_id": "wa-5511", "message": message}

    refused = await api.acting_as(ana).post("/conversations", wanted)
    found = await api.acting_as(davi).post("/conversations", wanted)

    assert (refused.status, found.status, found.json["id"]) == (401, 200, theirs["id"])
    assert "canary" not in refused.body.decode()


async def test_whoever_begins_a_conversation_says_the_first_word_in_it_whatever_their_role_shows(
    api: Api, given: Given
) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    await given.custom_role("conversation_participating_manage", of=ana)
    wanted = {"inbox_id": inbox["id"], "contact_id": (await given.contact())["id"], "message": {"content": "Olá"}}

    reply = await api.acting_as(ana).post("/conversations", wanted)

    assert reply.status == 200
    assert [each["content"] for each in reply.json["messages"]] == ["Olá"]


async def test_a_list_of_mine_is_in_order_and_paged(api: Api, given: Given) -> None:
    ana, of = await stage(given, "conversation_participating_manage")
    more = await given.conversation(assignee_id=ana.id)
    await api.post("/inbox_members", {"inbox_id": more["inbox_id"], "user_ids": [ana.id]})

    reply = await api.acting_as(ana).get("/conversations?sort_by=created_at_asc")

    assert [each["id"] for each in reply.json["data"]["payload"]] == [of["mine"]["id"], more["id"]]
