"""Who belongs to an account: invited, changed, removed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Person, Reply

from criachat.kit import clock
from criachat.users.events import AgentAdded, AgentRemoved, AgentUpdated

AGENTS = "/agents"
TAKEN = {"message": "User has already been taken", "attributes": ["user_id"]}


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [each["name"] for each in reply.json]


async def invited(api: Api, email: str, **fields: Any) -> dict[str, Any]:
    reply = await api.post(AGENTS, {"email": email, **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def test_somebody_new_becomes_a_member_who_has_yet_to_say_that_it_is_them(api: Api, given: Given) -> None:
    reply = await api.post(
        AGENTS, {"agent": {"email": " Eva@Example.COM ", "name": "Eva Luz", "role": "administrator"}}
    )

    assert reply.status == 200
    assert reply.json == {
        "id": reply.json["id"],
        "account_id": given.account_id,
        "availability_status": "offline",
        "auto_offline": True,
        "confirmed": False,
        "email": "eva@example.com",
        "provider": "email",
        "available_name": "Eva Luz",
        "name": "Eva Luz",
        "role": "administrator",
        "thumbnail": "",
        "custom_role_id": None,
    }
    event = (await given.emitted(AgentAdded))[-1]
    assert (event.user_id, event.actor_id) == (reply.json["id"], given.boss.id)


async def test_what_is_not_said_has_a_default(api: Api, given: Given) -> None:
    plain = await invited(api, f"gil.{given.account_id}@example.com")
    full = await invited(
        api, f"isa.{given.account_id}@example.com", role=1, availability="busy", auto_offline="false", name="Isa"
    )

    assert (plain["name"], plain["role"], plain["auto_offline"]) == (f"gil.{given.account_id}", "agent", True)
    assert (full["role"], full["availability_status"], full["auto_offline"]) == ("administrator", "busy", False)


async def test_somebody_who_is_known_joins_as_they_are(api: Api, given: Given) -> None:
    eva = await (await given.another_account()).agent("Eva")

    agent = await invited(api, eva.email.upper(), name="Somebody else")

    assert (agent["id"], agent["name"], agent["confirmed"]) == (eva.id, "Eva", True)
    assert (await api.acting_as(eva).get("/labels")).status == 200


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": "Eva"}, "email"),
        ({"email": "no address"}, "email"),
        ({"email": f"{'x' * 250}@example.com"}, "email"),
        ({"email": "eva@example.com", "role": "owner"}, "role"),
        ({"email": "eva@example.com", "role": 2}, "role"),
        ({"email": "eva@example.com", "availability": "asleep"}, "availability"),
        ({"email": "eva@example.com", "name": " "}, "name"),
        ({"email": "eva@example.com", "name": "x" * 256}, "name"),
    ],
)
async def test_who_cannot_be_a_member_is_refused(api: Api, body: dict[str, Any], attribute: str) -> None:
    reply = await api.post(AGENTS, body)

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert names(await api.get(AGENTS)) == ["Beatriz"]


async def test_nobody_is_a_member_twice_however_many_invite_them_at_once(api: Api, given: Given) -> None:
    email = f"eva.{given.account_id}@example.com"

    replies = await asyncio.gather(*(api.post(AGENTS, {"email": email}) for _ in range(8)))
    again = await api.post(AGENTS, {"email": email})

    assert sorted(reply.status for reply in replies) == [200, *[422] * 7]
    assert (again.status, again.json) == (422, TAKEN)
    assert len([event for event in await given.emitted(AgentAdded) if event.actor_id]) == 1


async def test_many_are_invited_at_once_and_what_is_no_address_is_passed_over(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    emails = [f"{name}.{given.account_id}@example.com" for name in ("eva", "gil")]

    reply = await api.post(f"{AGENTS}/bulk_create", {"emails": [*emails, emails[0].upper(), "none", ana.email]})

    assert (reply.status, reply.body) == (200, b"")
    assert names(await api.get(AGENTS)) == ["Ana", "Beatriz", *(email.partition("@")[0] for email in emails)]
    # Eight, and a transaction of its own for the limit.
    with given.queries(at_most=11):
        await api.post(f"{AGENTS}/bulk_create", {"emails": [f"{n}.{given.account_id}@example.com" for n in range(50)]})


async def test_an_account_invites_two_hundred_in_an_hour_whole_or_not_at_all(api: Api, given: Given) -> None:
    others = await given.another_account()

    async def invite(api: Api, count: int, mark: str) -> Reply:
        emails = [f"{mark}.{number}.{api.account_id}@example.com" for number in range(count)]
        return await api.post(f"{AGENTS}/bulk_create", {"emails": [*emails, *emails[:1], "none"]})

    first = [await invite(api, 98, mark) for mark in ("a", "b")]
    over = await invite(api, 5, "c")
    beside = await invite(others.api, 5, "c")
    last = [await api.post(AGENTS, {"email": f"d{number}.{given.account_id}@example.com"}) for number in range(5)]
    clock.travel(timedelta(hours=1))
    later = await invite(api, 5, "e")

    assert [reply.status for reply in first] == [200, 200]
    assert (over.status, beside.status, later.status) == (429, 200, 200)
    assert [reply.status for reply in last] == [200] * 4 + [429]
    assert 3_500 < int(over.headers["Retry-After"]) <= 3_600
    assert over.body.decode() == last[-1].body.decode()
    assert not [name for name in names(await api.get(AGENTS)) if name.startswith(("c.", "d4"))]


async def test_an_account_has_no_more_members_than_its_plan(api: Api, given: Given) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE accounts SET limits = $2 WHERE id = $1", given.account_id, {"agents": 3})
    emails = [f"{name}.{given.account_id}@example.com" for name in ("ana", "davi", "eva", "gil", "isa")]

    in_bulk = await api.post(f"{AGENTS}/bulk_create", {"emails": emails})
    none = names(await api.get(AGENTS))
    replies = await asyncio.gather(*(api.post(AGENTS, {"email": email}) for email in emails))
    again = await api.post(AGENTS, {"email": given.boss.email})

    assert (in_bulk.status, list(in_bulk.json)) == (402, ["error"])
    assert none == ["Beatriz"]
    assert sorted(reply.status for reply in replies) == [200, 200, 402, 402, 402]
    assert len(names(await api.get(AGENTS))) == 3
    assert (again.status, again.json) == (422, TAKEN)


async def test_who_belongs_to_other_accounts_too_is_called_what_they_say(api: Api, given: Given) -> None:
    ana, others = await given.agent("Ana"), await given.another_account()
    assert (await others.api.post(AGENTS, {"email": ana.email})).status == 200

    refused = await others.api.patch(f"{AGENTS}/{ana.id}", {"name": "Eva", "role": "administrator"})
    promoted = await others.api.patch(f"{AGENTS}/{ana.id}", {"name": "Ana", "role": "administrator"})

    assert (refused.status, refused.json["attributes"]) == (422, ["name"])
    assert (promoted.status, promoted.json["role"]) == (200, "administrator")
    assert names(await api.get(AGENTS)) == ["Ana", "Beatriz"]


async def test_a_member_is_changed_in_what_is_sent(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    path = f"{AGENTS}/{ana.id}"

    promoted = await api.patch(path, {"role": "administrator", "name": None, "email": "other@example.com"})
    renamed = await api.put(path, {"agent": {"name": "Ana Paula", "availability": "busy", "auto_offline": False}})

    assert (promoted.json["role"], promoted.json["name"], promoted.json["email"]) == ("administrator", "Ana", ana.email)
    assert (renamed.json["name"], renamed.json["availability_status"]) == ("Ana Paula", "busy")
    assert renamed.json["role"] == "administrator"


async def test_the_last_administrator_stays_one(api: Api, given: Given) -> None:
    path = f"{AGENTS}/{given.boss.id}"

    alone = await api.patch(path, {"role": "agent"})
    carla = await given.administrator("Carla")
    not_alone = await api.patch(path, {"role": "agent"})
    removal = await api.acting_as(carla).delete(f"{AGENTS}/{carla.id}")

    assert (alone.status, alone.json["attributes"]) == (422, ["role"])
    assert not_alone.status == 200
    assert (removal.status, removal.json["attributes"]) == (422, ["base"])


async def test_of_two_administrators_who_demote_each_other_one_stays(api: Api, given: Given) -> None:
    carla = await given.administrator("Carla")
    pairs = [(given.boss, carla), (carla, given.boss)]

    await asyncio.gather(*(api.acting_as(a).patch(f"{AGENTS}/{b.id}", {"role": "agent"}) for a, b in pairs))

    roles = [each["role"] for each in (await api.get(AGENTS)).json]
    assert "administrator" in roles


async def membership_of(given: Given, person: Person) -> dict[str, Any]:
    """An inbox, a team and a conversation that are theirs."""
    inbox = await given.inbox()
    await given.api.post("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [person.id]})
    team = await given.team("vendas", person)
    conversation = await given.conversation(inbox=inbox)
    await given.api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": person.id})
    return {"inbox": inbox, "team": team, "conversation": conversation}


async def test_who_is_removed_leaves_everything_behind(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    theirs = await membership_of(given, ana)

    reply = await api.delete(f"{AGENTS}/{ana.id}")

    assert (reply.status, reply.body) == (200, b"")
    assert names(await api.get(AGENTS)) == ["Beatriz"]
    assert (await api.get(f"/inbox_members/{theirs['inbox']['id']}")).json == {"payload": []}
    assert (await api.get(f"/teams/{theirs['team']['id']}/team_members")).json == []
    shown = (await api.get(f"/conversations/{theirs['conversation']['id']}")).json
    assert "assignee" not in shown["meta"]
    assert [event.user_id for event in await given.emitted(AgentRemoved)] == [ana.id]
    assert (await api.delete(f"{AGENTS}/{ana.id}")).status == 404


async def test_who_belongs_to_no_account_any_more_is_forgotten_with_their_tokens(api: Api, given: Given) -> None:
    ana, eva = await given.agent("Ana"), await (await given.another_account()).agent("Eva")
    await invited(api, eva.email)

    for person in (ana, eva):
        assert (await api.delete(f"{AGENTS}/{person.id}")).status == 200

    profile = "/api/v1/profile"
    assert (await api.acting_as(ana).get(profile)).json == {"error": "Invalid Access Token"}
    assert (await api.acting_as(eva).get(profile)).status == 200


async def test_nobody_removes_themself(api: Api, given: Given) -> None:
    await given.administrator("Carla")

    reply = await api.delete(f"{AGENTS}/{given.boss.id}")

    assert (reply.status, reply.json) == (422, {"message": "You cannot remove yourself", "attributes": ["base"]})


async def test_only_administrators_change_the_team(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    path = f"{AGENTS}/{ana.id}"

    for caller in (ana, await given.bot(), None):
        door = api.acting_as(caller)
        replies = [
            await door.post(AGENTS, {"email": "eva@example.com"}),
            await door.post(f"{AGENTS}/bulk_create", {"emails": ["eva@example.com"]}),
            await door.patch(path, {"role": "administrator"}),
            await door.delete(path),
        ]
        assert [reply.status for reply in replies] == [401] * 4
    assert names(await api.get(AGENTS)) == ["Ana", "Beatriz"]


async def test_members_of_another_account_do_not_exist(api: Api, given: Given) -> None:
    eva = await (await given.another_account()).agent("Eva")

    replies = [await api.patch(f"{AGENTS}/{eva.id}", {"name": "Mine"}), await api.delete(f"{AGENTS}/{eva.id}")]

    assert [reply.status for reply in replies] == [404, 404]


async def test_a_change_is_told_once_with_what_it_was_before(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    path = f"{AGENTS}/{ana.id}"

    for body in ({"role": "administrator", "name": "Ana Paula"}, {"role": 1}, {"name": "Ana Paula"}):
        assert (await api.patch(path, body)).status == 200

    (event,) = await given.emitted(AgentUpdated)
    assert event.changes == {"name": ["Ana", "Ana Paula"], "role": ["agent", "administrator"]}
    assert (event.user_id, event.actor_type, event.actor_id) == (ana.id, "user", given.boss.id)


async def test_what_people_choose_to_be_is_told_once(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    door = api.acting_as(ana)

    for _ in range(2):
        await door.post("/api/v1/profile/availability", {"account_id": given.account_id, "availability": "busy"})
        await door.post("/api/v1/profile/auto_offline", {"account_id": given.account_id, "auto_offline": False})

    changes = [event.changes for event in await given.emitted(AgentUpdated)]
    assert changes == [{"availability": ["online", "busy"]}, {"auto_offline": [True, False]}]


async def test_of_two_changes_at_once_neither_is_lost(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    path = f"{AGENTS}/{ana.id}"

    await asyncio.gather(
        *(api.patch(path, body) for body in ({"availability": "busy"}, {"auto_offline": False}, {"role": 1}) * 4)
    )

    shown = next(each for each in (await api.get(AGENTS)).json if each["id"] == ana.id)
    assert (shown["role"], shown["availability_status"], shown["auto_offline"]) == ("administrator", "busy", False)


async def test_what_somebody_may_do_changes_with_their_membership_at_once(api: Api, given: Given) -> None:
    eva = (await given.another_account()).boss
    hers = api.acting_as(eva)
    seen: list[list[int]] = []

    async def look() -> None:
        await api.get(AGENTS)
        seen.append([(await hers.get("/labels")).status, (await hers.get("/webhooks")).status])

    await look()
    await invited(api, eva.email)
    await look()
    for role in ("administrator", "agent"):
        await api.patch(f"{AGENTS}/{eva.id}", {"role": role})
        await look()
    await api.delete(f"{AGENTS}/{eva.id}")
    await look()

    assert seen == [[401, 401], [200, 401], [200, 200], [200, 401], [401, 401]]


async def test_what_a_role_allows_changes_at_once(api: Api, given: Given) -> None:
    path = f"/portals/{(await given.portal())['slug']}"
    ana = await given.agent("Ana")
    role = await given.custom_role("contact_manage", of=ana)
    statuses: list[int] = []

    async def look() -> None:
        await api.get(AGENTS)
        statuses.append((await api.acting_as(ana).patch(path, {"page_title": "Ajuda"})).status)

    await look()
    await api.patch(f"/custom_roles/{role['id']}", {"permissions": ["knowledge_base_manage"]})
    await look()
    await api.delete(f"/custom_roles/{role['id']}")
    await look()

    assert statuses == [401, 200, 401]


async def test_what_somebody_chooses_to_be_is_shown_beside_what_they_say_next(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    shown = [(await given.message(conversation))["sender"]["availability_status"]]

    await api.post("/api/v1/profile/availability", {"account_id": given.account_id, "availability": "busy"})
    await api.post("/api/v1/profile/auto_offline", {"account_id": given.account_id, "auto_offline": False})
    await api.get(AGENTS)
    shown.append((await given.message(conversation))["sender"]["availability_status"])

    assert shown == ["offline", "busy"]
