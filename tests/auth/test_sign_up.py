"""Opening an account from outside, where the installation lets people do that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from harness import Given, Person, World, build_world
from mailserver import Mailbox
from shapes import iso, misfits, one_of
from visitors import PASSWORD, Browser, choice, token_in

from criachat.accounts.events import AccountCreated
from criachat.kit.tokens import random_token
from criachat.users.events import AgentAdded

ACCOUNTS = "/api/v1/accounts"
ACCOUNT = {"id": int, "name": str, "active_at": one_of(iso, None), "role": "administrator", "locale": str}
USER = {
    "id": int,
    "provider": "email",
    "uid": str,
    "name": str,
    "display_name": one_of(str, None),
    "email": str,
    "account_id": int,
    "created_at": iso,
    "pubsub_token": str,
    "role": "administrator",
    "inviter_id": one_of(int, None),
    "confirmed": bool,
    "avatar_url": str,
    "access_token": str,
    "accounts": [ACCOUNT],
}


@pytest.fixture(scope="module")
async def open_world(world: World, mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The same database behind an application that lets everybody sign up, but for one domain."""
    folder = Path(tmp_path_factory.mktemp("open"))
    settings = {"enable_sign_up": True, "blocked_email_domains": ("spam.example",), "smtp_url": mailbox.url}
    async with build_world(world.parts.database.url, folder, **settings) as it:
        yield it


@pytest.fixture
def browser(open_world: World) -> Browser:
    return Browser(open_world)


def wanted(**fields: Any) -> dict[str, Any]:
    email = f"lena.{random_token(10).lower()}@acme.example"
    names = {"account_name": " Acme ", "user_full_name": "Lena Krause", "locale": "pt_BR"}
    return {**names, "email": email, "password": PASSWORD, **fields}


def of(world: World, user: dict[str, Any]) -> Given:
    """The account of whoever has signed up."""
    return Given(world, user["account_id"], Person(id=user["id"], name=user["name"], token=user["access_token"]))


async def test_whoever_signs_up_has_an_account_and_is_signed_in(
    open_world: World, browser: Browser, mailbox: Mailbox
) -> None:
    body = wanted()

    reply = await browser.post(ACCOUNTS, {**body, "email": body["email"].upper()})
    browser.keep(reply)
    user = reply.json["data"]
    given = of(open_world, user)
    await given.worked()

    assert (reply.status, misfits(reply.json, {"data": USER})) == (200, [])
    assert (user["email"], user["name"], user["confirmed"]) == (body["email"], "Lena Krause", False)
    assert [each["name"] for each in user["accounts"]] == ["Acme"]
    account = (await browser.get(f"{ACCOUNTS}/{user['account_id']}")).json
    assert (account["name"], account["locale"], account["features"]["labels"]) == ("Acme", "pt_BR", True)
    assert (await browser.get(f"{ACCOUNTS}/{user['account_id']}/webhooks")).status == 200
    assert len(await given.emitted(AccountCreated)) == len(await given.emitted(AgentAdded)) == 1
    assert mailbox.of(body["email"])[0]["Subject"] == "Confirme seu endereço"


async def test_who_signed_up_signs_in_again_once_they_confirmed_their_address(
    open_world: World, browser: Browser, mailbox: Mailbox
) -> None:
    body = wanted()
    made = (await browser.post(ACCOUNTS, body)).json["data"]
    await of(open_world, made).worked()
    known = {"email": body["email"], "password": PASSWORD}

    before = await browser.post("/auth/sign_in", known)
    token = token_in(mailbox, body["email"], page="confirmation")
    confirmed = await browser.post("/auth/confirmation", {"confirmation_token": token})
    after = await browser.post("/auth/sign_in", known)

    assert [reply.status for reply in (before, confirmed, after)] == [401, 200, 200]


async def test_who_is_known_opens_one_more_account_as_themself(open_world: World, browser: Browser) -> None:
    first = await browser.post(ACCOUNTS, wanted())
    browser.keep(first)

    second = await browser.post(ACCOUNTS, {"account_name": "Globex"})
    token = first.json["data"]["access_token"]
    third = await Browser(open_world).post(ACCOUNTS, {"account_name": "Initech"}, headers={"api_access_token": token})
    refused = await Browser(open_world).post(ACCOUNTS, wanted(), headers={"api_access_token": "bad"})

    assert [reply.status for reply in (second, third, refused)] == [200, 200, 401]
    assert misfits(third.json, {"data": USER}) == []
    assert third.json["data"]["id"] == first.json["data"]["id"]
    assert {each["name"] for each in third.json["data"]["accounts"]} == {"Acme", "Globex", "Initech"}


@pytest.mark.promise("TK-7")
async def test_a_token_that_opens_an_account_was_used(open_world: World, browser: Browser) -> None:
    browser.keep(await browser.post(ACCOUNTS, wanted()))
    made = (await browser.post("/api/v1/profile/access_tokens", {"name": "Opener"})).json

    opened = await Browser(open_world).post(
        ACCOUNTS, {"account_name": "Globex"}, headers={"api_access_token": made["token"]}
    )
    await open_world.parts.resolver.flush_uses()

    tokens = (await browser.get("/api/v1/profile/access_tokens")).json["payload"]
    assert opened.status == 200
    assert [each["last_used_at"] is not None for each in tokens if each["id"] == made["id"]] == [True]


