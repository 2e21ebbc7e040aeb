from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Person
from shapes import iso, misfits, one_of

from criachat.auth.operations import MOST_TOKENS
from criachat.kit import clock

PROFILE = "/api/v1/profile"
TOKENS = f"{PROFILE}/access_tokens"
LISTED = {
    "id": int,
    "name": str,
    "owner_type": "user",
    "owner_id": int,
    "account_id": None,
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


async def made(api: Api, **params: Any) -> dict[str, Any]:
    reply = await api.post(TOKENS, params)
    assert reply.status == 200, reply.body
    return reply.json


def with_token(given: Given, token: str) -> Api:
    return given.api.acting_as(Person(id=given.boss.id, name="Beatriz", token=token))


async def test_a_token_is_shown_once_and_listed_without_its_text(api: Api, given: Given) -> None:
    wanted = {
        "name": "n8n",
        "scopes": ["conversations:write", "contacts:read"],
        "allowed_addresses": ["203.0.113.9/24", "2001:db8::1"],
        "allowed_origins": ["https://app.example.com"],
        "expires_at": (clock.now() + timedelta(days=90)).isoformat(),
    }

    token = await made(api, **wanted)
    listed = (await api.get(TOKENS)).json

    assert misfits(token, {**LISTED, "token": str}) == []
    assert misfits(listed, {"payload": [LISTED]}) == []
    assert token["token"].startswith("cria_svc_")
    assert token["token"].endswith(token["last_characters"])
    assert token["allowed_addresses"] == ["203.0.113.0/24", "2001:db8::1"]
    assert (token["scopes"], token["allowed_origins"]) == (wanted["scopes"], wanted["allowed_origins"])
    assert listed["payload"][0] == {name: value for name, value in token.items() if name != "token"}
    assert [each["is_current"] for each in listed["payload"]] == [False, True]


async def test_a_token_without_scopes_may_do_what_its_owner_may(given: Given) -> None:
    token = await made(given.api)

    reply = await with_token(given, token["token"]).post("/labels", {"title": "vip"})

    assert (token["token"].startswith("cria_pat_"), reply.status) == (True, 200)


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"scopes": ["everything:write"]}, "scopes"),
        ({"name": "x" * 256}, "name"),
        ({"allowed_addresses": ["everywhere"]}, "allowed_addresses"),
        ({"allowed_addresses": ["203.0.113.9/99"]}, "allowed_addresses"),
        ({"allowed_origins": ["app.example.com"]}, "allowed_origins"),
        ({"allowed_origins": ["https://app.example.com/path"]}, "allowed_origins"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
    ],
)
async def test_what_a_token_cannot_be_for_is_refused(api: Api, body: dict[str, Any], attribute: str) -> None:
    reply = await api.post(TOKENS, body)

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert len((await api.get(TOKENS)).json["payload"]) == 1


async def test_a_token_with_scopes_makes_none_that_may_do_more(given: Given) -> None:
    keeper = await made(given.api, scopes=["tokens:write", "labels:write"])
    caller = with_token(given, keeper["token"])
    full = (await given.api.get(TOKENS)).json["payload"][-1]

    less = await caller.post(TOKENS, {"scopes": ["labels:read"]})
    refused = [
        await caller.post(TOKENS, {"scopes": ["contacts:read"]}),
        await caller.post(TOKENS, {"scopes": ["*"]}),
        await caller.post(TOKENS, {}),
        await caller.post(f"{TOKENS}/{full['id']}/rotate", {}),
    ]

    assert less.status == 200
    assert [reply.status for reply in refused] == [401] * 4
    assert refused[0].json == {"error": "An access token cannot make one that may do more than itself"}


async def test_a_token_makes_none_that_outlives_it_or_is_good_in_more_places(given: Given) -> None:
    soon, late = [(clock.now() + timedelta(days=days)).isoformat() for days in (1, 2)]
    ending = with_token(given, (await made(given.api, expires_at=soon))["token"])
    placed = with_token(given, (await made(given.api, allowed_addresses=["127.0.0.0/8", "::1"]))["token"])
    other = await made(given.api)

    let = [
        await ending.post(TOKENS, {"expires_at": soon}),
        await placed.post(TOKENS, {"allowed_addresses": ["127.0.0.1", "::1"]}),
    ]
    refused = [
        await ending.post(TOKENS, {}),
        await ending.post(TOKENS, {"expires_at": late}),
        await ending.post(f"{TOKENS}/{other['id']}/rotate", {}),
        await placed.post(TOKENS, {}),
        await placed.post(TOKENS, {"allowed_addresses": ["127.0.0.1", "203.0.113.9"]}),
        await placed.post(f"/api/v1/accounts/{given.account_id}/access_tokens", {}),
        await placed.post(f"{TOKENS}/{other['id']}/rotate", {}),
    ]

    assert [reply.status for reply in let] == [200] * 2
    assert [(reply.status, list(reply.json)) for reply in refused] == [(401, ["error"])] * 7
    assert (await with_token(given, other["token"]).get(TOKENS)).status == 200


