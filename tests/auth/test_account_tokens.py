"""Tokens of an account's services and bots, and those that leaked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Person, World
from shapes import iso, misfits, one_of

from criachat.auth import jobs
from criachat.auth.operations import MOST_TOKENS
from criachat.kit import clock, tokens
from criachat.kit.jobs import JobContext

TOKENS = "/access_tokens"
OWN = "/api/v1/profile/access_tokens"
LEAKED = "/api/v1/tokens/revoke"
LISTED = {
    "id": int,
    "name": str,
    "owner_type": one_of("user", "agent_bot"),
    "owner_id": int,
    "account_id": int,
    "prefix": str,
    "last_characters": str,
    "scopes": [str],
    "allowed_addresses": [str],
    "allowed_origins": [str],
    "expires_at": one_of(iso, None),
    "last_used_at": one_of(iso, None),
    "created_at": iso,
    "is_current": bool,
}


async def made(api: Api, **params: Any) -> Any:
    reply = await api.post(TOKENS, params)
    assert reply.status == 200, reply.body
    return reply.json


def with_token(given: Given, token: str) -> Api:
    return given.api.acting_as(Person(id=0, name="", token=token))


def work(world: World) -> JobContext:
    parts = world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def test_a_service_has_a_token_that_is_good_for_one_account(given: Given) -> None:
    other = await given.another_account()
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO account_users (account_id, user_id, role, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
            other.account_id,
            given.boss.id,
            "administrator",
            clock.now(),
        )
    token = await made(given.api, name="n8n")
    service = with_token(given, token["token"])

    here, there = await service.get("/labels"), await service.in_account(other.account_id).get("/labels")
    everywhere = await given.api.in_account(other.account_id).get("/labels")

    assert misfits(token, {**LISTED, "token": str}) == []
    assert token["token"].startswith("cria_svc_")
    assert (token["owner_type"], token["owner_id"], token["account_id"]) == ("user", given.boss.id, given.account_id)
    assert (here.status, there.status, everywhere.status) == (200, 401, 200)
    assert there.json == {"error": "You are not authorized to access this account"}
    assert (await service.get("/api/v1/profile")).status == 401
    assert (await service.get(OWN)).status == 401


async def test_a_bot_may_have_several_tokens_with_less_scope(api: Api, given: Given) -> None:
    bot = await given.bot("Rob")
    token = await made(api, name="sorter", agent_bot_id=bot.id, scopes=["conversations:write"])
    conversation = await given.conversation()
    caller = with_token(given, token["token"])

    labelled = await caller.post(f"/conversations/{conversation['id']}/labels/add", {"label": "vip"})
    spoke = await caller.post(f"/conversations/{conversation['id']}/messages", {"content": "Olá"})

    assert token["token"].startswith("cria_bot_")
    assert (token["owner_type"], token["owner_id"]) == ("agent_bot", bot.id)
    assert (labelled.status, spoke.status) == (200, 401)
    assert (
        await api.acting_as(bot).post(f"/conversations/{conversation['id']}/messages", {"content": "x"})
    ).status == 200


async def test_administrators_see_all_tokens_of_the_account_and_never_their_text(api: Api, given: Given) -> None:
    bruno = await given.administrator("Bruno")
    mine, theirs = await made(api, name="mine"), await made(api.acting_as(bruno), name="theirs")
    await api.post(OWN, {"name": "everywhere"})

    with given.queries(at_most=1):
        listed = (await api.get(TOKENS)).json

    assert misfits(listed, {"payload": [LISTED]}) == []
    assert [each["name"] for each in listed["payload"]] == ["theirs", "mine"]
    assert mine["token"] not in str(listed)
    assert theirs["token"] not in str(listed)


async def test_a_rotated_token_of_a_service_is_its_new_keepers(api: Api, given: Given) -> None:
    bruno = await given.administrator("Bruno")
    token = await made(api, name="n8n", scopes=["labels:read"])

    rotated = (await api.acting_as(bruno).post(f"{TOKENS}/{token['id']}/rotate", {"overlap_hours": 1})).json
    overlapping = [await with_token(given, each["token"]).get("/labels") for each in (token, rotated)]
    clock.travel(timedelta(hours=1, seconds=1))
    later = [await with_token(given, each["token"]).get("/labels") for each in (token, rotated)]

    assert rotated["owner_id"] == bruno.id
    assert (rotated["name"], rotated["scopes"], rotated["account_id"]) == ("n8n", ["labels:read"], given.account_id)
    assert [reply.status for reply in overlapping] == [200, 200]
    assert [reply.status for reply in later] == [401, 200]


async def test_a_rotated_token_of_a_bot_stays_the_bots(api: Api, given: Given) -> None:
    bot = await given.bot("Rob")
    token = await made(api, agent_bot_id=bot.id)

    rotated = (await api.post(f"{TOKENS}/{token['id']}/rotate")).json

    assert (rotated["owner_type"], rotated["owner_id"], rotated["prefix"]) == ("agent_bot", bot.id, "cria_bot_")


async def test_any_administrator_ends_a_token_of_the_account(api: Api, given: Given) -> None:
    bruno = await given.administrator("Bruno")
    token = await made(api)

    ended = await api.acting_as(bruno).delete(f"{TOKENS}/{token['id']}")
    again = await api.acting_as(bruno).delete(f"{TOKENS}/{token['id']}")

    assert (ended.status, ended.body, again.status) == (200, b"", 404)
    assert (await with_token(given, token["token"]).get("/labels")).status == 401
    assert (await api.get(TOKENS)).json == {"payload": []}


async def test_a_service_ends_with_the_membership_of_its_keeper(api: Api, given: Given) -> None:
    bruno = await given.administrator("Bruno")
    token = await made(api.acting_as(bruno))

    await api.delete(f"/agents/{bruno.id}")

    assert (await with_token(given, token["token"]).get("/labels")).status == 401


async def test_others_have_no_say_about_tokens_of_the_account(api: Api, given: Given) -> None:
    token = await made(api)
    other = await given.another_account()
    ana, bot = await given.agent("Ana"), await given.bot("Rob")

    for caller in (api.acting_as(ana), api.acting_as(bot), api.acting_as(None), other.api.in_account(given.account_id)):
        replies = [
            await caller.get(TOKENS),
            await caller.post(TOKENS, {}),
            await caller.post(f"{TOKENS}/{token['id']}/rotate"),
            await caller.delete(f"{TOKENS}/{token['id']}"),
        ]
        assert [reply.status for reply in replies] == [401] * 4
    assert (await other.api.delete(f"{TOKENS}/{token['id']}")).status == 404
    assert (await other.api.post(f"{TOKENS}/{token['id']}/rotate")).status == 404
    assert token["id"] in [each["id"] for each in (await api.get(TOKENS)).json["payload"]]


@pytest.mark.parametrize("agent_bot_id", [2**62, 0, -1])
async def test_a_bot_that_is_not_there_gets_no_token(api: Api, agent_bot_id: int) -> None:
    assert (await api.post(TOKENS, {"agent_bot_id": agent_bot_id})).status == 404


async def test_a_bot_of_another_account_gets_no_token(api: Api, given: Given) -> None:
    bot = await (await given.another_account()).bot("Rob")

    assert (await api.post(TOKENS, {"agent_bot_id": bot.id})).status == 404


async def test_a_token_with_scopes_makes_none_for_the_account_that_may_do_more(given: Given) -> None:
    narrow = await made(given.api, scopes=["tokens:write", "labels:read"])
    caller = with_token(given, narrow["token"])
    wide = await made(given.api)

    assert (await caller.post(TOKENS, {"scopes": ["labels:read"]})).status == 200
    assert (await caller.post(TOKENS, {"scopes": ["labels:write"]})).status == 401
    assert (await caller.post(TOKENS, {})).status == 401
    assert (await caller.post(f"{TOKENS}/{wide['id']}/rotate")).status == 401


async def test_rotating_makes_no_more_tokens_than_one_may_have(api: Api, given: Given) -> None:
    first = (await api.post(OWN, {})).json
    # Theirs, the one just made, and the rest.
    for _ in range(MOST_TOKENS - 2):
        assert (await api.post(OWN, {})).status == 200

    overlapping = await api.post(f"{OWN}/{first['id']}/rotate", {"overlap_hours": 24})
    replaced = await api.post(f"{OWN}/{first['id']}/rotate", {"overlap_hours": 0})

    assert overlapping.status == 422
    assert replaced.status == 200
    assert len((await api.get(OWN)).json["payload"]) == MOST_TOKENS


async def test_of_tokens_made_at_once_no_more_than_allowed_are_made(api: Api, given: Given) -> None:
    for _ in range(MOST_TOKENS - 3):
        await api.post(OWN, {})

    replies = await asyncio.gather(*[api.post(OWN, {}) for _ in range(16)])

    assert sorted(reply.status for reply in replies) == [200] * 2 + [422] * 14


@pytest.mark.promise("TK-7")
async def test_whoever_finds_a_token_can_end_it(api: Api, given: Given) -> None:
    token = (await api.post(OWN, {"name": "leaked"})).json["token"]
    nobody = api.acting_as(None)

    first = await nobody.post(LEAKED, {"token": f" {token}\n"})
    again = await nobody.post(LEAKED, {"token": token})
    unknown = await nobody.post(LEAKED, {"token": tokens.make_access_token(tokens.PERSON)})
    mistyped = await nobody.post(LEAKED, {"token": token[:-1] + "~"})

    answers = [(reply.status, reply.body) for reply in (first, again, unknown, mistyped)]
    assert answers == [(200, b"")] * 4
    assert (await with_token(given, token).get("/labels")).status == 401
    assert (await api.get("/labels")).status == 200


async def test_a_text_that_is_no_token_costs_no_statement(api: Api, given: Given) -> None:
    with given.queries(at_most=0):
        assert (await api.acting_as(None).post(LEAKED, {"token": "cria_pat_x"})).status == 200


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": "x" * 256}, {"token": ["x"]}])
async def test_a_leak_needs_a_token(api: Api, body: Any) -> None:
    assert (await api.acting_as(None).post(LEAKED, body)).status == 422


async def test_tokens_are_forgotten_a_month_after_their_end(api: Api, given: Given) -> None:
    kept = (await api.post(OWN, {"name": "kept"})).json["id"]
    ended = [(await api.post(OWN, {"name": "ended"})).json["id"] for _ in range(2)]
    await api.delete(f"{OWN}/{ended[0]}")
    await api.post(f"{OWN}/{ended[1]}/rotate", {"overlap_hours": 1})

    await jobs.prune_tokens(work(given.world))
    soon = await _left(given, [kept, *ended])
    clock.travel(timedelta(days=31))
    await jobs.prune_tokens(work(given.world))
    await jobs.prune_tokens(work(given.world))

    assert soon == {kept, *ended}
    assert await _left(given, [kept, *ended]) == {kept}


async def test_tokens_of_people_who_are_gone_are_forgotten(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    await api.delete(f"/agents/{ana.id}")

    await jobs.prune_strays(work(given.world))

    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value("SELECT count(*) FROM access_tokens WHERE owner_id = $1", ana.id) == 0
    assert (await api.get("/labels")).status == 200


async def _left(given: Given, ids: list[int]) -> set[int]:
    async with given.world.parts.database.reading() as db:
        return set(await db.fetch_values("SELECT id FROM access_tokens WHERE id = ANY($1::bigint[])", ids))
