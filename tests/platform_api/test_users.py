from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from harness import Api, Given, Person
from mailserver import Mailbox
from visitors import Browser, asked, choice, token_in

from criachat.kit.tokens import random_token
from criachat.users.events import AgentRemoved

USERS = "/platform/api/v1/users"
ACCOUNTS = "/platform/api/v1/accounts"
PASSWORD = "Lena-2026!"
NON_PERMISSIBLE = {"error": "Non permissible resource"}
NOT_FOUND = {"status": 404, "error": "Not Found"}


def lena(**fields: Any) -> dict[str, Any]:
    return {"name": "Lena Krause", "email": f"lena.{random_token(8).lower()}@acme.test", "password": PASSWORD, **fields}


async def created(app: Api, **fields: Any) -> Any:
    reply = await app.post(USERS, lena(**fields))
    assert reply.status == 200, reply.body
    return reply.json


def holder(token: str) -> Person:
    return Person(id=0, name="", token=token)


async def test_an_address_an_operator_gives_ends_what_was_mailed_and_wanted_before(
    app: Api, given: Given, mailbox: Mailbox
) -> None:
    person, address = await created(app), f"lena.{random_token(8).lower()}@acme.test"
    wanted = f"eva.{person['email']}"
    await given.api.acting_as(holder(person["access_token"])).patch("/api/v1/profile", {"email": wanted})
    link = await asked(given, mailbox, Person(id=person["id"], name="Lena", token="", email=person["email"]))
    confirmation = token_in(mailbox, wanted, page="confirmation")

    changed = await app.patch(f"{USERS}/{person['id']}", {"email": address})
    replies = [
        await Browser(given.world).put("/auth/password", choice(link)),
        await Browser(given.world).post("/auth/confirmation", {"confirmation_token": confirmation}),
    ]

    assert changed.json["email"] == address
    assert [reply.status for reply in replies] == [422, 422]
    assert (await app.get(f"{USERS}/{person['id']}")).json["email"] == address


async def test_a_person_is_created_confirmed_and_may_call_at_once(app: Api) -> None:
    sent = lena(display_name="Lena K.", custom_attributes={"crm_id": "L-1"})

    reply = await app.post(USERS, sent)

    user = reply.json
    assert reply.status == 200
    assert user == {
        "access_token": user["access_token"],
        "account_id": None,
        "accounts": [],
        "available_name": "Lena K.",
        "avatar_url": "",
        "confirmed": True,
        "custom_attributes": {"crm_id": "L-1"},
        "display_name": "Lena K.",
        "email": sent["email"],
        "id": user["id"],
        "message_signature": None,
        "name": "Lena Krause",
        "provider": "email",
        "pubsub_token": user["pubsub_token"],
        "role": None,
        "ui_settings": {},
        "uid": sent["email"],
    }
    profile = await app.acting_as(holder(user["access_token"])).get("/api/v1/profile")
    assert profile.json["email"] == sent["email"]


async def test_who_is_known_already_is_returned_unchanged(app: Api) -> None:
    user = await created(app)

    again = await app.post(USERS, {"email": user["email"].upper(), "name": "Somebody else", "password": "x"})

    assert again.status == 200
    assert again.json == user


