from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from harness import Api, Given, Person
from shapes import iso, misfits, one_of

from criachat.accounts.models import DEFAULT_FEATURES
from criachat.conversations.operations.deleting import BATCH, remove_some
from criachat.kit.jobs import JobContext
from criachat.kit.tokens import random_token
from criachat.platform_api.jobs import RemoveAccount, remove_account
from criachat.users.events import AgentAdded, AgentRemoved, AgentUpdated

ACCOUNTS = "/platform/api/v1/accounts"
USERS = "/platform/api/v1/users"
NON_PERMISSIBLE = {"error": "Non permissible resource"}
NOT_FOUND = {"status": 404, "error": "Not Found"}
MEMBERSHIP = {
    "id": int,
    "account_id": int,
    "user_id": int,
    "role": str,
    "inviter_id": None,
    "created_at": iso,
    "updated_at": iso,
    "active_at": one_of(iso, None),
    "availability": str,
    "auto_offline": bool,
    "custom_role_id": None,
    "agent_capacity_policy_id": None,
}
MULTIPLY = """
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at,
    updated_at)
SELECT account_id, display_id + number, inbox_id, contact_id, contact_inbox_id, last_activity_at, created_at, updated_at
FROM conversations, generate_series(1, $3::int) AS number
WHERE account_id = $1 AND display_id = $2
"""


async def opened(app: Api, **fields: Any) -> Any:
    reply = await app.post(ACCOUNTS, {"name": "Globex", **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def person(app: Api) -> Any:
    address = f"lena.{random_token(8).lower()}@acme.test"
    reply = await app.post(USERS, {"name": "Lena", "email": address, "password": "Lena-2026!"})
    assert reply.status == 200, reply.body
    return reply.json


async def test_an_account_is_opened_shown_and_changed(app: Api) -> None:
    account = await opened(
        app,
        locale="es",
        support_email="help@globex.test",
        features={"sla": True, "campaigns": False, "macros": "false", "reports": None},
        limits={"agents": 5, "inboxes": "10"},
        custom_attributes={"crm_id": "G-77"},
    )
    path = f"{ACCOUNTS}/{account['id']}"
    changed = await app.patch(path, {"features": {"sla": False, "macros": "true"}, "limits": {"agents": 7}})
    shown = await app.get(path)

    off = {"campaigns", "macros", "reports"}
    assert account == {
        "id": account["id"],
        "name": "Globex",
        "locale": "es",
        "domain": None,
        "support_email": "help@globex.test",
        "features": {name: True for name in (*DEFAULT_FEATURES, "sla") if name not in off},
        "custom_attributes": {"crm_id": "G-77"},
        "limits": {"agents": 5, "inboxes": 10},
        "status": "active",
    }
    features = {name: True for name in (*DEFAULT_FEATURES,) if name not in {"campaigns", "reports"}}
    assert changed.json == shown.json == {**account, "features": features, "limits": {"agents": 7}}
    assert (await app.get(ACCOUNTS)).json == [shown.json]


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"locale": "klingon"}, "locale"),
        ({"locale": "xx"}, "locale"),
        ({"domain": "x" * 101}, "domain"),
        ({"support_email": "nobody"}, "support_email"),
        ({"status": "closed"}, "status"),
        ({"features": {"time_travel": True}}, "features"),
        ({"limits": {"agents": "many"}}, "limits"),
        ({"limits": {"agents": True}}, "limits"),
        ({"limits": {"agents": "9" * 5000}}, "limits"),
        ({"limits": {"agents": 2**31}}, "limits"),
        ({"limits": {"wishes": 3}}, "limits"),
        ({"custom_attributes": {"x": "y" * 70_000}}, "custom_attributes"),
    ],
)
async def test_what_an_account_cannot_be_is_refused(app: Api, body: dict[str, Any], attribute: str) -> None:
    account = await opened(app)

    new = await app.post(ACCOUNTS, {"name": "Initech", **body})
    changed = await app.patch(f"{ACCOUNTS}/{account['id']}", {"domain": "globex.test", **body})

    assert (new.status, changed.status) == (422, 422)
    assert new.json["attributes"] == changed.json["attributes"] == [attribute]
    assert (await app.get(ACCOUNTS)).json == [account]


