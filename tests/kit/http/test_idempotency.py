"""Writes that carry an `Idempotency-Key`: done once, answered the same, by whichever process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any, LiteralString

import httpx
import msgspec
import pytest
from doors import opened
from harness import PATIENCE_SECONDS, Api, Given, Reply, World
from hypothesis import HealthCheck, settings
from hypothesis import given as each
from hypothesis import strategies as st

from criachat.accounts.events import CacheInvalidated
from criachat.kit import clock, idempotency
from criachat.kit.actors import ANYONE
from criachat.kit.db import Tx
from criachat.kit.http.answers import Answer
from criachat.kit.http.routes import Routes
from criachat.kit.tokens import random_token

attempts = count(1)


# Of callers nobody knows a key must be hard to guess.
LONG_KEY = "0123456789abcdef"


def with_key(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


async def titles(api: Api) -> list[str]:
    return [label["title"] for label in (await api.get("/labels")).json["payload"]]


async def rows(given: Given, sql: LiteralString, *values: object) -> list[Any]:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_values(sql, *values)


# --- once, and answered the same


async def test_a_write_sent_again_is_done_once_and_answered_the_same(api: Api, given: Given) -> None:
    first = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))
    again = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert await titles(api) == ["vip"]
    assert len(await given.emitted(CacheInvalidated)) == 1


async def test_an_empty_answer_is_given_again_too(api: Api) -> None:
    label = (await api.post("/labels", {"title": "vip"})).json
    path = f"/labels/{label['id']}"

    first = await api.delete(path, headers=with_key("k1"))
    again = await api.delete(path, headers=with_key("k1"))
    without = await api.delete(path)

    assert (first.status, again.status, without.status) == (200, 200, 404)
    assert (again.body, again.headers["idempotent-replayed"]) == (b"", "true")


async def test_without_the_header_nothing_is_kept_or_told(api: Api, given: Given) -> None:
    before = await rows(given, "SELECT count(*) FROM idempotency_keys")

    plain = await api.post("/labels", {"title": "plain"})
    keyed = await api.post("/labels", {"title": "keyed"}, headers=with_key("k1"))

    assert await rows(given, "SELECT count(*) FROM idempotency_keys") == [before[0] + 1]
    assert plain.json.keys() == keyed.json.keys()
    assert set(plain.headers) == set(keyed.headers)


async def test_a_read_has_no_key(api: Api) -> None:
    first = await api.get("/labels", headers=with_key("k1"))
    await api.post("/labels", {"title": "vip"})
    again = await api.get("/labels", headers=with_key("k1"))

    assert (first.json["payload"], len(again.json["payload"])) == ([], 1)


async def test_the_version_is_told_again_too(api: Api, given: Given) -> None:
    contact = await given.contact()
    path = f"/contacts/{contact['id']}"

    first = await api.patch(path, {"name": "Rosa Maria"}, headers=with_key("k1"))
    again = await api.patch(path, {"name": "Rosa Maria"}, headers=with_key("k1"))

    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["content-type"] == first.headers["content-type"]


# --- the same request, or not


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"json": {"title": "vip", "color": "#000000"}}, {"json": {"color": "#000000", "title": "vip"}}),
        ({"json": {"title": "vip"}, "params": {"color": "red"}}, {"json": {"title": "vip", "color": "red"}}),
        ({"data": {"label[title]": "vip"}}, {"files": {"label[title]": (None, "vip")}}),
    ],
    ids=["keys in another order", "query and body", "form and multipart"],
)
async def test_what_says_the_same_is_the_same(api: Api, first: dict[str, Any], again: dict[str, Any]) -> None:
    await api.call("POST", "/labels", headers=with_key("k1"), **first)

    reply = await api.call("POST", "/labels", headers=with_key("k1"), **again)

    assert (reply.status, reply.headers["idempotent-replayed"]) == (200, "true")


async def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    reply = await api.post("/labels", {"title": "gold"}, headers=with_key("k1"))

    assert (reply.status, reply.json) == (422, {"error": "This Idempotency-Key was used with other parameters"})
    assert await titles(api) == ["vip"]


class FileParams(msgspec.Struct):
    """One file."""

    file: Any = None


async def test_files_count_by_their_content_not_by_how_they_were_packed(given: Given) -> None:
    routes = Routes(f"/kept/{random_token()}", tag="Tests")

    @routes.post(actors=ANYONE, files=("file",))
    async def keep(tx: Tx, params: FileParams) -> int:
        return next(attempts)

    async def send(client: httpx.AsyncClient, boundary: str, content: str) -> httpx.Response:
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
            f"{content}\r\n--{boundary}--\r\n"
        )
        kind = f"multipart/form-data; boundary={boundary}"
        return await client.post(
            routes.prefix, content=body.encode(), headers={"content-type": kind, **with_key(LONG_KEY)}
        )

    async with opened(given.world, routes) as client:
        first = await send(client, "one", "Olá")
        again = await send(client, "another", "Olá")
        other = await send(client, "one", "Adeus")

    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert other.status_code == 422


async def test_callers_accounts_paths_and_methods_do_not_share_a_key(api: Api, given: Given) -> None:
    bruno, others = await given.administrator("Bruno"), await given.another_account()
    key = with_key("the-same")
    label = (await api.post("/labels", {"title": "vip"}, headers=key)).json

    replies = [
        await api.acting_as(bruno).post("/labels", {"title": "gold"}, headers=key),
        await others.api.post("/labels", {"title": "vip"}, headers=key),
        await api.post("/teams", {"name": "vip"}, headers=key),
        await api.patch(f"/labels/{label['id']}", {"title": "vip", "color": "red"}, headers=key),
        await api.put(f"/labels/{label['id']}", {"title": "vip", "color": "blue"}, headers=key),
    ]

    assert [reply.status for reply in replies] == [200] * 5
    assert not any("idempotent-replayed" in reply.headers for reply in replies)


async def test_a_token_is_not_given_what_a_wider_one_was_answered(api: Api, given: Given) -> None:
    path, sent = "/api/v1/profile/access_tokens", {"name": "n8n", "scopes": ["labels:read"]}
    narrow = api.acting_as(await given.narrowed(given.boss, "tokens:write", "labels:read"))

    wide_one = await api.post(path, {"name": "n8n"}, headers=with_key("mine"))
    refused = await narrow.post(path, {"name": "n8n"}, headers=with_key("mine"))
    first = await api.post(path, sent, headers=with_key("theirs"))
    second = await narrow.post(path, sent, headers=with_key("theirs"))
    again = await narrow.post(path, sent, headers=with_key("theirs"))

    assert (wide_one.status, refused.status) == (200, 401)
    assert "token" not in refused.json
    assert second.body == again.body != first.body


async def test_a_trailing_slash_makes_no_other_path(api: Api) -> None:
    await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    assert "idempotent-replayed" in (await api.post("/labels/", {"title": "vip"}, headers=with_key("k1"))).headers


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    reply = await api.post("/labels", {"title": "vip"}, headers=with_key(key))

    assert (reply.status, list(reply.json)) == (422, ["error"])
    assert await titles(api) == []


async def test_a_key_of_somebody_unknown_must_be_hard_to_guess(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    path = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts"
    nobody = api.acting_as(None)

    short = await nobody.post(path, {"name": "Rosa"}, headers=with_key(LONG_KEY[:-1]))
    first = await nobody.post(path, {"name": "Rosa"}, headers=with_key(LONG_KEY))
    again = await nobody.post(path, {"name": "Rosa"}, headers=with_key(LONG_KEY))

    assert (short.status, first.status) == (422, 200)
    assert first.json == again.json


# --- released and forgotten


async def test_a_refusal_releases_the_key(api: Api) -> None:
    taken = (await api.post("/labels", {"title": "vip"})).json

    refused = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))
    await api.delete(f"/labels/{taken['id']}")
    done = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    assert (refused.status, done.status) == (422, 200)
    assert "idempotent-replayed" not in done.headers


async def test_an_answer_that_is_a_refusal_is_not_kept_either(given: Given) -> None:
    routes = Routes(f"/kept/{random_token()}", tag="Tests")

    @routes.post(actors=ANYONE)
    async def refuse(tx: Tx) -> Answer:
        return Answer(status=402, body={"error": f"try {next(attempts)}"})

    async with opened(given.world, routes) as client:
        replies = [await client.post(routes.prefix, headers=with_key(LONG_KEY)) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [402, 402]
    assert replies[0].json() != replies[1].json()


async def test_an_answer_is_kept_for_seventy_two_hours(api: Api, given: Given) -> None:
    first = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    clock.travel(timedelta(hours=71, minutes=59))
    kept = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))
    clock.travel(timedelta(minutes=2))
    forgotten = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))
    await api.delete(f"/labels/{first.json['id']}")
    anew = await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    assert kept.json == first.json
    assert (forgotten.status, forgotten.json["attributes"]) == (422, ["title"])
    assert (anew.status, anew.json["id"] != first.json["id"]) == (200, True)


async def test_what_is_old_is_removed_in_batches(api: Api, given: Given) -> None:
    for number in range(5):
        await api.post("/labels", {"title": f"vip{number}"}, headers=with_key(f"k{number}"))
    clock.travel(timedelta(hours=73))
    await api.post("/labels", {"title": "fresh"}, headers=with_key("fresh"))

    gone = await idempotency.prune(given.world.parts.database, batch=2)
    replayed = await api.post("/labels", {"title": "fresh"}, headers=with_key("fresh"))

    assert gone >= 5
    old = clock.now() - idempotency.KEPT
    assert await rows(given, "SELECT count(*) FROM idempotency_keys WHERE created_at <= $1", old) == [0]
    assert replayed.headers["idempotent-replayed"] == "true"


# --- at rest


async def test_neither_key_nor_answer_can_be_read_in_the_database(api: Api, given: Given) -> None:
    await api.post("/labels", {"title": "segredo", "description": "muito-secreto"}, headers=with_key("a-very-own-key"))

    (kept,) = await rows(
        given, "SELECT key || fingerprint || answer FROM idempotency_keys ORDER BY created_at DESC LIMIT 1"
    )

    for text in (b"segredo", b"muito-secreto", b"a-very-own-key"):
        assert text not in kept


async def test_any_bytes_are_kept_and_what_is_too_large_is_only_told_of(given: Given) -> None:
    routes = Routes(f"/kept/{random_token()}", tag="Tests")
    picture = b"\x89PNG\r\n\x1a\n\xff\x00\xfe"

    @routes.post("/picture", actors=ANYONE)
    async def draw(tx: Tx) -> Answer:
        return Answer(body=picture)

    @routes.post("/novel", actors=ANYONE)
    async def write(tx: Tx) -> str:
        return str(next(attempts)) * 300_000

    async with opened(given.world, routes) as client:
        pictures = [await client.post(f"{routes.prefix}/picture", headers=with_key(LONG_KEY)) for _ in range(2)]
        novels = [await client.post(f"{routes.prefix}/novel", headers=with_key(LONG_KEY)) for _ in range(2)]

    assert [reply.content for reply in pictures] == [picture, picture]
    assert len(novels[0].content) > 256 * 1024
    assert (novels[1].status_code, novels[1].json()["status"]) == (200, "done")
    (size,) = await rows(given, "SELECT octet_length(answer) FROM idempotency_keys ORDER BY created_at DESC LIMIT 1")
    assert size < 1024


# --- at the same time, and in bad times


async def test_of_sixty_four_at_once_one_is_done_and_all_are_answered_alike(api: Api, given: Given) -> None:
    async def send(number: int) -> Reply:
        return await api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    replies = await asyncio.gather(*map(send, range(64)))

    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.body for reply in replies if reply.status == 200}) == 1
    assert all(reply.headers["retry-after"] == "2" for reply in replies if reply.status == 409)
    assert len(await given.emitted(CacheInvalidated)) == 1


async def test_while_it_still_runs_others_wait_and_are_then_told_to_come_back(given: Given) -> None:
    routes = Routes(f"/kept/{random_token()}", tag="Tests")
    begun, goes_on = asyncio.Event(), asyncio.Event()

    @routes.post(actors=ANYONE)
    async def work(tx: Tx) -> int:
        begun.set()
        await goes_on.wait()
        return next(attempts)

    async with opened(given.world, routes) as client:
        running = asyncio.create_task(client.post(routes.prefix, headers=with_key(LONG_KEY)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await begun.wait()
        early = await client.post(routes.prefix, headers=with_key(LONG_KEY))
        goes_on.set()
        done = await running
        late = await client.post(routes.prefix, headers=with_key(LONG_KEY))

    assert (early.status_code, early.headers["retry-after"]) == (409, "2")
    assert done.json() == late.json()


async def test_what_fails_whenever_it_is_tried_is_not_said_to_be_still_running(given: Given) -> None:
    routes = Routes(f"/kept/{random_token()}", tag="Tests")

    @routes.post(actors=ANYONE)
    async def work(tx: Tx) -> None:
        clock.travel(timedelta(seconds=0.8))
        await tx.execute("INSERT INTO labels (account_id, title, created_at, updated_at) VALUES (0, 'a', now(), now())")

    async with opened(given.world, routes) as client:
        reply = await client.post(routes.prefix, headers=with_key(LONG_KEY))

    assert reply.status_code == 500


async def test_an_answer_that_was_lost_on_its_way_is_given_by_another_process(
    given: Given, strict_world: World
) -> None:
    path = f"/api/v1/accounts/{given.account_id}/labels"
    body = b'{"title": "vip"}'
    headers = {"content-type": "application/json", "api_access_token": given.boss.token, **with_key("k1")}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": raw, "client": None}

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await given.world.parts.http(scope, receive, send)
    elsewhere = Given(strict_world, given.account_id, given.boss)
    again = await elsewhere.api.post("/labels", {"title": "vip"}, headers=with_key("k1"))

    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
    assert (await given.api.get("/labels")).json["payload"] == [again.json]


class Send(msgspec.Struct, frozen=True):
    """One request of a history: which key it carries, and after how many turns of the loop its process dies."""

    key: int
    dies_after: int | None


sends = st.builds(Send, key=st.integers(0, 2), dies_after=st.none() | st.integers(0, 60))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@each(history=st.lists(sends, min_size=1, max_size=8))
async def test_whatever_dies_in_between_each_key_is_done_once(given: Given, history: Sequence[Send]) -> None:
    run = next(attempts)

    async def send(key: int) -> Reply:
        return await given.api.post("/labels", {"title": f"run{run}key{key}"}, headers=with_key(f"{run}:{key}"))

    for each_send in history:
        task = asyncio.create_task(send(each_send.key))
        if each_send.dies_after is not None:
            for _ in range(each_send.dies_after):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    keys = {each_send.key for each_send in history}
    # Had a label been made without its answer being kept, this would be refused: its title is taken.
    last = [await send(key) for key in keys]

    assert [reply.status for reply in last] == [200] * len(keys)
    assert len([title for title in await titles(given.api) if title.startswith(f"run{run}key")]) == len(keys)