async def test_knowing_an_address_is_not_enough_to_be_somebody(app: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    path = f"{USERS}/{ana.id}"

    found = await app.post(USERS, {"email": ana.email, "name": "Ana"})
    shown = await app.get(path)
    refused = [
        await app.patch(path, {"email": "mine@acme.test"}),
        await app.delete(path),
        await app.post(f"{path}/token"),
        await app.get(f"{path}/login"),
    ]

    assert found.json == shown.json
    assert found.json["id"] == ana.id
    assert {"access_token", "pubsub_token"}.isdisjoint(found.json)
    assert [(reply.status, reply.json) for reply in refused] == [(401, NON_PERMISSIBLE)] * 4


async def test_who_belongs_to_accounts_of_the_app_alone_is_the_apps(app: Api, given: Given) -> None:
    account = (await app.post(ACCOUNTS, {"name": "Globex"})).json
    boss = await created(app)
    await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": boss["id"], "role": "administrator"})
    caller = app.acting_as(holder(boss["access_token"])).in_account(account["id"])
    invited = (await caller.post("/agents", {"email": f"{random_token(8).lower()}@acme.test", "name": "Ana"})).json

    found = await app.post(USERS, {"email": invited["email"], "name": "Ana"})
    elsewhere = await given.api.post("/agents", {"email": invited["email"], "name": "Ana"})
    after = await app.get(f"{USERS}/{invited['id']}")

    assert found.json["access_token"].startswith("cria_pat_")
    assert elsewhere.status == 200
    assert "access_token" not in after.json


async def test_an_app_loses_the_token_it_had_for_who_joins_somebody_else(app: Api, given: Given) -> None:
    account = (await app.post(ACCOUNTS, {"name": "Globex"})).json
    boss = await created(app)
    await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": boss["id"], "role": "administrator"})
    caller = app.acting_as(holder(boss["access_token"])).in_account(account["id"])
    invited = (await caller.post("/agents", {"email": f"{random_token(8).lower()}@acme.test", "name": "Ana"})).json
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET confirmed_at = now() WHERE id = $1", invited["id"])
    found = (await app.post(USERS, {"email": invited["email"], "name": "Ana"})).json
    as_ana = app.acting_as(holder(found["access_token"]))
    before = await as_ana.in_account(account["id"]).get("/agents")

    await given.api.post("/agents", {"email": invited["email"], "name": "Ana"})
    await given.relayed()

    assert before.status == 200
    assert [(await as_ana.in_account(each).get("/agents")).status for each in (account["id"], given.account_id)] == [
        401,
        401,
    ]
    assert (await caller.get("/agents")).status == 200


async def test_of_many_changes_to_a_person_at_once_none_is_lost(app: Api, given: Given) -> None:
    user = await created(app)
    themself, names = app.acting_as(holder(user["access_token"])), [f"n{number}" for number in range(12)]

    replies = await asyncio.gather(
        *(app.patch(f"{USERS}/{user['id']}", {"custom_attributes": {name: 1}}) for name in names),
        *(themself.patch("/api/v1/profile", {"phone_number": "+5511999990000"}) for _ in range(4)),
    )

    assert {reply.status for reply in replies} == {200}
    shown = (await app.get(f"{USERS}/{user['id']}")).json
    assert shown["custom_attributes"] == {**dict.fromkeys(names, 1), "phone_number": "+5511999990000"}


async def test_an_app_that_changes_a_name_vouches_for_no_address(app: Api, given: Given) -> None:
    user, wanted = await created(app), f"nova.{random_token(8).lower()}@acme.test"
    await app.acting_as(holder(user["access_token"])).patch("/api/v1/profile", {"email": wanted})
    sql = "SELECT unconfirmed_email FROM users WHERE id = $1"

    renamed = await app.patch(f"{USERS}/{user['id']}", {"name": "Lena Lima"})

    assert (renamed.status, renamed.json["name"]) == (200, "Lena Lima")
    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value(sql, user["id"]) == wanted


async def test_an_app_has_one_token_for_a_person_and_no_other_app_reads_it(
    app: Api, make_app: Callable[[str], Awaitable[Api]]
) -> None:
    user = await created(app)
    path = f"{USERS}/{user['id']}"
    other = await make_app("Reporting")
    await other.post(USERS, {"email": user["email"], "name": "Lena"})

    shown = (await app.get(path)).json
    token = (await app.post(f"{path}/token")).json

    assert shown["access_token"] == user["access_token"]
    assert token == {
        "access_token": user["access_token"],
        "expiry": None,
        "user": {key: user[key] for key in ("id", "name", "display_name", "email", "pubsub_token")},
    }
    assert (await other.post(f"{path}/token")).status == 401
    assert user["access_token"] not in (await other.get(path)).body.decode()


async def test_a_token_that_was_ended_is_replaced_once(app: Api) -> None:
    user = await created(app)
    await app.acting_as(None).post("/api/v1/tokens/revoke", {"token": user["access_token"]})

    replies = await asyncio.gather(*[app.post(f"{USERS}/{user['id']}/token") for _ in range(16)])

    tokens = {reply.json["access_token"] for reply in replies}
    assert len(tokens) == 1
    assert tokens != {user["access_token"]}


async def test_a_person_is_changed_and_their_attributes_are_merged(app: Api) -> None:
    user = await created(app, custom_attributes={"crm_id": "L-1", "city": "Recife"})
    path, address = f"{USERS}/{user['id']}", f"new.{random_token(8).lower()}@acme.test"

    changed = await app.patch(path, {"name": "Lena K", "email": address, "custom_attributes": {"city": "Natal"}})

    attributes = {"crm_id": "L-1", "city": "Natal"}
    names = {"name": "Lena K", "available_name": "Lena K", "email": address, "uid": address}
    assert changed.json == {**user, **names, "custom_attributes": attributes}
    assert (await app.get(path)).json == changed.json


async def test_a_new_password_changes_what_sockets_are_opened_with(app: Api) -> None:
    user = await created(app)

    changed = await app.put(f"{USERS}/{user['id']}", {"password": "Another-2026!"})

    assert changed.json["pubsub_token"] != user["pubsub_token"]
    assert {**changed.json, "pubsub_token": user["pubsub_token"]} == user


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"email": "no address"}, "email"),
        ({"password": "weak"}, "password"),
        ({"custom_attributes": {"x": "y" * 70_000}}, "custom_attributes"),
    ],
)
async def test_what_a_person_cannot_be_is_refused(app: Api, body: dict[str, Any], attribute: str) -> None:
    user = await created(app)

    new = await app.post(USERS, lena(**body))
    changed = await app.patch(f"{USERS}/{user['id']}", {"display_name": "L", **body})

    assert (new.status, changed.status) == (422, 422)
    assert new.json["attributes"] == changed.json["attributes"] == [attribute]
    assert (await app.get(f"{USERS}/{user['id']}")).json == user