async def test_an_account_needs_a_name(app: Api) -> None:
    assert (await app.post(ACCOUNTS, {})).json["attributes"] == ["name"]


async def test_accounts_are_listed_page_by_page_in_two_statements(app: Api, given: Given) -> None:
    accounts = [await opened(app, name=f"Branch {number}") for number in range(3)]
    await app.get(ACCOUNTS)

    with given.queries(at_most=2):
        listed = (await app.get(ACCOUNTS)).json

    assert listed == accounts
    assert (await app.get(f"{ACCOUNTS}?page=2")).json == []
    assert (await app.get(f"{ACCOUNTS}?page=-1")).json == accounts


async def test_a_suspended_account_lets_nobody_in(app: Api) -> None:
    account, user = await opened(app), await person(app)
    await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": user["id"], "role": "administrator"})
    caller = app.acting_as(Person(id=0, name="", token=user["access_token"])).in_account(account["id"])

    before = await caller.get("/labels")
    await app.patch(f"{ACCOUNTS}/{account['id']}", {"status": "suspended"})
    await app.get(ACCOUNTS)

    refused = await caller.get("/labels")
    assert before.status == 200
    assert (refused.status, refused.json) == (401, {"error": "Account is suspended"})


async def test_accounts_of_others_are_refused_and_none_is_not_found(
    app: Api, make_app: Callable[[str], Awaitable[Api]], given: Given
) -> None:
    theirs = await opened(await make_app("Reporting"))
    cases = [(theirs["id"], 401), (given.account_id, 401), (2**62, 404), ("x", 404)]
    for account_id, expected in cases:
        path = f"{ACCOUNTS}/{account_id}"
        replies = [
            await app.get(path),
            await app.patch(path, {"name": "Mine"}),
            await app.delete(path),
            await app.get(f"{path}/account_users"),
            await app.post(f"{path}/account_users", {"user_id": given.boss.id}),
            await app.delete(f"{path}/account_users", {"user_id": given.boss.id}),
        ]
        body = NON_PERMISSIBLE if expected == 401 else NOT_FOUND
        assert [(reply.status, reply.json) for reply in replies] == [(expected, body)] * 6
    assert (await app.get(ACCOUNTS)).json == []


async def test_people_join_get_another_role_and_leave(app: Api, given: Given) -> None:
    account, user = await opened(app), await person(app)
    path = f"{ACCOUNTS}/{account['id']}/account_users"
    in_account = Given(given.world, account["id"], given.boss)

    joined = await app.post(path, {"user_id": user["id"]})
    promoted = await app.post(path, {"user_id": str(user["id"]), "role": "administrator"})
    unchanged = await app.post(path, {"user_id": user["id"]})
    listed = await app.get(path)
    left = await app.delete(path, {"user_id": user["id"]})
    again = await app.delete(f"{path}?user_id={user['id']}")

    assert misfits(joined.json, MEMBERSHIP) == []
    assert (joined.json["role"], promoted.json["role"]) == ("agent", "administrator")
    assert unchanged.json == promoted.json
    assert listed.json == [promoted.json]
    assert (left.status, left.body, again.status, again.body) == (200, b"", 200, b"")
    assert (await app.get(path)).json == []
    assert [event.user_id for event in await in_account.emitted(AgentAdded)] == [user["id"]]
    assert [event.changes for event in await in_account.emitted(AgentUpdated)] == [{"role": ["agent", "administrator"]}]
    assert [event.user_id for event in await in_account.emitted(AgentRemoved)] == [user["id"]]


async def test_of_many_who_have_somebody_join_at_once_one_is_told_of(app: Api, given: Given) -> None:
    account, user = await opened(app), await person(app)
    path, in_account = f"{ACCOUNTS}/{account['id']}/account_users", Given(given.world, account["id"], given.boss)

    replies = await asyncio.gather(*(app.post(path, {"user_id": user["id"]}) for _ in range(32)))

    assert {reply.status for reply in replies} == {200}
    assert {reply.json["id"] for reply in replies} == {(await app.get(path)).json[0]["id"]}
    assert len(await in_account.emitted(AgentAdded)) == 1


