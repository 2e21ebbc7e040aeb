from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given, Person

from criachat.accounts.events import AdministrationChanged, CacheInvalidated


async def team(api: Api, name: str = "sales", **fields: Any) -> Any:
    reply = await api.post("/teams", {"name": name, **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def names(api: Api, team_id: int) -> list[str]:
    return [each["name"] for each in (await api.get(f"/teams/{team_id}/team_members")).json]


async def test_a_team_is_created_shown_changed_and_removed(api: Api, given: Given) -> None:
    created = await api.post("/teams", {"team": {"name": " Sales ", "description": "Inbound sales"}})
    path = f"/teams/{created.json['id']}"
    changed = await api.put(path, {"allow_auto_assign": "false", "description": ""})
    shown = await api.get(path)
    removed = await api.delete(path)

    assert created.status == 200
    assert created.json == {
        "id": created.json["id"],
        "name": "sales",
        "description": "Inbound sales",
        "allow_auto_assign": True,
        "account_id": given.account_id,
        "is_member": False,
    }
    assert changed.json == shown.json == {**created.json, "allow_auto_assign": False, "description": None}
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).status == 404
    assert (await api.get("/teams")).json == []


async def test_every_member_lists_teams_by_name_and_sees_which_are_theirs(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    support, sales = await team(api, "support"), await team(api, "sales")
    await api.post(f"/teams/{support['id']}/team_members", {"user_ids": [ana.id]})

    reply = await api.acting_as(ana).get("/teams")

    assert [(each["id"], each["is_member"]) for each in reply.json] == [(sales["id"], False), (support["id"], True)]


@pytest.mark.parametrize("body", [{"name": None}, {"name": " "}, {"description": "No name"}])
async def test_a_team_needs_a_name(api: Api, body: dict[str, Any]) -> None:
    reply = await api.post("/teams", body)

    assert (reply.status, reply.json) == (422, {"message": "Name can't be blank", "attributes": ["name"]})


async def test_a_name_is_taken_once_in_whatever_case(api: Api) -> None:
    await team(api, "sales")
    other = await team(api, "support")

    created = await api.post("/teams", {"name": "SALES"})
    renamed = await api.patch(f"/teams/{other['id']}", {"name": "Sales"})

    assert created.status == renamed.status == 422
    taken = {"message": "Name has already been taken", "attributes": ["name"]}
    assert created.json == renamed.json == taken


async def test_added_members_are_answered_once_and_set_ones_all(api: Api, given: Given) -> None:
    ana, davi, eva = await given.agent("Ana"), await given.agent("Davi"), await given.agent("Eva")
    path = f"/teams/{(await team(api))['id']}/team_members"

    first = await api.post(path, {"user_ids": [davi.id, str(ana.id), ana.id]})
    again = await api.post(path, {"user_ids": [davi.id, eva.id]})
    listed = await api.acting_as(ana).get(path)
    changed = await api.patch(path, {"user_ids": [ana.id, eva.id]})
    removed = await api.delete(path, {"user_ids": [ana.id, davi.id]})

    assert [each["name"] for each in first.json] == ["Ana", "Davi"]
    assert [each["name"] for each in again.json] == ["Eva"]
    assert [each["name"] for each in listed.json] == ["Ana", "Davi", "Eva"]
    assert [each["name"] for each in changed.json] == ["Ana", "Eva"]
    assert (removed.status, removed.body) == (200, b"")
    assert [each["name"] for each in (await api.get(path)).json] == ["Eva"]


async def test_members_are_shown_as_agents(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    path = f"/teams/{(await team(api))['id']}/team_members"

    reply = await api.post(path, {"user_ids": [ana.id]})

    agents = {each["id"]: each for each in (await api.get("/agents")).json}
    assert reply.json == [agents[ana.id]]


async def test_a_team_may_be_emptied_but_not_by_saying_nothing(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    path = f"/teams/{(await team(api))['id']}/team_members"
    await api.post(path, {"user_ids": [ana.id]})

    silent = [await api.post(path, {}), await api.patch(path, {}), await api.delete(path)]
    emptied = await api.patch(path, {"user_ids": []})

    assert [reply.status for reply in silent] == [422] * 3
    assert silent[0].json == {"error": "param is missing or the value is empty: user_ids"}
    assert (emptied.status, emptied.json) == (200, [])


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_somebody_of_another_account_changes_nothing(api: Api, given: Given, method: str) -> None:
    ana = await given.agent("Ana")
    stranger = await (await given.another_account()).agent("Eva")
    created = await team(api)
    path = f"/teams/{created['id']}/team_members"
    await api.post(path, {"user_ids": [ana.id]})

    reply = await api.call(method, path, json={"user_ids": [given.boss.id, stranger.id]})

    assert (reply.status, reply.json) == (401, {"error": "Invalid User IDs"})
    assert await names(api, created["id"]) == ["Ana"]


async def test_of_two_lists_set_at_once_one_stays_whole(api: Api, given: Given) -> None:
    people: list[Person] = [await given.agent(name) for name in ("Ana", "Davi", "Eva", "Gil")]
    created = await team(api)
    path = f"/teams/{created['id']}/team_members"
    lists = [[person.id for person in people[:2]], [person.id for person in people[2:]]]

    await asyncio.gather(*(api.patch(path, {"user_ids": each}) for each in lists * 8))

    assert await names(api, created["id"]) in (["Ana", "Davi"], ["Eva", "Gil"])


async def test_teams_and_their_members_move_the_cache_key_on(api: Api, given: Given) -> None:
    created = await team(api)
    path = f"/teams/{created['id']}"
    members = f"{path}/team_members"
    await api.patch(path, {"name": "support"})
    await api.patch(path, {"name": "support"})
    await api.post(members, {"user_ids": [given.boss.id]})
    await api.patch(members, {"user_ids": []})
    await api.delete(members, {"user_ids": [given.boss.id]})
    await api.delete(path)

    keys = [event.cache_keys["team"] for event in await given.emitted(CacheInvalidated)]
    assert len(keys) == len(set(keys)) == 6


async def test_agents_read_teams_and_change_none(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    agent = api.acting_as(ana)
    created = await team(api)
    path = f"/teams/{created['id']}"
    members = f"{path}/team_members"

    replies = [
        await agent.post("/teams", {"name": "support"}),
        await agent.patch(path, {"name": "support"}),
        await agent.delete(path),
        await agent.post(members, {"user_ids": [ana.id]}),
        await agent.patch(members, {"user_ids": [ana.id]}),
        await agent.delete(members, {"user_ids": [ana.id]}),
    ]

    assert [reply.status for reply in replies] == [401] * 6
    assert (await agent.get(path)).json == created
    assert (await agent.get(members)).json == []


async def test_bots_and_strangers_see_no_teams(api: Api, given: Given) -> None:
    path = f"/teams/{(await team(api))['id']}"
    bot, nobody = api.acting_as(await given.bot()), api.acting_as(None)

    for caller in (bot, nobody):
        for each in ("/teams", path, f"{path}/team_members"):
            assert (await caller.get(each)).status == 401


async def test_a_team_of_another_account_does_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await team(others.api)
    path = f"/teams/{theirs['id']}"
    members = f"{path}/team_members"

    replies = [
        await api.get(path),
        await api.patch(path, {"name": "support"}),
        await api.delete(path),
        await api.get(members),
        await api.post(members, {"user_ids": [given.boss.id]}),
        await api.patch(members, {"user_ids": [given.boss.id]}),
        await api.delete(members, {"user_ids": [given.boss.id]}),
    ]

    assert [reply.status for reply in replies] == [404] * 7
    assert (await others.api.get(path)).json == theirs


async def test_the_list_of_teams_is_one_statement(api: Api, given: Given) -> None:
    for name in ("sales", "support"):
        await team(api, name)

    with given.queries(at_most=1):
        await api.get("/teams")


async def test_who_changes_teams_and_their_members_is_told(api: Api, given: Given) -> None:
    ana, eva = await given.agent("Ana"), await given.agent("Eva")
    made = await team(api)
    path = f"/teams/{made['id']}"
    members = f"{path}/team_members"

    await api.patch(path, {"description": "Inbound"})
    await api.patch(path, {"description": "Inbound"})
    await api.post(members, {"user_ids": [ana.id]})
    await api.post(members, {"user_ids": [ana.id]})
    await api.patch(members, {"user_ids": [eva.id]})
    await api.delete(members, {"user_ids": [eva.id]})
    await api.delete(path)

    told = await given.emitted(AdministrationChanged)
    assert [(each.auditable_type, each.action, each.actor_id) for each in told] == [
        ("Team", "create", given.boss.id),
        ("Team", "update", given.boss.id),
        ("TeamMember", "update", given.boss.id),
        ("TeamMember", "update", given.boss.id),
        ("TeamMember", "update", given.boss.id),
        ("Team", "destroy", given.boss.id),
    ]
    assert [each.changes["user_ids"] for each in told[2:5]] == [[[], [ana.id]], [[ana.id], [eva.id]], [[eva.id], []]]
