"""Signing in with a password or a link, and what a session is good for."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from harness import Given, Person, World
from visitors import PASSWORD, Browser, signed_in, unknown_address, with_password

from criachat.auth.operations.one_time import create_sign_in_link
from criachat.kit import clock

SIGN_IN = "/auth/sign_in"
VALIDATE = "/auth/validate_token"
SIGN_OUT = "/auth/sign_out"
PROFILE = "/api/v1/profile"
WRONG = {"success": False, "errors": ["Invalid login credentials. Please try again."]}
NOBODY = {"errors": ["You need to sign in or sign up before continuing."]}
TWENTY_TWO = re.compile(r"[A-Za-z0-9_-]{22}")


async def link(given: Given, person: Person) -> str:
    async with given.world.parts.database.transaction() as tx:
        return await create_sign_in_link(tx, person.id)


async def heard() -> None:
    """The signal that something ended has gone round: it takes one turn of the loop."""
    await asyncio.sleep(0)


async def test_who_signs_in_is_told_who_they_are_and_what_lets_them_in(
    given: Given, ana: Person, browser: Browser
) -> None:
    reply = await browser.post(SIGN_IN, {"email": f" {ana.email.upper()} ", "password": PASSWORD})

    assert reply.status == 200
    assert reply.json["data"]["id"] == ana.id
    assert reply.json["data"]["access_token"].startswith("cria_ses_")
    told = {name: reply.headers[name] for name in ("access-token", "token-type", "client", "expiry", "uid")}
    assert TWENTY_TWO.fullmatch(told["access-token"])
    assert TWENTY_TWO.fullmatch(told["client"])
    assert (told["token-type"], told["uid"]) == ("Bearer", ana.email)
    assert timedelta(days=59) < timedelta(seconds=int(told["expiry"]) - clock.unix()) <= timedelta(days=60)
    bearer = reply.headers["authorization"].removeprefix("Bearer ")
    assert json.loads(base64.b64decode(bearer)) == told


async def test_a_session_lets_in_like_an_access_token_and_is_told_again_each_time(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    path = f"/api/v1/accounts/{given.account_id}"

    listed = await browser.get(f"{path}/labels")
    forbidden = await browser.post(f"{path}/labels", {"title": "vip"})
    profile = await browser.get(PROFILE)

    assert (listed.status, forbidden.status, profile.status) == (200, 401, 200)
    assert [listed.headers[name] for name in browser.session] == list(browser.session.values())
    assert listed.headers["token-type"] == "Bearer"
    assert "access-token" not in forbidden.headers


@pytest.mark.parametrize("form", ["bearer", "query"])
async def test_a_session_may_be_sent_in_other_forms(given: Given, ana: Person, form: str) -> None:
    browser = await signed_in(given, ana)
    session, browser.session = browser.session, {}

    if form == "bearer":
        text = base64.b64encode(json.dumps(session).encode()).decode()
        reply = await browser.get(PROFILE, headers={"authorization": f"Bearer {text}"})
    else:
        reply = await browser.get(PROFILE, params=session)

    assert (reply.status, reply.headers["client"]) == (200, session["client"])


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer x",
        "Bearer bnVsbA==",
        "Bearer e30=",
        "Bearer " + "A" * 9000,
        "Bearer " + "W1tb" * 700,  # brackets, deeper than anybody reads
        "Basic eDp5",
    ],
)
async def test_what_cannot_be_a_session_is_nobodys(browser: Browser, authorization: str) -> None:
    reply = await browser.get(PROFILE, headers={"authorization": authorization})

    assert (reply.status, reply.json) == (401, NOBODY)


@pytest.mark.parametrize(
    "change",
    [
        {"access-token": "A" * 22},
        {"client": "another"},
        {"uid": "eva@example.com"},
        {"uid": ""},
        {"access-token": "x" * 5000},
        {"uid": "x" * 5000},
    ],
)
async def test_a_session_is_all_of_its_parts(given: Given, ana: Person, change: dict[str, str]) -> None:
    browser = await signed_in(given, ana)

    reply = await browser.get(PROFILE, headers=change)

    assert (reply.status, reply.json) == (401, NOBODY)


@pytest.mark.parametrize(
    "query",
    [
        "access-token=a&uid=%00",
        "access-token=a&uid=%2500",
        "access-token=a&uid=b&client=%00",
        "access-token=%FF&uid=%FF",
        "access-token=",
    ],
)
async def test_a_session_nobody_could_have_is_nobodys(browser: Browser, query: str) -> None:
    assert (await browser.get(f"{PROFILE}?{query}")).status == 401
    assert (await browser.get(f"{VALIDATE}?{query}")).status in (400, 401)


async def test_a_bad_access_token_wins_over_a_good_session(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)

    reply = await browser.get(PROFILE, headers={"api_access_token": "bad"})

    assert (reply.status, reply.json) == (401, {"error": "Invalid Access Token"})


@pytest.mark.parametrize(
    "body",
    [
        {"email": unknown_address(), "password": PASSWORD},
        {"password": PASSWORD},
        {"email": unknown_address()},
        {},
    ],
)
async def test_whoever_is_not_known_is_told_no_more_than_that(browser: Browser, body: dict[str, Any]) -> None:
    reply = await browser.post(SIGN_IN, body)

    assert (reply.status, reply.json) == (401, WRONG)
    assert "access-token" not in reply.headers


async def test_a_wrong_password_and_none_at_all_are_refused_alike(given: Given, ana: Person, browser: Browser) -> None:
    eva = await given.agent("Eva")

    replies = [await browser.sign_in(ana, "Outono-2"), await browser.sign_in(ana, ""), await browser.sign_in(eva)]

    assert [(reply.status, reply.json) for reply in replies] == [(401, WRONG)] * 3


async def test_who_has_not_confirmed_their_address_is_told_so(given: Given, ana: Person, browser: Browser) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET confirmed_at = NULL WHERE id = $1", ana.id)

    right, wrong = await browser.sign_in(ana), await browser.sign_in(ana, "Outono-2")

    assert (right.status, right.json["success"]) == (401, False)
    assert ana.email in right.json["errors"][0]
    assert (wrong.status, wrong.json) == (401, WRONG)


async def test_who_signs_in_elsewhere_is_told_so(given: Given, ana: Person, browser: Browser) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET provider = 'saml' WHERE id = $1", ana.id)

    reply = await browser.sign_in(ana)
    reset = await browser.post("/auth/password", {"email": ana.email})

    assert (reply.status, reset.status) == (401, 403)
    assert reply.json.keys() == reset.json.keys() == {"success", "message", "errors"}


async def test_an_address_in_letters_no_header_holds_signs_in_too(given: Given, ana: Person, browser: Browser) -> None:
    address = f"安娜{ana.id}@example.com"
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE users SET email = $2 WHERE id = $1", ana.id, address)

    reply = await browser.post(SIGN_IN, {"email": address, "password": PASSWORD})
    browser.keep(reply)

    assert (reply.status, reply.json["data"]["uid"]) == (200, address)
    assert reply.headers["uid"].isascii()
    assert (await browser.get(PROFILE)).status == 200


async def test_one_address_tries_five_times_in_five_minutes_from_any_process(
    given: Given, ana: Person, other_process: World
) -> None:
    here = Browser(given.world)
    there = Browser(other_process, address=here.address)

    tries = [await each.sign_in(ana, "Outono-2") for each in (here, there, here, there, here)]
    refused = await there.sign_in(ana)
    clock.travel(timedelta(minutes=5, seconds=1))
    again = await here.sign_in(ana)

    assert [each.status for each in tries] == [401] * 5
    assert (refused.status, refused.body) == (429, b"Retry later\n")
    assert 1 <= int(refused.headers["retry-after"]) <= 300
    assert again.status == 200


async def test_one_account_is_tried_ten_times_in_a_quarter_of_an_hour_from_anywhere(given: Given, ana: Person) -> None:
    tries = [await Browser(given.world).sign_in(ana, "Outono-2") for _ in range(10)]

    refused = await Browser(given.world).sign_in(ana)

    assert [each.status for each in tries] == [401] * 10
    assert refused.status == 429
    assert (await Browser(given.world).sign_in(await with_password(given, given.boss))).status == 200


async def test_of_many_tries_at_once_no_more_count_than_may(given: Given, ana: Person) -> None:
    browser = Browser(given.world)

    replies = await asyncio.gather(*(browser.sign_in(ana, "Outono-2") for _ in range(32)))

    assert sorted(reply.status for reply in replies) == [401] * 5 + [429] * 27


async def test_no_address_is_kept_of_who_tries(given: Given, ana: Person, browser: Browser) -> None:
    await browser.sign_in(ana, "Outono-2")

    async with given.world.parts.database.reading() as db:
        kept: str = await db.fetch_value("SELECT string_agg(kept::text, ' ') FROM limited_requests AS kept")

    assert ana.email not in kept
    assert browser.address not in kept
    assert ana.email.encode().hex() not in kept


async def test_a_login_link_is_good_once(given: Given, ana: Person, browser: Browser) -> None:
    token = await link(given, ana)
    body = {"email": ana.email, "sso_auth_token": token}

    first, again = await browser.post(SIGN_IN, body), await browser.post(SIGN_IN, body)

    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert (first.status, first.json["data"]["id"]) == (200, ana.id)
    assert (again.status, again.json) == (401, WRONG)


async def test_of_many_who_follow_a_link_at_once_one_gets_in(given: Given, ana: Person) -> None:
    body = {"email": ana.email, "sso_auth_token": await link(given, ana)}

    replies = await asyncio.gather(*(Browser(given.world).post(SIGN_IN, body) for _ in range(8)))

    assert sorted(reply.status for reply in replies) == [200] + [401] * 7


async def test_a_login_link_is_good_for_five_minutes_and_its_person(
    given: Given, ana: Person, browser: Browser
) -> None:
    token, late = await link(given, ana), await link(given, ana)

    wrong = await browser.post(SIGN_IN, {"email": given.boss.email, "sso_auth_token": token})
    right = await browser.post(SIGN_IN, {"email": ana.email, "sso_auth_token": token})
    clock.travel(timedelta(minutes=5, seconds=1))
    too_late = await browser.post(SIGN_IN, {"email": ana.email, "sso_auth_token": late})

    assert (wrong.status, right.status, too_late.status) == (401, 200, 401)


async def test_validating_a_session_tells_who_it_is(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)

    reply = await browser.get(VALIDATE)
    profile = await browser.get(PROFILE)
    stranger = await Browser(given.world).get(VALIDATE)

    body = reply.json
    assert body["payload"]["data"].pop("created_at").endswith("Z")
    assert body == {"payload": {"success": True, "data": profile.json}}
    assert reply.headers["access-token"] == browser.session["access-token"]
    assert (stranger.status, stranger.json) == (401, {"success": False, "errors": ["Invalid login credentials"]})


async def test_signing_out_ends_this_session_and_no_other(given: Given, ana: Person) -> None:
    here, there = await signed_in(given, ana), await signed_in(given, ana)
    assert (await here.get(PROFILE)).status == 200

    reply = await here.delete(SIGN_OUT)
    await heard()
    again = await here.delete(SIGN_OUT)

    assert (reply.status, reply.json) == (200, {"success": True})
    assert "access-token" not in reply.headers
    assert (again.status, again.json) == (
        404,
        {"success": False, "errors": ["User was not found or was not logged in."]},
    )
    assert ((await here.get(PROFILE)).status, (await there.get(PROFILE)).status) == (401, 200)


async def test_the_access_token_of_a_session_dies_with_it(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    token = (await browser.get(PROFILE)).json["access_token"]
    elsewhere = Browser(given.world)
    header = {"api_access_token": token}

    before = await elsewhere.get(PROFILE, headers=header)
    listed = await elsewhere.get(f"{PROFILE}/access_tokens", headers=header)
    await browser.delete(SIGN_OUT)
    await heard()
    after = await elsewhere.get(PROFILE, headers=header)

    assert (before.status, before.json["access_token"]) == (200, token)
    assert all(each["prefix"] != "cria_ses_" for each in listed.json["payload"])
    assert (after.status, after.json) == (401, {"error": "Invalid Access Token"})


async def test_the_access_token_of_a_session_is_reset_by_the_session(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    old = (await browser.get(PROFILE)).json["access_token"]
    reset = f"{PROFILE}/reset_access_token"

    refused = await Browser(given.world).post(reset, headers={"api_access_token": old})
    new = (await browser.post(reset)).json["access_token"]
    await heard()

    assert refused.status == 422
    assert new != old
    assert (await browser.get(PROFILE)).json["access_token"] == new
    tried = [await Browser(given.world).get(PROFILE, headers={"api_access_token": each}) for each in (old, new)]
    assert [each.status for each in tried] == [401, 200]


async def test_a_session_ends_after_two_months(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    token = (await browser.get(PROFILE)).json["access_token"]

    clock.travel(timedelta(days=60, seconds=5))

    assert (await browser.get(PROFILE)).status == 401
    assert (await Browser(given.world).get(PROFILE, headers={"api_access_token": token})).status == 401


async def test_nobody_has_more_than_25_sessions(given: Given, ana: Person) -> None:
    first = await signed_in(given, ana)
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO sessions (user_id, client, digest, expires_at, created_at) "
            "SELECT $1::bigint, 'c' || n, ('d' || $1::bigint || ' ' || n)::bytea, now() + interval '61 days', now() "
            "FROM generate_series(1, 23) AS n",
            ana.id,
        )

    browsers = [Browser(given.world) for _ in range(4)]
    replies = await asyncio.gather(*(browser.sign_in(ana) for browser in browsers))

    assert [reply.status for reply in replies] == [200] * 4
    assert (await first.get(PROFILE)).status == 401
    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value("SELECT count(*) FROM sessions WHERE user_id = $1", ana.id) == 25


async def test_neither_sessions_nor_their_tokens_can_be_read_in_the_database(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    token = (await browser.get(PROFILE)).json["access_token"]

    async with given.world.parts.database.reading() as db:
        kept: str = await db.fetch_value(
            "SELECT (SELECT string_agg(s::text, ' ') FROM sessions AS s) "
            "|| (SELECT string_agg(t::text, ' ') FROM access_tokens AS t)"
        )

    for secret in (browser.session["access-token"], token):
        assert secret not in kept
        assert secret.encode().hex() not in kept


async def test_a_session_is_refused_from_a_page_of_another_origin(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)

    reply = await browser.get(PROFILE, headers={"origin": "https://evil.example"})

    assert (reply.status, reply.json) == (
        401,
        {"error": "This access token must not be used in a web page of another origin"},
    )


async def test_a_session_that_was_just_checked_costs_nothing_more(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    path = f"/api/v1/accounts/{given.account_id}/labels"
    await browser.get(path)

    with given.queries(at_most=1):
        await browser.get(path)


async def test_what_is_over_is_forgotten(given: Given, ana: Person) -> None:
    browser = await signed_in(given, ana)
    await link(given, ana)
    token = (await browser.post(f"{PROFILE}/access_tokens", {"name": "n8n"})).json
    await browser.delete(f"{PROFILE}/access_tokens/{token['id']}")

    clock.travel(timedelta(days=91))
    await given.world.parts.jobs.drain(ahead=timedelta(hours=1))

    async with given.world.parts.database.reading() as db:
        counts = [
            await db.fetch_value("SELECT count(*) FROM sessions WHERE user_id = $1", ana.id),
            await db.fetch_value("SELECT count(*) FROM one_time_tokens WHERE user_id = $1", ana.id),
            await db.fetch_value("SELECT count(*) FROM access_tokens WHERE id = $1", token["id"]),
            await db.fetch_value("SELECT count(*) FROM limited_requests WHERE last_at < now()"),
        ]
    assert counts == [0, 0, 0, 0]
