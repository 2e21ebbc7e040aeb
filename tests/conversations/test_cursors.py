"""Lists followed by cursors to their end: each conversation once, whatever moves meanwhile."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from harness import Api, Given

from criachat.conversations.paging import PLACES
from criachat.conversations.queries.lists import SORTS


async def page(api: Api, **params: Any) -> Any:
    reply = await api.get("/conversations", params={"status": "all", **params})
    assert reply.status == 200, reply.body
    return reply.json["data"]


async def followed(api: Api, **params: Any) -> list[list[int]]:
    """The numbers on all pages, from the first to the last."""
    pages: list[list[int]] = []
    cursor: str | None = ""
    while cursor is not None:
        found = await page(api, cursor=cursor, **params)
        pages.append(ids(*found["payload"]))
        cursor = found["meta"]["next_cursor"]
    return pages


def ids(*conversations: Any) -> list[int]:
    return [each["id"] for each in conversations]


async def stage(given: Given) -> tuple[Any, list[Any]]:
    """Nine conversations of which some are urgent, some wait, and some are in another inbox."""
    app, shop = await given.inbox("App"), await given.inbox("Loja")
    made: list[Any] = []
    for number in range(9):
        status = ("open", "resolved", "pending")[number % 3]
        inbox = shop if number % 4 == 3 else app
        made.append(await given.conversation(inbox=inbox, status=status))
        if number % 2:
            priority = ("low", "urgent")[number % 4 // 2]
            await given.api.patch(f"/conversations/{made[-1]['id']}", {"priority": priority})
    for number in (7, 1, 4):
        await given.message(made[number], "Já respondido")
    for number in (2, 0):
        await given.message(made[number], "Uma nota", private=True)
    return app, made


@pytest.mark.parametrize("order", SORTS)
async def test_every_order_is_followed_to_its_end(api: Api, given: Given, order: str) -> None:
    await stage(given)
    whole = ids(*(await page(api, sort_by=order))["payload"])

    pages = await followed(api, sort_by=order, per_page=2)

    assert [number for numbers in pages for number in numbers] == whole
    assert [len(numbers) for numbers in pages] == [2, 2, 2, 2, 1]


def test_every_order_has_places() -> None:
    assert PLACES.keys() == SORTS.keys()


async def test_agents_follow_what_is_in_their_inboxes(api: Api, given: Given) -> None:
    app, _ = await stage(given)
    ana = api.acting_as(await given.agent("Ana", inbox=app))
    whole = ids(*(await page(ana))["payload"])

    pages = await followed(ana, per_page=3)

    assert [number for numbers in pages for number in numbers] == whole
    assert len(whole) == 7


async def test_what_moves_up_meanwhile_pushes_nothing_out_of_the_list(api: Api, given: Given) -> None:
    _, made = await stage(given)
    whole = ids(*(await page(api))["payload"])

    first = await page(api, per_page=3)
    last = [each for each in made if each["id"] == whole[-1]]
    await given.message(last[0], "Alô?", message_type="incoming")
    rest = await page(api, per_page=100, cursor=first["meta"]["next_cursor"])

    assert ids(*first["payload"], *rest["payload"]) == whole[:-1]
    assert rest["meta"]["next_cursor"] is None
    assert first["meta"]["all_count"] == rest["meta"]["all_count"] == 9


async def test_pages_by_number_are_as_long_as_was_asked_up_to_a_hundred(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    for _ in range(30):
        await given.conversation(inbox=inbox, contact=contact)

    sizes = [len((await page(api, per_page=each))["payload"]) for each in (7, 30, 1000, 0, -1, "x", "")]
    second = await page(api, per_page=20, page=2)

    assert sizes == [7, 30, 30, 25, 25, 25, 25]
    assert len(second["payload"]) == 10
    assert second["meta"]["next_cursor"] is None


async def test_who_knows_only_pages_is_told_of_no_cursor(api: Api, given: Given) -> None:
    await given.conversation()

    assert "next_cursor" not in (await page(api))["meta"]
    assert "next_cursor" not in (await api.get("/conversations/meta")).json["meta"]
    assert "next_cursor" not in (await api.post("/conversations/filter", {"payload": []})).json["meta"]


async def test_filters_and_searches_are_followed_too(api: Api, given: Given) -> None:
    inbox, contact = await given.inbox(), await given.contact()
    made = [await given.conversation(inbox=inbox, contact=contact, message={"content": "Olá"}) for _ in range(5)]
    is_open = {"attribute_key": "status", "filter_operator": "equal_to", "values": ["open"]}

    first = (await api.post("/conversations/filter", {"payload": [is_open], "per_page": 3})).json
    cursor = first["meta"]["next_cursor"]
    second = (await api.post("/conversations/filter", {"payload": [is_open], "per_page": 3, "cursor": cursor})).json
    hits = (await api.get("/conversations/search", params={"q": "olá", "per_page": 4})).json
    more = (await api.get("/conversations/search", params={"q": "olá", "cursor": hits["meta"]["next_cursor"]})).json

    assert ids(*first["payload"], *second["payload"]) == ids(*reversed(made))
    assert ids(*hits["payload"], *more["payload"]) == ids(*reversed(made))
    assert second["meta"]["next_cursor"] is more["meta"]["next_cursor"] is None


def cursor_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).rstrip(b"=").decode()


NOW = "2031-01-31T12:00:00+00:00"
NEWEST = "last_activity_at_desc"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "A" * 5000,
        "____",
        cursor_of(NEWEST),
        cursor_of(NEWEST, []),
        cursor_of(NEWEST, [NOW, "7"]),
        cursor_of(NEWEST, [NOW, 2**63]),
        cursor_of(NEWEST, [NOW, 2**80]),
        cursor_of(NEWEST, ["2031-01-31T12:00:00", 7]),
        cursor_of(NEWEST, [NOW, 7, 7]),
        cursor_of("created_at_desc", [NOW, 7]),
        cursor_of("by_colour", [NOW, 7]),
        cursor_of({"a": 1}, [NOW, 7]),
    ],
)
async def test_a_cursor_that_is_none_of_this_list_is_refused(api: Api, given: Given, cursor: str) -> None:
    reply = await api.get("/conversations", params={"cursor": cursor})

    assert (reply.status, reply.json) == (422, {"error": "The cursor is not one of this list"})


@pytest.mark.parametrize(
    ("order", "place"),
    [
        (NEWEST, ["0001-01-01T00:00:00+00:00", 0]),
        (NEWEST, ["9999-12-31T23:59:59+00:00", 2**63 - 1]),
        ("priority_desc", [-(2**31), NOW, 1]),
        ("priority_asc", [2**62, NOW, 1]),
        ("waiting_since_desc", ["P999999999D", NOW, 1]),
    ],
)
async def test_a_cursor_of_somewhere_else_is_a_place_or_refused(
    api: Api, given: Given, order: str, place: list[Any]
) -> None:
    await given.conversation()

    reply = await api.get("/conversations", params={"sort_by": order, "cursor": cursor_of(order, place)})

    assert reply.status in (200, 422)


async def test_a_page_behind_a_cursor_is_two_statements(api: Api, given: Given) -> None:
    await stage(given)
    first = await page(api, per_page=3)

    with given.queries(at_most=2):
        await page(api, per_page=3, cursor=first["meta"]["next_cursor"])