async def test_a_token_for_accounts_opens_one_and_is_not_told_how_to_listen(
    open_world: World, browser: Browser
) -> None:
    browser.keep(await browser.post(ACCOUNTS, wanted()))
    made = await browser.post("/api/v1/profile/access_tokens", {"scopes": ["account:write"]})

    reply = await Browser(open_world).post(
        ACCOUNTS, {"account_name": "Globex"}, headers={"api_access_token": made.json["token"]}
    )

    assert (reply.status, reply.json["data"]["pubsub_token"]) == (200, None)


async def test_a_token_for_something_else_opens_no_account(open_world: World, browser: Browser) -> None:
    browser.keep(await browser.post(ACCOUNTS, wanted()))
    made = await browser.post("/api/v1/profile/access_tokens", {"scopes": ["labels:write"]})

    reply = await Browser(open_world).post(
        ACCOUNTS, {"account_name": "Globex"}, headers={"api_access_token": made.json["token"]}
    )

    assert (reply.status, reply.json) == (401, {"error": "This access token lacks the scope account:write"})


@pytest.mark.parametrize("page", ["password/edit", "confirmation"])
async def test_who_took_an_address_first_is_not_in_where_its_owner_is_invited(
    open_world: World, mailbox: Mailbox, page: str
) -> None:
    taker, body = Browser(open_world), wanted()
    taken = await taker.post(ACCOUNTS, body)
    taker.keep(taken)
    await of(open_world, taken.json["data"]).worked()
    confirmation = token_in(mailbox, body["email"], page="confirmation")
    team = await Given.in_new_account(open_world)
    agents, owner = f"{ACCOUNTS}/{team.account_id}/agents", Browser(open_world)

    made = await taker.post("/api/v1/profile/access_tokens", {"name": "mine"})

    async def takers_doors() -> list[int]:
        doors = [
            await taker.get(agents),
            await Browser(open_world).get(agents, headers={"api_access_token": made.json["token"]}),
            await Browser(open_world).post("/auth/sign_in", {"email": body["email"], "password": PASSWORD}),
        ]
        return [reply.status for reply in doors]

    invited = await team.api.post("/agents", {"email": body["email"]})
    await team.worked()
    before = await takers_doors()
    if page == "confirmation":
        let_in = await owner.post("/auth/confirmation", {"confirmation_token": confirmation})
    else:
        let_in = await owner.put("/auth/password", choice(token_in(mailbox, body["email"])))
    owner.keep(let_in)
    after = await takers_doors()

    assert (invited.status, invited.json["confirmed"], let_in.status) == (200, False, 200)
    assert before == after == [401] * 3
    assert (await owner.get(agents)).status == 200
    assert (await taker.get("/api/v1/profile")).status == 401


@pytest.mark.parametrize(
    ("fields", "status", "key"),
    [
        ({"account_name": " ", "user_full_name": ""}, 403, "message"),
        ({"account_name": ""}, 422, "attributes"),
        ({"account_name": "x" * 256}, 422, "attributes"),
        ({"user_full_name": "x" * 256}, 422, "attributes"),
        ({"email": "no address"}, 403, "message"),
        ({"email": "lena@SPAM.example"}, 403, "message"),
        ({"email": "lena@Mailinator.com"}, 403, "message"),
        ({"email": "lena@inbox.mailinator.com"}, 403, "message"),
        ({"email": "lena,boss@example.com"}, 403, "message"),
        ({"email": "<lena@example.com>"}, 403, "message"),
        ({"email": ""}, 403, "message"),
        ({"password": "weak"}, 422, "attributes"),
        ({"password": ""}, 422, "attributes"),
    ],
)
async def test_what_is_not_taken_opens_nothing(browser: Browser, fields: dict[str, str], status: int, key: str) -> None:
    body = wanted(**fields)

    reply = await browser.post(ACCOUNTS, body)

    assert (reply.status, key in reply.json) == (status, True)
    assert (await browser.post("/auth/password", {"email": body["email"] or "x"})).status == 404


async def test_an_address_signs_up_once_however_many_try(open_world: World, browser: Browser) -> None:
    body = wanted()

    replies = await asyncio.gather(*(Browser(open_world).post(ACCOUNTS, body) for _ in range(8)))

    assert sorted(reply.status for reply in replies) == [200] + [403] * 7
    assert {tuple(reply.json) for reply in replies} == {("data",), ("message",)}
    async with open_world.parts.database.reading() as db:
        sql = "SELECT count(*) FROM account_users JOIN users ON users.id = account_users.user_id WHERE users.email = $1"
        assert await db.fetch_value(sql, body["email"]) == 1


async def test_a_language_nobody_knows_is_english(browser: Browser) -> None:
    reply = await browser.post(ACCOUNTS, wanted(locale="klingon"))

    assert reply.json["data"]["accounts"][0]["locale"] == "en"


async def test_nobody_signs_up_without_end(browser: Browser) -> None:
    replies = [await browser.post(ACCOUNTS, {"account_name": ""}) for _ in range(6)]

    assert [reply.status for reply in replies] == [403] * 5 + [429]


async def test_where_it_is_not_allowed_there_is_no_such_page(world: World, given: Given) -> None:
    strangers = await Browser(world).post(ACCOUNTS, wanted())
    known = await Browser(world).post(ACCOUNTS, wanted(), headers={"api_access_token": given.boss.token})

    for reply in (strangers, known):
        assert (reply.status, reply.json) == (404, {"status": 404, "error": "Not Found"})
