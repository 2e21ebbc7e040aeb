"""Who is let in by their token: from where, until when, and at what cost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, LiteralString

import pytest
from doors import Caller
from harness import BASE_URL, Api, Given, Person, World

from criachat.auth import operations as auth
from criachat.auth.models import Grant
from criachat.kit import clock
from criachat.kit.tokens import BOT, PERSON, PLATFORM, SERVICE, make_access_token

PROFILE = "/api/v1/profile"
INVALID = {"error": "Invalid Access Token"}


async def granted(given: Given, person: Person, **grant: Any) -> str:
    async with given.world.parts.database.transaction() as tx:
        return (await auth.grant_token(tx, given.world.keyring, person.id, Grant(**grant))).text


async def value(given: Given, sql: LiteralString, *values: object) -> Any:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_value(sql, *values)


def with_token(given: Given, token: str) -> Api:
    return Api(given.world, given.account_id, token)


async def test_each_kind_of_token_says_what_it_is(given: Given) -> None:
    person = await granted(given, given.boss)
    service = await granted(given, given.boss, scopes=["labels:read"])
    bot = (await given.bot()).token

    assert [text[: text.rindex("_") + 1] for text in (person, service, bot)] == [PERSON, SERVICE, BOT]
    assert len({len(text) for text in (person, service, bot)}) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: token[:-1],
        lambda token: token + "0",
        lambda token: token.replace("cria_pat_", "cria_svc_"),
        lambda token: token.replace("cria_pat_", ""),
        lambda token: token.swapcase(),
        lambda token: "pT4b1Vq9Xz2Kc7Mn5Rw8Ys3L",
    ],
)
@pytest.mark.promise("TK-1")
async def test_a_token_with_a_wrong_checksum_costs_no_statement(given: Given, spoil: Any) -> None:
    caller = with_token(given, spoil(given.boss.token))

    with given.queries(at_most=0):
        reply = await caller.get("/labels")

    assert (reply.status, reply.json) == (401, INVALID)


@pytest.mark.parametrize("prefix", [PERSON, SERVICE, BOT, PLATFORM])
async def test_a_token_nobody_made_costs_one_statement(given: Given, prefix: str) -> None:
    with given.queries(at_most=1):
        reply = await with_token(given, make_access_token(prefix)).get("/labels")

    assert (reply.status, reply.json) == (401, INVALID)


async def test_a_token_that_was_just_checked_costs_nothing(api: Api, given: Given) -> None:
    await api.get("/labels")

    with given.queries(at_most=1):
        await api.get("/labels")


async def test_what_is_kept_of_a_token_does_not_let_anybody_in(given: Given) -> None:
    token = await granted(given, given.boss, name="For n8n")

    kept = await value(given, "SELECT access_tokens::text FROM access_tokens WHERE name = 'For n8n' ORDER BY id DESC")

    assert token not in kept
    assert token.encode().hex() not in kept
    assert token[-4:] in kept
    assert token[-8:] not in kept


@pytest.mark.promise("TK-7")
async def test_a_token_is_good_until_it_expires(given: Given) -> None:
    token = await granted(given, given.boss, expires_at=clock.now() + timedelta(hours=1))
    caller = with_token(given, token)

    clock.travel(timedelta(minutes=59, seconds=59))
    before = await caller.get("/labels")
    clock.travel(timedelta(seconds=1))
    after = await caller.get("/labels")

    assert before.status == 200
    assert (after.status, after.json) == (401, INVALID)


@pytest.mark.promise("TK-7")
async def test_a_revoked_token_ends_at_once_here_and_within_five_seconds_elsewhere(
    given: Given, other_process: World
) -> None:
    token = await granted(given, given.boss)
    here, elsewhere = with_token(given, token), Api(other_process, given.account_id, token)
    made = (await here.get(f"{PROFILE}/access_tokens")).json["payload"][0]
    await elsewhere.get("/labels")

    await given.api.delete(f"{PROFILE}/access_tokens/{made['id']}")
    at_once = await here.get("/labels")
    clock.travel(timedelta(seconds=5))
    later = await elsewhere.get("/labels")

    assert (at_once.status, at_once.json) == (later.status, later.json) == (401, INVALID)


async def test_who_leaves_the_account_is_refused_within_five_seconds(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    await api.acting_as(ana).get("/labels")

    async with given.world.parts.database.transaction() as tx:
        await tx.execute("DELETE FROM account_users WHERE account_id = $1 AND user_id = $2", given.account_id, ana.id)
    clock.travel(timedelta(seconds=5))
    reply = await api.acting_as(ana).get("/labels")

    assert (reply.status, reply.json) == (401, {"error": "You are not authorized to access this account"})


@pytest.mark.promise("TK-7")
async def test_when_a_token_was_last_used_is_written_now_and_then(api: Api, given: Given) -> None:
    resolver = given.world.parts.resolver
    unused = (await api.post(f"{PROFILE}/access_tokens", {"name": "Spare"})).json
    await resolver.flush_uses()

    with given.queries(at_most=0):
        await resolver.flush_uses()
    spare, current = (await api.get(f"{PROFILE}/access_tokens")).json["payload"]

    assert (spare["id"], spare["last_used_at"]) == (unused["id"], None)
    assert current["last_used_at"] is not None
    assert (spare["is_current"], current["is_current"]) == (False, True)


async def test_a_use_that_could_not_be_written_is_written_later(api: Api, given: Given) -> None:
    resolver = given.world.parts.resolver
    made = (await api.post(f"{PROFILE}/access_tokens", {"name": "Spare"})).json
    await with_token(given, made["token"]).get("/labels")

    writing = asyncio.create_task(resolver.flush_uses())
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await resolver.flush_uses()
    spare, _ = (await api.get(f"{PROFILE}/access_tokens")).json["payload"]

    assert writing.cancelled()
    assert (spare["id"], spare["last_used_at"] is not None) == (made["id"], True)


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        ("203.0.113.9", "203.0.113.9", 200),
        ("203.0.113.9", "203.0.113.10", 401),
        ("203.0.113.0/24", "203.0.113.200", 200),
        ("203.0.113.0/24", "203.0.114.1", 401),
        ("2001:db8::/32", "2001:db8:1::5", 200),
        ("2001:db8::/32", "2001:db9::5", 401),
        ("203.0.113.0/24", "2001:db8::1", 401),
        ("127.0.0.1", "::ffff:127.0.0.1", 200),
    ],
)
async def test_a_token_may_be_good_from_some_addresses_only(
    given: Given, allowed: str, address: str, status: int
) -> None:
    token = await granted(given, given.boss, allowed_addresses=[allowed])

    reply = await Caller(given.world, address).get(PROFILE, token=token)

    assert reply.status == status
    assert status == 200 or reply.json == {"error": "This access token may not be used from this address"}


async def test_behind_a_trusted_proxy_the_address_is_that_of_the_caller(given: Given, other_process: World) -> None:
    token = await granted(given, given.boss, allowed_addresses=["203.0.113.9"])
    proxy, liar = Caller(other_process, "10.1.2.3"), Caller(other_process, "198.51.100.1")

    through_proxy = await proxy.get(PROFILE, token=token, forwarded_for="203.0.113.9")
    of_another = await proxy.get(PROFILE, token=token, forwarded_for="203.0.113.10")
    lie = await liar.get(PROFILE, token=token, forwarded_for="203.0.113.9")

    assert [reply.status for reply in (through_proxy, of_another, lie)] == [200, 401, 401]


@pytest.mark.parametrize("origin", ["https://shop.example.net", "null", "http://criachat.test.evil.example", ""])
@pytest.mark.promise("TK-8")
async def test_a_token_is_refused_in_pages_of_others(given: Given, origin: str) -> None:
    caller = Caller(given.world)
    bot = await given.bot()

    for token in (given.boss.token, bot.token):
        reply = await caller.get(PROFILE, token=token, origin=origin or " ")
        assert reply.status == 401
        assert reply.json == {"error": "This access token must not be used in a web page of another origin"}


async def test_a_token_is_good_in_our_pages_and_in_those_it_names(given: Given, other_process: World) -> None:
    named = await granted(given, given.boss, allowed_origins=["https://shop.example.net"])
    here, there = Caller(given.world), Caller(other_process)

    ours = await here.get(PROFILE, token=given.boss.token, origin=BASE_URL)
    by_setting = await there.get(PROFILE, token=given.boss.token, origin="https://ours.example")
    by_token = await here.get(PROFILE, token=named, origin="https://shop.example.net")
    another = await here.get(PROFILE, token=named, origin="https://other.example.net")

    assert [reply.status for reply in (ours, by_setting, by_token, another)] == [200, 200, 200, 401]


async def test_end_users_apps_are_pages_of_others(given: Given) -> None:
    inbox = await given.inbox()

    reply = await Caller(given.world).get(
        f"/public/api/v1/inboxes/{inbox['inbox_identifier']}", origin="https://shop.example.net"
    )

    assert reply.status == 200


async def test_a_token_with_scopes_is_told_what_it_lacks(given: Given) -> None:
    caller = with_token(given, await granted(given, given.boss, scopes=["labels:read"]))

    reading, writing = await caller.get("/labels"), await caller.post("/labels", {"title": "vip"})

    assert reading.status == 200
    assert (writing.status, writing.json) == (401, {"error": "This access token lacks the scope labels:write"})