@pytest.mark.parametrize("missing", ["name", "email", "password"])
async def test_a_new_person_needs_name_address_and_password(app: Api, missing: str) -> None:
    sent = lena()
    del sent[missing]

    reply = await app.post(USERS, sent)

    assert reply.status == 422
    assert reply.json["attributes"] == [missing]


async def test_an_address_of_somebody_else_is_refused(app: Api) -> None:
    first, second = await created(app), await created(app)

    reply = await app.patch(f"{USERS}/{first['id']}", {"email": second["email"]})

    assert (reply.status, reply.json["attributes"]) == (422, ["email"])


async def test_of_many_who_create_the_same_person_at_once_all_get_one(app: Api) -> None:
    sent = lena()

    replies = await asyncio.gather(*[app.post(USERS, sent) for _ in range(16)])

    assert {reply.status for reply in replies} == {200}
    assert len({(reply.json["id"], reply.json.get("access_token")) for reply in replies}) == 1


async def test_a_person_who_is_removed_leaves_every_account(app: Api, given: Given) -> None:
    user = await created(app)
    await given.api.post("/agents", {"email": user["email"], "name": "Lena"})
    caller = app.acting_as(holder(user["access_token"]))

    removed = await app.delete(f"{USERS}/{user['id']}")
    again = await app.delete(f"{USERS}/{user['id']}")
    await given.worked()

    assert (removed.status, removed.body, again.status) == (200, b"", 404)
    assert (await app.get(f"{USERS}/{user['id']}")).json == NOT_FOUND
    assert (await caller.get("/api/v1/profile")).status == 401
    assert user["id"] not in [each["id"] for each in (await given.api.get("/agents")).json]
    assert [event.user_id for event in await given.emitted(AgentRemoved)] == [user["id"]]


async def test_who_is_to_be_forgotten_is_nobody_before_that_is_done(app: Api, given: Given) -> None:
    user, account = await created(app), (await app.post(ACCOUNTS, {"name": "Globex"})).json
    path, nobody = f"{USERS}/{user['id']}", app.acting_as(None)
    await given.api.post("/agents", {"email": user["email"]})
    await app.delete(path)

    shown = [await app.get(path), await app.get(f"{path}/login"), await app.post(f"{path}/token")]
    joining = await app.post(f"{ACCOUNTS}/{account['id']}/account_users", {"user_id": user["id"]})
    entering = await nobody.post("/auth/sign_in", {"email": user["email"], "password": PASSWORD})
    asking = await nobody.post("/auth/password", {"email": user["email"]})
    successor = await app.post(USERS, lena(email=user["email"]))
    await given.worked()

    assert [(reply.status, reply.json) for reply in shown] == [(404, NOT_FOUND)] * 3
    assert (joining.status, joining.json["attributes"]) == (422, ["user"])
    assert (entering.status, asking.status) == (401, 404)
    assert (await app.get(f"{USERS}/{successor.json['id']}")).json["email"] == user["email"]
    assert successor.json["id"] != user["id"]


