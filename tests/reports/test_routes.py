from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from apps import open_app
from harness import Api, Given

from criachat.kit import clock
from criachat.kit.times import unix

REFUSED = {"error": "You are not authorized to do this action"}


@pytest.fixture
async def conversation(given: Given) -> Any:
    """A conversation that Beatriz answered and resolved, an hour each."""
    app = await open_app(given)
    conversation = await app.conversation()
    clock.travel(timedelta(hours=1))
    await given.message(conversation)
    clock.travel(timedelta(hours=1))
    await given.api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    await given.relayed()
    return {**conversation, "inbox_id": app.inbox["id"]}


async def names(api: Api, **params: Any) -> list[str]:
    reply = await api.get("/reporting_events", params=params)
    assert reply.status == 200, reply.body
    assert reply.json["meta"]["count"] == len(reply.json["payload"])
    return [each["name"] for each in reply.json["payload"]]


async def test_an_account_shows_the_newest_first(api: Api, given: Given, conversation: Any) -> None:
    reply = await api.get("/reporting_events")

    resolved, answered = reply.json["payload"]
    assert reply.json["meta"] == {"count": 2, "current_page": 1, "total_pages": 1}
    assert answered["value"] == pytest.approx(3600, abs=30)
    assert answered == {
        "id": answered["id"],
        "name": "first_response",
        "value": answered["value"],
        "value_in_business_hours": 0.0,
        "event_start_time": answered["event_start_time"],
        "event_end_time": answered["event_end_time"],
        "account_id": given.account_id,
        "inbox_id": conversation["inbox_id"],
        "user_id": given.boss.id,
        "conversation_id": resolved["conversation_id"],
        "created_at": answered["created_at"],
        "updated_at": answered["created_at"],
    }
    assert (resolved["name"], resolved["user_id"]) == ("conversation_resolved", None)


async def test_a_conversation_shows_the_oldest_first(api: Api, conversation: Any) -> None:
    reply = await api.get(f"/conversations/{conversation['id']}/reporting_events")

    assert reply.status == 200
    assert reply.json == (await api.get("/reporting_events")).json["payload"][::-1]


async def test_filters_narrow_it_down(api: Api, given: Given, conversation: Any) -> None:
    other = await given.conversation()
    await api.post(f"/conversations/{other['id']}/toggle_status", {"status": "resolved"})
    await given.relayed()

    assert await names(api) == ["conversation_resolved", "conversation_resolved", "first_response"]
    assert await names(api, inbox_id=conversation["inbox_id"]) == ["conversation_resolved", "first_response"]
    assert await names(api, user_id=given.boss.id) == ["first_response"]
    assert await names(api, name="first_response") == ["first_response"]
    assert await names(api, name="conversation_resolved", inbox_id=other["inbox_id"]) == ["conversation_resolved"]
    assert await names(api, user_id=given.boss.id, inbox_id=other["inbox_id"]) == []
    assert await names(api, name="happiness") == []
    assert await names(api, inbox_id="", user_id="", name="", since="", until="") == await names(api)


async def test_a_period_includes_its_beginning_and_leaves_out_its_end(api: Api, conversation: Any) -> None:
    now = unix(clock.now())

    assert await names(api, since=now - 1800) == ["conversation_resolved"]
    assert await names(api, until=str(now - 1800)) == ["first_response"]
    assert await names(api, since=now - 7200, until=now + 60) == ["conversation_resolved", "first_response"]
    assert await names(api, since=now + 60) == []
    assert await names(api, since=now, until=now - 7200) == []


async def test_pages_hold_twenty_five(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for _ in range(14):
        await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
        await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "open"})
    await given.relayed()

    first, second = [(await api.get("/reporting_events", params={"page": page})).json for page in ("1", 2)]

    assert first["meta"] == {"count": 28, "current_page": 1, "total_pages": 2}
    assert second["meta"] == {"count": 28, "current_page": 2, "total_pages": 2}
    ids = [each["id"] for each in first["payload"] + second["payload"]]
    assert (len(first["payload"]), len(second["payload"])) == (25, 3)
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize("page", ["-1", "0", "many", "9" * 30])
async def test_a_page_that_is_none_is_the_first(api: Api, conversation: Any, page: str) -> None:
    reply = await api.get("/reporting_events", params={"page": page})

    assert (reply.status, reply.json["meta"]["current_page"], len(reply.json["payload"])) == (200, 1, 2)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"since": "-5"}, "since and until must be unix seconds"),
        ({"until": "253402300800"}, "since and until must be unix seconds"),
        ({"since": "yesterday"}, "since is invalid: Expected `int | null`, got `str`"),
        ({"until": "9" * 40}, None),
        ({"inbox_id": "App"}, "inbox_id is invalid: Expected `int | null`, got `str`"),
        ({"user_id": "9" * 30}, None),
        ({"inbox_id[]": "1"}, None),
    ],
)
async def test_what_cannot_be_read_is_refused(api: Api, params: dict[str, str], sentence: str | None) -> None:
    reply = await api.get("/reporting_events", params=params)

    assert reply.status == 422, reply.body
    assert sentence is None or reply.json == {"error": sentence}


async def test_a_name_that_no_text_can_be_is_refused(api: Api) -> None:
    assert (await api.get("/reporting_events", params={"name": "a\0b"})).status == 400


async def test_a_name_of_any_length_is_only_unknown(api: Api, conversation: Any) -> None:
    assert await names(api, name="x" * 4000) == []


async def test_lists_take_few_statements(api: Api, given: Given, conversation: Any) -> None:
    with given.queries(at_most=4):
        await api.get("/reporting_events", params={"name": "first_response"})
    with given.queries(at_most=4):
        await api.get(f"/conversations/{conversation['id']}/reporting_events")


async def test_all_of_the_account_is_for_administrators(api: Api, given: Given, conversation: Any) -> None:
    ana = await given.agent("Ana")

    assert ((reply := await api.acting_as(ana).get("/reporting_events")).status, reply.json) == (401, REFUSED)
    for nobody in (await given.bot(), None):
        assert (await api.acting_as(nobody).get("/reporting_events")).status == 401


async def test_those_of_a_conversation_are_for_who_may_open_it(api: Api, given: Given, conversation: Any) -> None:
    path = f"/conversations/{conversation['id']}/reporting_events"
    ana = await given.agent("Ana", inbox={"id": conversation["inbox_id"]})
    davi = await given.agent("Davi")

    member, stranger = [await api.acting_as(each).get(path) for each in (ana, davi)]

    assert (member.status, len(member.json)) == (200, 2)
    assert (stranger.status, stranger.json) == (401, REFUSED)
    for nobody in (await given.bot(), None):
        assert (await api.acting_as(nobody).get(path)).status == 401


async def test_a_conversation_that_is_not_there_has_none(api: Api) -> None:
    assert (await api.get("/conversations/77/reporting_events")).status == 404
    assert (await api.get(f"/conversations/{'9' * 30}/reporting_events")).status == 404


async def test_another_account_is_not_seen(given: Given, conversation: Any) -> None:
    other = await given.another_account()

    assert await names(other.api) == []
    assert await names(other.api, inbox_id=conversation["inbox_id"]) == []
    assert (await other.api.get(f"/conversations/{conversation['id']}/reporting_events")).status == 404
