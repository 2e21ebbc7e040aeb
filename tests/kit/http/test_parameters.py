"""What comes in: one bag of parameters, whichever way they were sent, and what cannot be one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from doors import opened
from harness import Api, Given
from hypothesis import given as each
from hypothesis import strategies as st

from criachat.kit.actors import ANYONE
from criachat.kit.http.request import MAXIMUM_BODY_BYTES, MAXIMUM_DEPTH, Request, nested
from criachat.kit.http.routes import Routes

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
PROFILE = "/api/v1/profile"


def is_bad_request(status: int, body: Any) -> bool:
    return status == 400 and body["status"] == 400 and body["error"] == "Bad Request"


# --- one bag


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"name": "App", "channel": {"type": "api", "hmac_mandatory": True}}},
        {"data": {"name": "App", "channel[type]": "api", "channel[hmac_mandatory]": "true"}},
        {"files": {"name": (None, "App"), "channel[type]": (None, "api"), "channel[hmac_mandatory]": (None, "1")}},
        {"params": {"name": "App", "channel[type]": "api", "channel[hmac_mandatory]": "true"}},
        {"params": {"name": "App"}, "json": {"channel": {"type": "api", "hmac_mandatory": "1"}}},
    ],
    ids=["json", "form", "multipart", "query", "query and json"],
)
async def test_parameters_may_come_in_any_way(api: Api, sent: dict[str, Any]) -> None:
    reply = await api.call("POST", "/inboxes", **sent)

    assert reply.status == 200
    assert (reply.json["name"], reply.json["hmac_mandatory"]) == ("App", True)


async def test_the_body_wins_over_the_query(api: Api) -> None:
    reply = await api.post("/labels", {"title": "from-the-body"}, params={"title": "from-the-query"})

    assert reply.json["title"] == "from-the-body"


async def test_a_removal_reads_its_body_or_its_query(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)

    by_body = await api.delete("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [ana.id]})
    by_query = await api.call("DELETE", "/inbox_members", params={"inbox_id": inbox["id"], "user_ids[]": davi.id})

    assert (by_body.status, by_query.status) == (200, 200)
    assert (await api.get(f"/inbox_members/{inbox['id']}")).json == {"payload": []}


@pytest.mark.parametrize("way", ["json", "data", "params"])
async def test_a_question_reads_its_body_like_its_query(api: Api, given: Given, way: str) -> None:
    rosa = await given.contact("Rosa Lind", email="rosa.lind@example.net")
    await given.contact("Noa Pires")

    reply = await api.call("GET", "/contacts/search", **{way: {"q": "rosa.lind@", "sort": "email"}})

    assert [contact["id"] for contact in reply.json["payload"]] == [rosa["id"]]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"", 200),
        ("application/json; charset=utf-8", b"null", 200),
        ("text/plain", b"no json", 200),
        ("application/json", b"{", 400),
    ],
)
async def test_a_question_need_have_no_body_that_can_be_read(api: Api, kind: str, body: bytes, status: int) -> None:
    reply = await api.call("GET", "/contacts", content=body, headers={"content-type": kind})

    assert reply.status == status


async def test_letters_of_any_script_arrive_as_they_were_sent(api: Api) -> None:
    encoded = await api.call("POST", "/labels", data={"label[title]": "ação"})
    as_they_are = await api.call("POST", "/labels", content="label[title]=日本".encode(), headers=FORM)
    in_query = await api.call("POST", "/labels?title=%D0%BC%D0%B8%D1%80")
    in_multipart = await api.call("POST", "/labels", files={"label[title]": (None, "ελιά")})

    assert [reply.json["title"] for reply in (encoded, as_they_are, in_query, in_multipart)] == [
        "ação",
        "日本",
        "мир",
        "ελιά",
    ]


@pytest.mark.parametrize(
    ("pairs", "bag"),
    [
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[b][c]", "1"), ("a[b][d]", "2")], {"a": {"b": {"c": "1", "d": "2"}}}),
        (
            [("rows[][day]", "0"), ("rows[][hour]", "9"), ("rows[][day]", "1")],
            {"rows": [{"day": "0", "hour": "9"}, {"day": "1"}]},
        ),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("a[b]", "1"), ("a[]", "2")], {"a": ["2"]}),
    ],
)
def test_brackets_become_lists_and_objects(pairs: list[tuple[str, str]], bag: dict[str, Any]) -> None:
    assert nested(pairs) == bag


@each(st.lists(st.tuples(st.text("ab[]", max_size=12), st.just("1")), max_size=6))
def test_no_arrangement_of_brackets_is_too_much(pairs: list[tuple[str, str]]) -> None:
    assert isinstance(nested(pairs), dict)


# --- wrapped and flat


async def test_json_may_be_flat_or_wrapped(api: Api) -> None:
    flat = await api.post("/labels", {"title": "flat"})
    wrapped = await api.post("/labels", {"label": {"title": "wrapped"}})

    assert (flat.json["title"], wrapped.json["title"]) == ("flat", "wrapped")


async def test_beside_a_wrapper_flat_fields_say_nothing(api: Api) -> None:
    reply = await api.post("/labels", {"label": {"title": "wrapped"}, "title": "flat", "color": "#000000"})

    assert (reply.json["title"], reply.json["color"]) == ("wrapped", "#1f93ff")


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {}},
        {"json": {"label": {}}},
        {"json": {"label": "vip"}},
        {"json": {"colour": "red"}},
        {"json": ["vip"]},
        {"data": {"title": "flat-in-a-form"}},
        {"files": {"title": (None, "flat-in-a-form")}},
        {},
    ],
)
async def test_a_request_that_says_nothing_about_its_object_is_told_so(api: Api, sent: dict[str, Any]) -> None:
    reply = await api.call("POST", "/labels", **sent)

    assert (reply.status, reply.json) == (422, {"error": "param is missing or the value is empty: label"})


# --- taken kindly


@pytest.mark.parametrize(
    ("said", "meant"),
    [(True, True), ("true", True), ("1", True), (1, True), (False, False), ("false", False), ("0", False), (0, False)],
)
async def test_booleans_may_be_words_or_digits(api: Api, said: object, meant: object) -> None:
    reply = await api.post("/labels", {"title": "vip", "show_on_sidebar": said})

    assert reply.json["show_on_sidebar"] is meant


async def test_numbers_may_be_text_and_text_may_be_a_number(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    inbox = await given.inbox()

    members = await api.post("/inbox_members", {"inbox_id": str(inbox["id"]), "user_ids": [f" {ana.id} "]})
    label = await api.post("/labels", {"title": 2026})

    assert [each["id"] for each in members.json["payload"]] == [ana.id]
    assert label.json["title"] == "2026"


async def test_a_blank_number_or_boolean_is_as_if_it_were_not_sent(api: Api) -> None:
    label = await api.post("/labels", {"title": "vip", "show_on_sidebar": True})

    changed = await api.patch(f"/labels/{label.json['id']}", {"show_on_sidebar": " ", "color": "#000000"})

    assert (changed.json["show_on_sidebar"], changed.json["color"]) == (True, "#000000")


async def test_null_in_a_list_of_texts_is_none_of_them(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    fields = {"attribute_display_name": "Plano", "attribute_key": "plano"}

    one = await api.post("/custom_attribute_definitions", {**fields, "attribute_values": ["ouro", None]})
    none = await api.patch(f"/custom_attribute_definitions/{one.json['id']}", {"attribute_values": [None]})
    no_id = await api.patch("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [None]})

    assert (one.json["attribute_values"], none.json["attribute_values"]) == (["ouro"], [])
    assert (no_id.status, no_id.json) == (422, {"error": "user_ids[0] is invalid: Expected `int`, got `null`"})


async def test_a_list_of_known_words_may_be_sent_empty_by_a_form(api: Api) -> None:
    channel = {"type": "web_widget", "website_url": "https://loja.example"}
    inbox = (await api.post("/inboxes", {"name": "Site", "channel": channel})).json
    path = f"/inboxes/{inbox['id']}"

    emptied = await api.call("PATCH", path, files={"channel[selected_feature_flags][]": (None, "")})
    refused = await api.patch(path, {"channel": {"selected_feature_flags": ["fireworks"]}})

    assert inbox["selected_feature_flags"] != []
    assert (emptied.status, emptied.json["selected_feature_flags"]) == (200, [])
    assert refused.status == 422


async def test_unknown_keys_are_passed_over(api: Api) -> None:
    reply = await api.post("/labels", {"title": "vip", "size": "XL", "nested": {"deep": [1]}})

    assert reply.status == 200


@pytest.mark.parametrize(
    "number", [2**63, -(2**63), 10**30, str(2**70), "9" * 400, "²", "٣x", "+-5", "0x10", 1e30, 1.5, "1.5"]
)
async def test_what_is_no_number_we_can_keep_is_refused(api: Api, given: Given, number: object) -> None:
    inbox = await given.inbox()

    reply = await api.post("/inbox_members", {"inbox_id": inbox["id"], "user_ids": [number]})

    assert reply.status == 422
    assert list(reply.json) == ["error"]


@pytest.mark.parametrize("number", ["0", "-1", "x", "²", str(2**63), "9" * 5000, "1.0", "%20"])
async def test_an_id_that_cannot_be_one_is_not_found(api: Api, number: str) -> None:
    in_path = await api.get(f"/labels/{number}")
    as_account = await api.get(f"/api/v1/accounts/{number}/labels")

    assert (in_path.status, in_path.json) == (404, {"error": "Resource could not be found"})
    assert as_account.status == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"title": ["vip"]}, "title"),
        ({"title": {"text": "vip"}}, "title"),
        ({"title": "vip", "show_on_sidebar": "perhaps"}, "show_on_sidebar"),
        ({"title": "vip", "show_on_sidebar": [True]}, "show_on_sidebar"),
    ],
)
async def test_a_value_of_the_wrong_kind_is_named(api: Api, body: dict[str, Any], path: str) -> None:
    reply = await api.post("/labels", body)

    assert reply.status == 422
    assert reply.json["error"].startswith(f"{path} is invalid")


# --- cannot be read


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'title': 'vip'}",
        b'{"title": "vip"} trailing',
        b'{"title": "\xff"}',
        b'{"title": "a\\u0000b"}',
        b'{"a\\u0000b": 1}',
        b'{"title": "\\ud800"}',
        b'{"title": 1e999}',
        b"9" * 5000,
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 100_000,
    ],
    ids=range(12),
)
async def test_json_that_cannot_be_read_is_refused(api: Api, body: bytes) -> None:
    reply = await api.call("POST", "/labels", content=body, headers=JSON)

    assert is_bad_request(reply.status, reply.json)


async def test_json_that_is_called_a_form_is_json(api: Api) -> None:
    """`curl -d '{…}'` says that it sends a form."""
    reply = await api.call("POST", "/labels", content=b' {"title": "vip"}', headers=FORM)
    broken = await api.call("POST", "/labels", content=b'{"title": "vip', headers=FORM)

    assert (reply.status, reply.json["title"]) == (200, "vip")
    assert is_bad_request(broken.status, broken.json)


async def test_json_may_nest_sixty_four_deep_and_brackets_in_texts_do_not_count(api: Api) -> None:
    inner: Any = "[{" * 200
    for _ in range(MAXIMUM_DEPTH - 1):
        inner = {"a": inner}

    reply = await api.patch(PROFILE, {"ui_settings": inner})

    assert reply.status == 200
    assert reply.json["ui_settings"] == inner


@pytest.mark.parametrize(
    "body", [b"label[title]=%FF", b"label[title]=\xff", b"label[title]=%00", b"a" + b"[b]" * 65 + b"=1"]
)
async def test_a_form_that_cannot_be_read_is_refused(api: Api, body: bytes) -> None:
    reply = await api.call("POST", "/labels", content=body, headers=FORM)

    assert is_bad_request(reply.status, reply.json)


@pytest.mark.parametrize("query", ["title=%FF", "title=%00", "&".join(["a=1"] * 1001)])
async def test_a_query_that_cannot_be_read_is_refused(api: Api, query: str) -> None:
    reply = await api.get(f"/labels?{query}")

    assert is_bad_request(reply.status, reply.json)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no boundary in here"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nvip\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\x00\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n' * 1001 + b"--x--\r\n",
        ),
    ],
    ids=range(6),
)
async def test_a_multipart_body_that_cannot_be_read_is_refused(api: Api, kind: str, body: bytes) -> None:
    reply = await api.call("POST", "/labels", content=body, headers={"content-type": kind})

    assert is_bad_request(reply.status, reply.json)


async def test_a_compressed_body_is_not_read(api: Api) -> None:
    reply = await api.call("POST", "/labels", content=b"\x1f\x8b\x08\x00", headers={**JSON, "content-encoding": "gzip"})

    assert is_bad_request(reply.status, reply.json)


# --- too large


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Api) -> None:
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(1000):
            read.append(number)
            yield b" " * 65_536

    as_declared = await api.call(
        "POST", "/labels", content=b"{}", headers={**JSON, "content-length": str(MAXIMUM_BODY_BYTES + 1)}
    )
    absurd = await api.call("POST", "/labels", content=b"{}", headers={**JSON, "content-length": "9" * 5000})
    streamed = await api.call("POST", "/labels", content=body(), headers=JSON)

    assert as_declared.status == absurd.status == streamed.status == 413
    assert as_declared.json == {"error": "The request is too large"}
    assert len(read) < 1000


async def test_a_multipart_body_has_a_limit_of_its_own(given: Given) -> None:
    routes = Routes("/files", tag="Tests")

    @routes.post(actors=ANYONE, files=("picture",))
    async def keep(params: PictureParams) -> str:
        return type(params.picture).__name__

    async with opened(given.world, routes) as client:
        small = await client.post("/files", files={"picture": ("a.png", b"x" * 1000)})
        large = await client.post("/files", files={"picture": ("a.png", b"x" * 70_000)})

    assert (small.status_code, small.json()) == (200, "Upload")
    assert large.status_code == 413


class PictureParams(msgspec.Struct):
    """A file, and something that is none."""

    picture: Any = None
    title: Any = None


async def test_a_file_is_taken_only_where_one_is_asked_for(given: Given) -> None:
    routes = Routes("/files", tag="Tests")

    @routes.post(actors=ANYONE, files=("picture",))
    async def keep(params: PictureParams) -> list[str]:
        return [type(value).__name__ for value in (params.picture, params.title)]

    async with opened(given.world, routes) as client:
        reply = await client.post("/files", files={"picture": ("a.png", b"x"), "title": ("b.png", b"y")})

    assert reply.json() == ["Upload", "NoneType"]


async def test_a_body_that_is_a_file_is_read_as_it_is_and_never_past_what_is_taken(given: Given) -> None:
    routes = Routes("/raw", tag="Tests")

    @routes.put(actors=ANYONE, takes_content=True)
    async def keep(request: Request) -> str:
        return b"".join([chunk async for chunk in request.content(10)]).decode()

    async with opened(given.world, routes) as client:
        for kind in ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
            taken = await client.put("/raw", content=b'{"a": [', headers={"content-type": kind})
            assert (taken.status_code, taken.json()) == (200, '{"a": [')
        refused = await client.put("/raw", content=b"x" * 11)
        elsewhere = [await client.request(method, "/raw", content=b"x") for method in ("POST", "PATCH")]

    assert refused.status_code == 413
    assert [reply.status_code for reply in elsewhere] == [404] * 2


async def test_a_caller_who_hangs_up_changes_nothing(given: Given) -> None:
    path = f"/api/v1/accounts/{given.account_id}/labels"
    headers = [(b"content-type", b"application/json"), (b"api_access_token", given.boss.token.encode())]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, "client": None}
    parts = iter([{"type": "http.request", "body": b'{"title":', "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(parts)

    async def send(message: Any) -> None:
        sent.append(message)

    await given.world.parts.http(scope, receive, send)

    assert sent[0]["status"] == 400
    assert json.loads((await given.api.get("/labels")).body) == {"payload": []}