@pytest.mark.parametrize("user_id", [2**62, 0])
async def test_who_does_not_exist_joins_nothing(app: Api, user_id: int) -> None:
    account = await opened(app)

    reply = await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": user_id})

    assert (reply.status, reply.json) == (422, {"message": "User must exist", "attributes": ["user"]})


async def test_nobody_is_drawn_into_an_account_by_an_app_that_does_not_know_them(app: Api, given: Given) -> None:
    account = await opened(app)

    reply = await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": given.boss.id})

    assert (reply.status, reply.json["attributes"]) == (422, ["user"])


@pytest.mark.parametrize("body", [{}, {"user_id": "x"}, {"user_id": None}])
async def test_a_membership_needs_a_person(app: Api, body: dict[str, Any]) -> None:
    account = await opened(app)

    assert (await app.post(f"{ACCOUNTS}/{account['id']}/account_users", body)).status == 422
    assert (await app.delete(f"{ACCOUNTS}/{account['id']}/account_users", body)).status == 422


async def test_a_role_that_does_not_exist_is_refused(app: Api) -> None:
    account, user = await opened(app), await person(app)

    reply = await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": user["id"], "role": "owner"})

    assert (reply.status, reply.json["attributes"]) == (422, ["role"])


async def test_an_account_that_is_removed_takes_everything_along(app: Api, given: Given) -> None:
    account, user = await opened(app), await person(app)
    await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": user["id"], "role": "administrator"})
    boss = Person(id=user["id"], name="Lena", token=user["access_token"])
    theirs = Given(given.world, account["id"], boss)
    conversation = await theirs.conversation()
    await theirs.message(conversation)
    await theirs.bot()

    removed = await app.delete(f"{ACCOUNTS}/{account['id']}")
    await app.get(ACCOUNTS)
    refused = await theirs.api.get("/labels")
    await given.worked()

    assert (removed.status, removed.body) == (200, b"")
    assert refused.status == 401
    assert (await app.get(f"{ACCOUNTS}/{account['id']}")).json == NOT_FOUND
    assert (await app.get(ACCOUNTS)).json == []
    assert (await theirs.api.get("/labels")).status == 404
    async with given.world.parts.database.reading() as db:
        for table in ("conversations", "messages", "contacts", "inboxes", "account_users", "agent_bots"):
            count: Any = f"SELECT count(*) FROM {table} WHERE account_id = $1"
            assert await db.fetch_value(count, account["id"]) == 0, table


async def test_the_removal_of_a_large_account_goes_on_where_it_stopped_and_beside_itself(
    app: Api, given: Given
) -> None:
    account, user = await opened(app), await person(app)
    await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": user["id"], "role": "administrator"})
    theirs = Given(given.world, account["id"], Person(id=user["id"], name="Lena", token=user["access_token"]))
    conversation, kept = await theirs.conversation(), await given.conversation()
    parts = given.world.parts
    async with parts.database.transaction() as tx:
        await tx.execute(MULTIPLY, account["id"], conversation["id"], 3 * BATCH)
    context = JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)

    await app.delete(f"{ACCOUNTS}/{account['id']}")
    async with parts.database.transaction() as tx:
        await remove_some(tx, account["id"])
    await asyncio.gather(*(remove_account(context, RemoveAccount(account["id"])) for _ in range(4)))
    await remove_account(context, RemoveAccount(account["id"]))

    async with parts.database.reading() as db:
        for table in ("accounts WHERE id", "conversations WHERE account_id", "directory WHERE account_id"):
            count: Any = f"SELECT count(*) FROM {table} = $1"
            assert await db.fetch_value(count, account["id"]) == 0, table
    assert (await given.api.get(f"/conversations/{kept['id']}")).status == 200


async def test_the_addresses_of_a_removed_account_are_free_again(app: Api, given: Given) -> None:
    account, user = await opened(app), await person(app)
    await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": user["id"], "role": "administrator"})
    theirs = Given(given.world, account["id"], Person(id=user["id"], name="Lena", token=user["access_token"]))
    mailbox = {"type": "email", "email": f"help{account['id']}@loja.example"}
    await theirs.inbox(channel=mailbox)

    await app.delete(f"{ACCOUNTS}/{account['id']}")
    await given.worked()

    assert (await given.api.post("/inboxes", {"name": "Ajuda", "channel": mailbox})).status == 200
