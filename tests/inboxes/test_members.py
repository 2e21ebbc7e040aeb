"""Who is in an inbox, and who can be given its conversations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import Api, Given, Reply

from criachat.accounts.events import AdministrationChanged


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [each["name"] for each in reply.json["payload"]]


async def test_members_are_added_set_and_removed(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi, eva = await given.agent("Ana"), await given.agent("Davi"), await given.agent("Eva")

    async def change(method: str, *people: Any) -> Reply:
        body = {"inbox_id": inbox["id"], "user_ids": [person.id for person in people]}
        return await api.call(method, "/inbox_members", json=body)

    added = await change("POST", davi, ana)
    again = await change("POST", ana, eva)
    set_to = await change("PATCH", eva, eva)
    removed = await change("DELETE", eva, davi)

    assert names(added) == ["Ana", "Davi"]
    assert names(again) == ["Ana", "Davi", "Eva"]
    assert names(set_to) == ["Eva"]
    assert (removed.status, removed.body) == (200, b"")
    assert names(await api.get(f"/inbox_members/{inbox['id']}")) == []
    assert (await change("PUT", ana)).status == 404


async def test_of_changes_at_once_each_is_told_of_with_what_it_changed(api: Api, given: Given) -> None:
    inbox, people = await given.inbox(), [await given.agent(name) for name in ("Ana", "Davi", "Eva", "Gil", "Isa")]

    bodies = [{"inbox_id": inbox["id"], "user_ids": [person.id]} for person in people]
    replies = await asyncio.gather(*(api.post("/inbox_members", body) for body in bodies))

    told = [
        each.changes["user_ids"] for each in await given.emitted(AdministrationChanged) if "user_ids" in each.changes
    ]
    assert {reply.status for reply in replies} == {200}
    assert sorted(len(after) for _, after in told) == [1, 2, 3, 4, 5]
    assert all(len(set(after) - set(before)) == 1 for before, after in told)


async def test_a_member_is_shown_as_an_agent(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await given.agent("Ana", inbox=inbox)

    members = (await api.get(f"/inbox_members/{inbox['id']}")).json["payload"]
    (ana,) = [each for each in (await api.get("/agents")).json if each["name"] == "Ana"]

    assert members == [ana]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_only_colleagues_can_be_members(api: Api, given: Given, method: str) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    stranger = await (await given.another_account()).agent("Eva")

    for user_id in (stranger.id, 999_999_999):
        reply = await api.call(
            method, "/inbox_members", json={"inbox_id": inbox["id"], "user_ids": [given.boss.id, user_id]}
        )
        assert (reply.status, reply.json) == (422, {"message": "User must exist", "attributes": ["user"]})
    assert [each["id"] for each in (await api.get(f"/inbox_members/{inbox['id']}")).json["payload"]] == [ana.id]


async def test_members_need_an_inbox_and_people(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    without_people = await api.post("/inbox_members", {"inbox_id": inbox["id"]})
    without_inbox = await api.post("/inbox_members", {"user_ids": []})

    assert (without_people.status, list(without_people.json)) == (422, ["error"])
    assert (without_inbox.status, without_inbox.json) == (404, {"error": "Resource could not be found"})


async def test_of_two_who_set_the_members_at_once_one_has_the_last_word(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    people = [await given.agent(name) for name in ("Ana", "Davi", "Eva", "Gil")]

    await asyncio.gather(
        *(api.patch("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [each.id]}) for each in people)
    )

    assert len(names(await api.get(f"/inbox_members/{inbox['id']}"))) == 1


async def test_who_joins_or_leaves_gains_or_loses_sight_at_once(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana")
    members = {"inbox_id": inbox["id"], "user_ids": [ana.id]}
    path = f"/inboxes/{inbox['id']}"

    before = await api.acting_as(ana).get(path)
    await api.post("/inbox_members", members)
    inside = await api.acting_as(ana).get(path)
    await api.delete("/inbox_members", members)
    after = await api.acting_as(ana).get(path)

    assert [before.status, inside.status, after.status] == [401, 200, 401]


async def test_assignable_are_members_and_administrators_once_each(api: Api, given: Given) -> None:
    first, second = await given.inbox("First"), await given.inbox("Second")
    ana, davi = await given.agent("Ana", inbox=first), await given.agent("Davi", inbox=first)
    for inbox, person in ((second, davi), (first, given.boss)):
        await api.post("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [person.id]})

    of_one = await api.acting_as(ana).get(f"/inboxes/{first['id']}/assignable_agents")
    of_both = await api.get(f"/assignable_agents?inbox_ids[]={first['id']}&inbox_ids[]={second['id']}")

    assert names(of_one) == ["Ana", "Beatriz", "Davi"]
    assert names(of_both) == ["Beatriz", "Davi"]


@pytest.mark.parametrize("query", ["", "?inbox_ids[]=", "?inbox_ids[]=0", f"?inbox_ids[]={10**9}"])
async def test_nobody_is_assignable_in_an_inbox_that_is_not_there(api: Api, query: str) -> None:
    reply = await api.get(f"/assignable_agents{query}")

    assert (reply.status, reply.json) == (404, {"error": "Resource could not be found"})


async def test_however_many_inboxes_are_asked_about_the_statements_are_three(api: Api, given: Given) -> None:
    ids = [(await given.inbox(f"Inbox {number}"))["id"] for number in range(5)]
    query = "&".join(f"inbox_ids[]={inbox_id}" for inbox_id in ids)

    with given.queries(at_most=3):
        await api.get(f"/assignable_agents?{query}")