@pytest.mark.promise("TK-7")
async def test_a_rotated_token_overlaps_with_the_one_in_its_place(given: Given) -> None:
    before = await made(given.api, name="n8n", scopes=["labels:write"], allowed_origins=["https://app.example.com"])

    after = (await given.api.post(f"{TOKENS}/{before['id']}/rotate", {"overlap_hours": 48})).json
    both = [await with_token(given, each["token"]).get("/labels") for each in (before, after)]
    clock.travel(timedelta(hours=48))
    later = [await with_token(given, each["token"]).get("/labels") for each in (before, after)]

    assert [reply.status for reply in both] == [200, 200]
    assert [reply.status for reply in later] == [401, 200]
    same = ("name", "scopes", "allowed_addresses", "allowed_origins", "expires_at")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["token"] != before["token"]


@pytest.mark.promise("TK-7")
async def test_an_overlap_is_a_day_unless_told_otherwise_and_a_week_at_most(given: Given) -> None:
    token = await made(given.api, scopes=["labels:read"])
    path = f"{TOKENS}/{token['id']}/rotate"

    refused = [await given.api.post(path, {"overlap_hours": hours}) for hours in (-1, 169)]
    await given.api.post(path)
    clock.travel(timedelta(hours=23, minutes=59))
    within = await with_token(given, token["token"]).get("/labels")
    clock.travel(timedelta(minutes=1))
    after = await with_token(given, token["token"]).get("/labels")

    assert [(reply.status, reply.json["attributes"]) for reply in refused] == [(422, ["overlap_hours"])] * 2
    assert (within.status, after.status) == (200, 401)


async def test_a_reset_ends_the_token_it_came_with_at_once(given: Given) -> None:
    old = await made(given.api)

    reset = await with_token(given, old["token"]).post(f"{PROFILE}/reset_access_token")
    fresh = reset.json["access_token"]
    profile = await with_token(given, fresh).get(PROFILE)
    again = await with_token(given, old["token"]).get(PROFILE)

    assert (reset.status, again.status, profile.status) == (200, 401, 200)
    assert profile.json == reset.json
    assert (await given.api.get(PROFILE)).status == 200


async def test_a_revoked_token_is_gone_and_cannot_be_revoked_again(given: Given) -> None:
    token = await made(given.api)

    reply = await given.api.delete(f"{TOKENS}/{token['id']}")
    again = await given.api.delete(f"{TOKENS}/{token['id']}")
    rotated = await given.api.post(f"{TOKENS}/{token['id']}/rotate")

    assert (reply.status, reply.body) == (200, b"")
    assert (again.status, rotated.status) == (404, 404)
    assert (await with_token(given, token["token"]).get(PROFILE)).status == 401


async def test_tokens_of_somebody_else_do_not_exist(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    token = await made(given.api)

    replies = [
        await api.acting_as(ana).delete(f"{TOKENS}/{token['id']}"),
        await api.acting_as(ana).post(f"{TOKENS}/{token['id']}/rotate"),
    ]

    assert [reply.status for reply in replies] == [404, 404]
    assert len((await api.acting_as(ana).get(TOKENS)).json["payload"]) == 1
    assert (await with_token(given, token["token"]).get(PROFILE)).status == 200


async def test_bots_and_strangers_have_no_tokens(api: Api, given: Given) -> None:
    for caller in (await given.bot(), None):
        door = api.acting_as(caller)
        replies = [
            await door.get(TOKENS),
            await door.post(TOKENS, {}),
            await door.delete(f"{TOKENS}/1"),
            await door.post(f"{TOKENS}/1/rotate"),
            await door.post(f"{PROFILE}/reset_access_token"),
        ]
        assert [reply.status for reply in replies] == [401] * 5


async def test_a_person_has_so_many_tokens_and_no_more(api: Api, given: Given) -> None:
    for _ in range(MOST_TOKENS - 1):
        await made(api)

    reply = await api.post(TOKENS, {})
    await api.get(TOKENS)

    assert (reply.status, reply.json["attributes"]) == (422, ["base"])
    with given.queries(at_most=1):
        assert len((await api.get(TOKENS)).json["payload"]) == MOST_TOKENS
