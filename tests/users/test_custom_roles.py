"""Roles an account makes for itself, and what they let their agents do."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given
from shapes import iso, misfits, one_of

from criachat.accounts.events import AdministrationChanged
from criachat.users.events import AgentUpdated

ROLES = "/custom_roles"
SHAPE = {"id": int, "name": str, "description": one_of(str, None), "permissions": [str]}
SHAPE |= {"created_at": iso, "updated_at": iso}


async def test_a_role_is_made_changed_and_removed(api: Api, given: Given) -> None:
    body = {"name": " Supervisão ", "permissions": ["report_manage", "report_manage", "contact_manage"]}

    made = await api.post(ROLES, {"custom_role": body})
    path = f"{ROLES}/{made.json['id']}"
    changed = await api.patch(path, {"description": "Vê tudo", "permissions": ["conversation_manage"]})
    shown, listed = await api.get(path), await api.get(ROLES)
    removed = await api.delete(path)

    assert misfits(made.json, SHAPE) == []
    assert (made.json["name"], made.json["permissions"]) == ("Supervisão", ["report_manage", "contact_manage"])
    assert (changed.json["name"], changed.json["description"]) == ("Supervisão", "Vê tudo")
    assert changed.json["permissions"] == ["conversation_manage"]
    assert shown.json == changed.json
    assert listed.json == [changed.json]
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).status == 404
    told = await given.emitted(AdministrationChanged)
    assert [(each.auditable_type, each.action) for each in told] == [
        ("CustomRole", "create"),
        ("CustomRole", "update"),
        ("CustomRole", "destroy"),
    ]
    assert told[1].changes["permissions"] == [["report_manage", "contact_manage"], ["conversation_manage"]]


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"description": "Nameless"}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "Tudo", "description": "x" * 20_001}, "description"),
        ({"name": "Tudo", "permissions": ["everything"]}, "permissions"),
    ],
)
async def test_what_is_no_role_is_refused(api: Api, body: dict[str, Any], attribute: str) -> None:
    reply = await api.post(ROLES, body)

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert (await api.get(ROLES)).json == []


async def test_an_account_makes_no_more_roles_than_it_may(api: Api, given: Given) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO custom_roles (account_id, name, created_at, updated_at) "
            "SELECT $1, 'Papel ' || n, now(), now() FROM generate_series(1, 200) AS n",
            given.account_id,
        )

    reply = await api.post(ROLES, {"name": "Mais um"})

    assert (reply.status, reply.json["attributes"]) == (422, ["base"])
    with given.queries(at_most=1):
        assert len((await api.get(ROLES)).json) == 200


async def test_an_agent_with_a_role_is_shown_with_it_and_what_it_permits(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    role = await given.custom_role("report_manage", of=ana)

    shown = (await api.get("/agents")).json[0]
    account = (await api.acting_as(ana).get("/api/v1/profile")).json["accounts"][0]

    assert (shown["id"], shown["role"], shown["custom_role_id"]) == (ana.id, "agent", role["id"])
    assert account["permissions"] == ["report_manage", "custom_role"]
    assert (account["role"], account["custom_role_id"]) == ("agent", role["id"])
    assert account["custom_role"] == {
        "id": role["id"],
        "name": "Supervisão",
        "description": None,
        "permissions": ["report_manage"],
    }
    changes = [event.changes for event in await given.emitted(AgentUpdated)]
    assert changes == [{"custom_role_id": [None, role["id"]]}]


async def test_somebody_is_invited_with_a_role_beside_the_wrapper(api: Api, given: Given) -> None:
    role = await given.custom_role("contact_manage")
    agent = {"email": f"eva.{given.account_id}@example.com"}

    reply = await api.post("/agents", {"agent": agent, "custom_role_id": role["id"]})

    assert (reply.status, reply.json["custom_role_id"]) == (200, role["id"])


async def test_a_role_stays_until_it_is_taken_away_or_its_agent_becomes_an_administrator(
    api: Api, given: Given
) -> None:
    ana, eva, gil = await given.agent("Ana"), await given.agent("Eva"), await given.agent("Gil")
    role = await given.custom_role("report_manage", of=ana)
    for person in (eva, gil):
        await api.patch(f"/agents/{person.id}", {"custom_role_id": str(role["id"])})

    busy = await api.patch(f"/agents/{ana.id}", {"availability": "busy"})
    taken = await api.patch(f"/agents/{eva.id}", {"custom_role_id": None})
    promoted = await api.patch(f"/agents/{gil.id}", {"role": "administrator"})
    await api.delete(f"{ROLES}/{role['id']}")

    assert busy.json["custom_role_id"] == role["id"]
    assert taken.json["custom_role_id"] is None
    assert promoted.json["custom_role_id"] is None
    assert [each["custom_role_id"] for each in (await api.get("/agents")).json] == [None] * 4


async def test_a_role_of_another_account_is_nobodys(api: Api, given: Given) -> None:
    theirs = await (await given.another_account()).custom_role("report_manage")
    ana = await given.agent("Ana")
    path = f"{ROLES}/{theirs['id']}"

    replies = [await api.get(path), await api.patch(path, {"name": "x"}), await api.delete(path)]
    refused = await api.patch(f"/agents/{ana.id}", {"custom_role_id": theirs["id"]})

    assert [reply.status for reply in replies] == [404] * 3
    assert (refused.status, refused.json) == (
        422,
        {"message": "Custom role must exist", "attributes": ["custom_role"]},
    )


async def test_only_administrators_see_and_make_roles(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    role = await given.custom_role("conversation_manage", of=ana)
    path = f"{ROLES}/{role['id']}"

    for caller in (ana, await given.bot(), None):
        door = api.acting_as(caller)
        replies = [await door.get(ROLES), await door.get(path), await door.post(ROLES, {"name": "x"})]
        replies += [await door.patch(path, {"name": "x"}), await door.delete(path)]

        assert [reply.status for reply in replies] == [401] * 5
    assert (await api.get(path)).json == role
