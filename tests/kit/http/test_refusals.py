"""The body of every kind of refusal, as clients read it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from doors import opened
from harness import Api, Given
from structlog.testing import capture_logs

from criachat.auth.resolver import BELIEVED_SECONDS
from criachat.kit import clock
from criachat.kit.actors import ANYONE
from criachat.kit.db import Db, Tx
from criachat.kit.errors import Unavailable
from criachat.kit.http.routes import Routes
from criachat.kit.tokens import PERSON, make_access_token

LABEL = {"title": "vip"}


async def suspended(given: Given) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE accounts SET status = 'suspended' WHERE id = $1", given.account_id)


async def test_nobody_is_asked_to_sign_in(api: Api) -> None:
    reply = await api.acting_as(None).get("/labels")

    assert (reply.status, reply.json) == (401, {"errors": ["You need to sign in or sign up before continuing."]})


@pytest.mark.parametrize(
    "token",
    ["junk", "x" * 5000, make_access_token(PERSON), "cria_pat_" + "0" * 38],
    ids=["junk", "long", "nobody's", "made up"],
)
async def test_a_bad_token_is_called_bad(api: Api, token: str) -> None:
    reply = await api.acting_as(None).get("/labels", headers={"api_access_token": token})

    assert (reply.status, reply.json) == (401, {"error": "Invalid Access Token"})


async def test_a_token_is_known_by_both_spellings_of_its_header(api: Api, given: Given) -> None:
    dashed = await api.acting_as(None).get("/labels", headers={"api-access-token": given.boss.token})
    capital = await api.acting_as(None).get("/labels", headers={"Api_Access_Token": given.boss.token})
    in_query = await api.acting_as(None).get(f"/labels?api_access_token={given.boss.token}")

    assert (dashed.status, capital.status, in_query.status) == (200, 200, 401)


async def test_bots_are_refused_outside_their_list(api: Api, given: Given) -> None:
    reply = await api.acting_as(await given.bot()).get("/labels")

    assert (reply.status, reply.json) == (401, {"error": "Access to this endpoint is not authorized for bots"})


async def test_strangers_to_an_account_are_refused(api: Api, given: Given) -> None:
    others = await given.another_account()
    bot = await given.bot()

    member_elsewhere = await api.in_account(others.account_id).get("/labels")
    bot_elsewhere = await api.acting_as(bot).in_account(others.account_id).post("/conversations", {})
    no_account = await api.in_account(999_999_999).get("/labels")

    assert (member_elsewhere.status, member_elsewhere.json) == (
        401,
        {"error": "You are not authorized to access this account"},
    )
    assert (bot_elsewhere.status, bot_elsewhere.json) == (
        401,
        {"error": "Bot is not authorized to access this account"},
    )
    assert (no_account.status, no_account.json) == (404, {"error": "Resource could not be found"})


async def test_a_suspended_account_is_closed_to_everybody(api: Api, given: Given) -> None:
    bot = await given.bot()
    await suspended(given)
    # Nobody is told of what is written behind the product's back, and a token is believed for so long.
    clock.travel(timedelta(seconds=BELIEVED_SECONDS + 1))

    member = await api.get("/labels")
    answered = await api.acting_as(bot).post("/conversations", {})

    assert (member.status, member.json) == (answered.status, answered.json) == (401, {"error": "Account is suspended"})


async def test_a_role_that_does_not_suffice_is_refused_with_401(api: Api, given: Given) -> None:
    reply = await api.acting_as(await given.agent("Ana")).post("/labels", LABEL)

    assert (reply.status, reply.json) == (401, {"error": "You are not authorized to do this action"})


async def test_a_record_that_is_not_there_and_a_route_that_is_not_differ(api: Api) -> None:
    record, route = await api.get("/labels/999999999"), await api.get("/shelves/1")

    assert (record.status, record.json) == (404, {"error": "Resource could not be found"})
    assert (route.status, route.json) == (404, {"status": 404, "error": "Not Found"})


async def test_a_rule_of_a_record_is_told_with_its_attributes(api: Api) -> None:
    await api.post("/labels", LABEL)

    taken = await api.post("/labels", LABEL)
    too_long = await api.post("/labels", {"title": "vip2", "description": "x" * 200_000})

    assert (taken.status, taken.json) == (422, {"message": "Title has already been taken", "attributes": ["title"]})
    assert (too_long.status, too_long.json) == (
        422,
        {"message": "Description is too long (maximum is 20000 characters)", "attributes": ["description"]},
    )


async def test_a_missing_parameter_is_told_by_name(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    reply = await api.post("/inbox_members", {"inbox_id": inbox["id"]})

    assert (reply.status, reply.json) == (422, {"error": "param is missing or the value is empty: user_ids"})


async def test_refusals_come_in_the_contracts_order(api: Api, given: Given) -> None:
    others = await given.another_account()
    bot = await given.bot()

    async def error(caller: Api, path: str, **sent: Any) -> Any:
        return (await caller.post(path, **sent)).json["error"]

    bad_token = api.acting_as(None)
    assert (await bad_token.in_account(0).post("/labels", headers={"api_access_token": "junk"})).json == {
        "error": "Invalid Access Token"
    }
    assert "bots" in await error(api.acting_as(bot).in_account(999_999_999), "/labels")
    assert "could not be found" in await error(api.in_account(999_999_999), "/labels", content=b"{")
    assert "this account" in await error(api.in_account(others.account_id), "/labels", content=b"{")
    assert "this action" in await error(api.acting_as(await given.agent("Ana")), "/labels", content=b"{")


async def test_what_we_did_wrong_is_a_500_that_tells_nothing_and_changes_nothing(
    given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    routes = Routes("/broken", tag="Tests")

    @routes.post(actors=ANYONE)
    async def break_down(tx: Tx) -> None:
        await tx.execute("UPDATE accounts SET name = 'Half done' WHERE id = $1", given.account_id)
        raise RuntimeError("the key is 4711")

    async with opened(given.world, routes) as client:
        reply = await client.post("/broken")

    assert (reply.status_code, reply.json()) == (500, {"status": 500, "error": "Internal Server Error"})
    assert "4711" not in reply.text
    assert reply.headers["x-request-id"] in capsys.readouterr().out
    assert (await given.api.get("")).json["name"] == "Loja Azul"


async def test_a_database_that_is_away_is_told_from_a_value_it_cannot_take(given: Given) -> None:
    routes = Routes("/values", tag="Tests")

    @routes.get("/away", actors=ANYONE)
    async def fail() -> None:
        raise Unavailable

    @routes.get("/unfit", actors=ANYONE)
    async def read(db: Db) -> int:
        return await db.fetch_value("SELECT $1::bigint", 2**70)

    async with opened(given.world, routes) as client:
        away, unfit = await client.get("/values/away"), await client.get("/values/unfit")

    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert (unfit.status_code, "retry-after" in unfit.headers) == (500, False)


async def test_who_loses_every_deadlock_is_told_to_come_back(given: Given) -> None:
    tried: list[str] = []
    routes = Routes("/crowded", tag="Tests")

    @routes.post(actors=ANYONE)
    async def rename(tx: Tx) -> None:
        tried.append("once more")
        await tx.execute("UPDATE accounts SET name = 'Half done' WHERE id = $1", given.account_id)
        await tx.execute("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")

    async with opened(given.world, routes) as client:
        reply = await client.post("/crowded")

    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert reply.json() == {"error": "Too many are changing this at once; try again shortly"}
    assert len(tried) == 3
    assert (await given.api.get("")).json["name"] == "Loja Azul"


async def test_the_log_says_why_a_write_was_refused_and_keeps_nothing_of_what_was_sent(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    with capture_logs() as logs:
        await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "a secret"})
        await api.post("/labels", {"title": "vip"})

    of_requests = [each for each in logs if each["event"] == "request"]
    assert [each.get("refusal") for each in of_requests] == ["UnknownStatus", None]
    assert "a secret" not in repr(logs)