async def test_nobody_has_an_address_that_keeps_another_from_being_forgotten(app: Api, given: Given) -> None:
    user = await created(app)
    await given.api.post("/agents", {"email": f"removed.{user['id']}@removed.invalid"})
    await given.api.post("/agents", {"email": f"removed.{user['id']}"})

    removed = await app.delete(f"{USERS}/{user['id']}")
    await given.worked()

    assert (removed.status, (await app.get(f"{USERS}/{user['id']}")).status) == (200, 404)


async def test_a_login_link_signs_somebody_in_once(app: Api) -> None:
    user = await created(app)

    url = (await app.get(f"{USERS}/{user['id']}/login")).json["url"]
    page, _, query = url.partition("?")
    sent = dict(parse_qsl(query))
    nobody = app.acting_as(None)
    entered = await nobody.post("/auth/sign_in", sent)
    again = await nobody.post("/auth/sign_in", sent)

    assert page == "http://criachat.test/app/login"
    assert query.startswith(f"email={user['email'].replace('@', '%40')}&sso_auth_token=")
    assert re.fullmatch("[0-9a-f]{64}", sent["sso_auth_token"])
    assert (entered.status, entered.json["data"]["id"]) == (200, user["id"])
    assert again.status == 401


async def test_a_new_password_and_a_removal_end_sessions(app: Api) -> None:
    user = await created(app)
    nobody = app.acting_as(None)

    async def sign_in(password: str) -> dict[str, str]:
        entered = await nobody.post("/auth/sign_in", {"email": user["email"], "password": password})
        assert entered.status == 200, entered.body
        return {name: entered.headers[name] for name in ("access-token", "client", "uid")}

    first = await sign_in(PASSWORD)
    await app.patch(f"{USERS}/{user['id']}", {"password": "Another-2026!"})
    second = await sign_in("Another-2026!")
    with_first = await nobody.get("/api/v1/profile", headers=first)
    with_second = await nobody.get("/api/v1/profile", headers=second)
    await app.delete(f"{USERS}/{user['id']}")
    await app.get(ACCOUNTS)
    afterwards = await nobody.get("/api/v1/profile", headers=second)

    assert (with_first.status, with_second.status, afterwards.status) == (401, 200, 401)


async def test_people_of_other_apps_are_refused_and_nobody_is_not_found(
    app: Api, make_app: Callable[[str], Awaitable[Api]]
) -> None:
    user = await created(await make_app("Reporting"))
    for path, expected in ((f"{USERS}/{user['id']}", 401), (f"{USERS}/{2**62}", 404), (f"{USERS}/x", 404)):
        replies = [
            await app.get(path),
            await app.patch(path, {"name": "x"}),
            await app.delete(path),
            await app.post(f"{path}/token"),
            await app.get(f"{path}/login"),
        ]
        body = NON_PERMISSIBLE if expected == 401 else NOT_FOUND
        assert [(reply.status, reply.json) for reply in replies] == [(expected, body)] * 5


async def test_only_apps_come_in(app: Api, given: Given) -> None:
    bot = await given.bot()
    for caller in (given.api, given.api.acting_as(bot), given.api.acting_as(None)):
        reply = await caller.get(ACCOUNTS)
        assert (reply.status, reply.json) == (401, {"error": "Invalid access_token"})
    refused = await app.get("/labels")
    assert (refused.status, refused.json) == (401, {"error": "Access to this endpoint is not authorized for bots"})


async def test_a_create_call_is_repeated_safely(app: Api) -> None:
    headers = {"idempotency-key": f"key-{random_token(20)}"}

    first = await app.post(ACCOUNTS, {"name": "Globex"}, headers=headers)
    again = await app.post(ACCOUNTS, {"name": "Globex"}, headers=headers)

    assert first.json == again.json
    assert len((await app.get(ACCOUNTS)).json) == 1


async def test_tokens_for_people_are_sealed_where_they_are_kept(app: Api, given: Given) -> None:
    user = await created(app)

    async with given.world.parts.database.reading() as db:
        kept = await db.fetch_value(
            "SELECT platform_user_tokens::text FROM platform_user_tokens WHERE user_id = $1", user["id"]
        )

    assert str(user["id"]) in kept
    assert user["access_token"].encode().hex() not in kept
