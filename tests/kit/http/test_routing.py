"""Which door a request comes to, and what every answer carries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from doors import OUR_PAGE, opened
from harness import Api, Given

from criachat.kit.actors import ANYONE
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes

NOT_FOUND = {"status": 404, "error": "Not Found"}


@pytest.mark.parametrize("path", ["/labels", "/labels/", "/labels.json", "/labels.json/", "/labels/.json"])
async def test_a_trailing_slash_and_a_json_suffix_make_no_difference(api: Api, path: str) -> None:
    reply = await api.get(path)

    assert (reply.status, reply.json) == (200, {"payload": []})


async def test_a_suffix_belongs_to_the_route_not_to_the_id(api: Api) -> None:
    label = (await api.post("/labels.json", {"title": "vip"})).json

    assert (await api.get(f"/labels/{label['id']}.json")).json == label


async def test_put_and_patch_are_the_same(api: Api) -> None:
    label = (await api.post("/labels", {"title": "vip"})).json

    put = await api.put(f"/labels/{label['id']}", {"color": "#000000"})
    patched = await api.patch(f"/labels/{label['id']}", {"color": "#000000"})

    assert put.json == patched.json == {**label, "color": "#000000"}


async def test_head_is_a_get_without_its_body(api: Api) -> None:
    await api.post("/labels", {"title": "vip"})

    got = await api.get("/labels")
    head = await api.call("HEAD", "/labels")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(got.body))
    assert head.headers["content-type"] == got.headers["content-type"] == "application/json; charset=utf-8"


async def test_head_of_a_stream_does_not_start_it(given: Given) -> None:
    routes = Routes("/clock", tag="Tests")
    started: list[int] = []

    async def ticks() -> AsyncIterator[bytes]:
        while True:
            started.append(1)
            yield b"tick\n"

    @routes.get(actors=ANYONE)
    async def follow() -> Stream:
        return Stream(ticks(), content_type="text/event-stream")

    async with opened(given.world, routes) as client:
        head = await client.head("/clock")

    assert (head.status_code, head.headers["content-type"], started) == (200, "text/event-stream", [])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", "/labels/1/nowhere"),
        ("POST", "/labels/1"),
        ("PUT", "/inbox_members"),
        ("PATCH", "/labels"),
        ("DELETE", "/labels"),
        ("PURGE", "/labels"),
        ("OPTIONS", "/labels"),
        ("GET", "/labels//1"),
        ("GET", "/labels%00"),
        ("GET", "/api/v1"),
        ("GET", "/public/api/v1/nowhere"),
    ],
)
async def test_what_is_not_there_is_not_found_whatever_the_method(api: Api, method: str, path: str) -> None:
    reply = await api.call(method, path)

    assert (reply.status, reply.json) == (404, NOT_FOUND)


async def test_what_has_no_answer_says_so_with_an_empty_body(api: Api) -> None:
    label = (await api.post("/labels", {"title": "vip"})).json

    reply = await api.delete(f"/labels/{label['id']}")

    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")
    assert reply.headers["content-type"].startswith("application/json")


async def test_answers_are_left_to_proxies_to_compress(api: Api) -> None:
    reply = await api.get("/openapi.json", headers={"accept-encoding": "gzip, br"})

    assert "content-encoding" not in reply.headers
    assert reply.json["openapi"].startswith("3.1")


async def test_answers_are_kept_for_nobody_else_unless_they_say_so(api: Api) -> None:
    replies = [await api.get("/labels"), await api.acting_as(None).get("/labels"), await api.get("/nowhere")]
    spoken = await api.get("/cache_keys")

    assert {reply.headers["cache-control"] for reply in replies} == {"max-age=0, private, must-revalidate"}
    assert spoken.headers["cache-control"] == "max-age=10, private, stale-while-revalidate=300"


# --- request ids


async def test_a_request_keeps_the_id_it_came_with(api: Api) -> None:
    found = await api.get("/labels", headers={"x-request-id": "n8n-4711"})
    refused = await api.acting_as(None).get("/labels", headers={"x-request-id": "n8n-4712"})

    assert (found.headers["x-request-id"], refused.headers["x-request-id"]) == ("n8n-4711", "n8n-4712")


@pytest.mark.parametrize("given_id", ["", "x" * 129, "a\tb", "olé"])
async def test_a_request_without_a_usable_id_gets_one_of_its_own(api: Api, given_id: str) -> None:
    headers = [("x-request-id", given_id.encode())]

    first = (await api.get("/labels", headers=dict(headers))).headers["x-request-id"]
    second = (await api.get("/labels", headers=dict(headers))).headers["x-request-id"]

    assert len(first) == len(second) == 20
    assert first != second


# --- other origins


async def test_the_client_api_may_be_called_from_any_page(api: Api) -> None:
    origin = {"origin": "https://shop.example.net", "access-control-request-method": "POST"}

    asked = await api.call("OPTIONS", "/public/api/v1/inboxes/x/contacts", headers=origin)
    called = await api.acting_as(None).get("/public/api/v1/nowhere", headers={"origin": "https://shop.example.net"})

    assert (asked.status, asked.body) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == called.headers["access-control-allow-origin"] == "*"
    assert "POST" in asked.headers["access-control-allow-methods"]


async def test_other_doors_open_to_the_pages_that_were_named(given: Given) -> None:
    routes = Routes("/api/v1/greeting", tag="Tests")

    @routes.get(actors=ANYONE)
    async def greet() -> str:
        return "Olá"

    async with opened(given.world, routes) as client:
        ours = await client.get("/api/v1/greeting", headers={"origin": OUR_PAGE})
        asked = await client.options(
            "/api/v1/greeting", headers={"origin": OUR_PAGE, "access-control-request-headers": "api_access_token"}
        )
        foreign = await client.get("/api/v1/greeting", headers={"origin": "https://shop.example.net"})
        asked_by_foreign = await client.options("/api/v1/greeting", headers={"origin": "https://shop.example.net"})

    assert ours.headers["access-control-allow-origin"] == OUR_PAGE
    assert ours.headers["vary"] == "Origin"
    assert (asked.status_code, asked.headers["access-control-allow-headers"]) == (204, "api_access_token")
    assert "access-control-allow-origin" not in foreign.headers
    assert asked_by_foreign.status_code == 404


# --- pages


@pytest.mark.parametrize(
    ("page", "found", "shown"),
    [
        (None, 1, 1),
        ("1", 1, "1"),
        ("2", 0, "2"),
        ("0", 1, "0"),
        ("-1", 1, "-1"),
        ("junk", 1, "junk"),
        ("9" * 400, 1, "9" * 400),
        ("99999999999", 0, "99999999999"),
    ],
)
async def test_a_page_that_is_none_is_the_first(
    api: Api, given: Given, page: str | None, found: int, shown: object
) -> None:
    contact = await given.contact("Rosa Lind")

    reply = await api.call("GET", "/contacts", params={} if page is None else {"page": page})

    assert reply.status == 200
    assert [each["id"] for each in reply.json["payload"]] == [contact["id"]] * found
    assert reply.json["meta"] == {"count": 1, "current_page": shown}
