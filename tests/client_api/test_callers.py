"""How callers are counted, where their pages may be, and how their first request is safe to repeat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx
import pytest
from apps import CLIENT_API, contacts_path, open_app
from harness import BASE_URL, Api, Given

from criachat.contacts.events import ContactCreated
from criachat.kit import clock

PAGE = "https://shop.example.com"


@pytest.fixture
async def calling_from(given: Given) -> AsyncIterator[Callable[[str], httpx.AsyncClient]]:
    """A client somewhere on the internet, by its address."""
    async with AsyncExitStack() as stack:

        def calling_from(address: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=given.world.parts.http, client=(address, 4711))
            client = httpx.AsyncClient(transport=transport, base_url=BASE_URL)
            stack.push_async_callback(client.aclose)
            return client

        yield calling_from


def counted(answer: httpx.Response) -> tuple[str, int]:
    """As what a request was counted, and how many more are allowed."""
    name, remaining, _ = answer.headers["RateLimit"].split(";")
    return name.strip('"'), int(remaining.removeprefix("r="))


async def test_a_contact_is_counted_wherever_they_call_from(
    given: Given, calling_from: Callable[[str], httpx.AsyncClient]
) -> None:
    rosa = await open_app(given)
    mia = await open_app(given, rosa.inbox)
    home, cafe = calling_from("203.0.113.7"), calling_from("198.51.100.9")

    answers = [await client.get(app.path) for app, client in ((rosa, home), (rosa, cafe), (mia, cafe))]

    assert [counted(answer) for answer in answers] == [("contact", 599), ("contact", 598), ("contact", 599)]
    assert answers[0].headers["RateLimit-Policy"] == '"contact";q=600;w=60'


async def test_who_names_no_contact_is_counted_by_inbox_and_address(
    given: Given, calling_from: Callable[[str], httpx.AsyncClient]
) -> None:
    inbox, other = await given.inbox("Here"), await given.inbox("There")
    home, cafe = calling_from("203.0.113.7"), calling_from("198.51.100.9")

    answers = [
        await home.post(contacts_path(inbox)),
        await home.get(f"{CLIENT_API}/inboxes/{inbox['inbox_identifier']}"),
        await cafe.post(contacts_path(inbox)),
        await home.post(contacts_path(other)),
    ]

    assert [counted(answer) for answer in answers] == [
        ("inbox", 2999),
        ("inbox", 2998),
        ("inbox", 2999),
        ("inbox", 2999),
    ]


async def test_who_guesses_is_counted_by_address(
    given: Given, calling_from: Callable[[str], httpx.AsyncClient]
) -> None:
    inbox = await given.inbox()
    home = calling_from("203.0.113.77")

    answers = [
        await home.get(f"{contacts_path(inbox)}/guessed"),
        await home.get(f"{CLIENT_API}/inboxes/guessed"),
        await home.get(f"{CLIENT_API}/csat_survey/guessed"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert [counted(answer) for answer in answers] == [("address", 2999), ("address", 2998), ("address", 2997)]


async def test_a_page_of_any_origin_may_call(api: Api, given: Given) -> None:
    app = await open_app(given)
    paths = [app.path, f"{app.path}/conversations", f"{CLIENT_API}/csat_survey/x", f"{CLIENT_API}/inboxes/x"]
    asks = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type, idempotency-key, x-anything",
    }

    answers = [await api.acting_as(None).call("OPTIONS", path, headers=asks) for path in paths]
    called = [await api.acting_as(None).get(path, headers={"Origin": PAGE}) for path in paths]

    for answer in answers:
        assert answer.status in (200, 204)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Headers"] == "content-type, idempotency-key, x-anything"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert [reply.status for reply in called] == [200, 200, 404, 404]
    assert {reply.headers["Access-Control-Allow-Origin"] for reply in called} == {"*"}


async def test_a_session_that_is_begun_again_under_its_key_is_begun_once(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    key = {"Idempotency-Key": "0001-of-rosas-phone"}
    door = api.acting_as(None)

    first = await door.post(contacts_path(inbox), {"name": "Rosa Lind"}, headers=key)
    again = await door.post(contacts_path(inbox), {"name": "Rosa Lind"}, headers=key)
    somebody = await door.post(contacts_path(inbox), {"name": "Somebody"}, headers=key)

    assert (again.status, again.body) == (first.status, first.body) == (200, first.body)
    assert somebody.status == 422
    assert len(await given.emitted(ContactCreated)) == 1


async def test_a_key_that_can_be_guessed_gives_nobody_another_ones_session(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    reply = await api.acting_as(None).post(contacts_path(inbox), {}, headers={"Idempotency-Key": "1"})

    sentence = "An Idempotency-Key of somebody nobody knows yet has 16 characters or more"
    assert (reply.status, reply.json) == (422, {"error": sentence})
    assert await given.emitted(ContactCreated) == []


async def test_two_contacts_may_use_the_same_key(given: Given) -> None:
    rosa = await open_app(given)
    mia = await open_app(given, rosa.inbox)
    key = {"Idempotency-Key": "1"}

    replies = [await app.post("/conversations", headers=key) for app in (rosa, mia, rosa)]

    assert replies[0].json["contact"]["id"] != replies[1].json["contact"]["id"]
    assert replies[2].json == replies[0].json


async def test_a_suspended_account_takes_nothing_any_more_after_three_seconds(api: Api, given: Given) -> None:
    app = await open_app(given, await given.inbox(csat_survey_enabled=True))
    conversation = await app.conversation()
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE accounts SET status = 'suspended' WHERE id = $1", given.account_id)
    clock.travel(timedelta(seconds=3))
    door = api.acting_as(None)

    replies = [
        await door.get(f"{CLIENT_API}/inboxes/{app.inbox['inbox_identifier']}"),
        await door.post(contacts_path(app.inbox)),
        await app.get(),
        await app.post(f"/conversations/{conversation['id']}/messages", {"content": "Olá!"}),
        await door.get(f"{CLIENT_API}/csat_survey/{conversation['uuid']}"),
    ]

    assert [(reply.status, reply.json) for reply in replies] == [(401, {"error": "Account is suspended"})] * 5
