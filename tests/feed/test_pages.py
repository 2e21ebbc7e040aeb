"""The feed, page by page: everything that happened, in order, from any place on."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from feeds import names, present, read_all
from harness import Api, Given

from criachat.kit import clock
from criachat.kit.cursors import cursor_text
from criachat.kit.events import Cursor


async def test_it_tells_everything_that_happened_in_the_order_of_the_commits(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await given.message(conversation, "Olá!")

    reply = await api.get("/events")

    assert names(reply) == [
        "account_created",
        "agent_added",
        "inbox_created",
        "account_cache_invalidated",
        "contact_created",
        "conversation_created",
        "message_created",
        "first_reply_created",
        "conversation_updated",
    ]
    assert reply.json["meta"]["has_more"] is False


async def test_the_cursor_of_an_answer_goes_on_where_it_ended(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    cursor = await present(given)
    for number in range(7):
        await given.message(conversation, f"Nr. {number}")

    pages = []
    for _ in range(5):
        reply = await api.get("/events", params={"after": cursor, "limit": 2, "event": "message_created"})
        cursor = reply.json["meta"]["cursor"]
        contents = [event["snapshot"]["message"]["content"] for event in reply.json["payload"]]
        pages.append((contents, reply.json["meta"]["has_more"]))

    assert [contents for contents, _ in pages] == [
        ["Nr. 0", "Nr. 1"],
        ["Nr. 2", "Nr. 3"],
        ["Nr. 4", "Nr. 5"],
        ["Nr. 6"],
        [],
    ]
    assert [has_more for _, has_more in pages[:3]] == [True, True, True]
    assert [has_more for _, has_more in pages[3:]] == [False, False]


async def test_the_cursor_of_an_event_goes_on_behind_it(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for number in range(3):
        await given.message(conversation, f"Nr. {number}")
    events = await read_all(api)

    for place, event in enumerate(events):
        reply = await api.get("/events", params={"after": event["cursor"]})

        assert reply.json["payload"] == events[place + 1 :]


async def test_pages_of_any_size_add_up_to_the_same(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    for number in range(4):
        await given.message(conversation, f"Nr. {number}")

    whole = await read_all(api)

    for limit in (1, 2, 3, 1000):
        assert await read_all(api, limit=limit) == whole


@pytest.mark.parametrize("chosen", ["message_created,contact_created", ["message_created", "contact_created"]])
async def test_events_can_be_chosen_by_name(api: Api, given: Given, chosen: Any) -> None:
    conversation = await given.conversation()
    await given.message(conversation)

    reply = await api.get("/events", params={"event[]" if isinstance(chosen, list) else "event": chosen})

    assert names(reply) == ["contact_created", "message_created"]


async def test_from_the_present_only_what_comes_is_told(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    now = await api.get("/events", params={"after": "now"})

    await given.message(conversation, "Olá!")
    later = await api.get("/events", params={"after": now.json["meta"]["cursor"]})

    assert now.json["payload"] == []
    assert names(later)[0] == "message_created"


async def test_a_page_costs_two_statements_and_a_first_page_two(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    cursor = await present(given)
    for number in range(30):
        await given.message(conversation, f"Nr. {number}")

    with given.queries(at_most=2):
        page = await api.get("/events", params={"after": cursor, "limit": 30})
    with given.queries(at_most=2):
        first = await api.get("/events", params={"limit": 30})

    assert len(page.json["payload"]) == len(first.json["payload"]) == 30


async def test_events_of_another_account_are_not_told(api: Api, given: Given) -> None:
    other = await given.another_account()
    await other.message(await other.conversation(), "canary")

    events = await read_all(api)

    assert {event["account_id"] for event in events} == {given.account_id}
    assert "canary" not in repr(events)


async def test_a_cursor_of_another_account_is_only_a_place(api: Api, given: Given) -> None:
    other = await given.another_account()
    await other.message(await other.conversation(), "canary")
    cursor = (await read_all(other.api))[-1]["cursor"]
    await given.message(await given.conversation(), "ours")

    events = await read_all(api, after=cursor)

    assert {event["account_id"] for event in events} == {given.account_id}


@pytest.mark.parametrize(
    ("query", "message", "attributes"),
    [
        ({"after": "nonsense"}, "After is no cursor of this feed", ["after"]),
        ({"after": "é"}, "After is no cursor of this feed", ["after"]),
        ({"after": "x" * 60_000}, "After is no cursor of this feed", ["after"]),
        ({"event": "message_created,message_lost"}, "Event message_lost does not exist", ["event"]),
    ],
)
async def test_what_cannot_be_followed_is_refused(
    api: Api, query: dict[str, str], message: str, attributes: list[str]
) -> None:
    reply = await api.get("/events", params=query)

    assert (reply.status, reply.json) == (422, {"message": message, "attributes": attributes})


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": str(2**70)},
        {"wait": "-1"},
        {"wait": "61"},
        {"wait": "soon"},
        {"wait": "nan"},
        {"wait": "inf"},
    ],
    ids=str,
)
async def test_numbers_out_of_range_are_refused(api: Api, query: dict[str, str]) -> None:
    reply = await api.get("/events", params=query)

    assert reply.status == 422
    assert set(reply.json) == {"error"}


async def test_a_nul_byte_is_refused(api: Api) -> None:
    reply = await api.get("/events?after=a%00b")

    assert reply.status == 400


@pytest.mark.parametrize(
    ("epoch", "xid", "event_id"),
    [(2**32 - 1, 1, 1), (1, 1, 2**64 - 1), (1, 2**64 - 1, 1), (0, 0, 0), (2**31 - 1, 1, 1), (0, 2**64 - 1, 5)],
)
async def test_a_cursor_somebody_made_up_is_refused_or_followed_but_never_breaks_anything(
    api: Api, epoch: int, xid: int, event_id: int
) -> None:
    place = struct.pack(">BIQQI", 1, epoch, xid, event_id, int(clock.unix()))
    text = base64.urlsafe_b64encode(place + struct.pack(">I", zlib.crc32(place))).rstrip(b"=").decode()

    reply = await api.get("/events", params={"after": text})

    assert reply.status in (410, 422)


async def test_a_cursor_that_is_too_old_is_gone(api: Api, given: Given) -> None:
    await given.conversation()
    cursor = (await read_all(api))[-1]["cursor"]
    clock.travel(timedelta(days=given.world.parts.settings.event_retention_days))

    reply = await api.get("/events", params={"after": cursor})

    assert reply.status == 410
    assert reply.json == {
        "error": "Events after this cursor are not kept any more; read what you need anew, then follow from `after=now`"
    }


async def test_a_cursor_is_good_for_three_days_at_least_whatever_is_kept(api: Api, given: Given) -> None:
    await given.conversation()
    cursor = (await read_all(api))[-1]["cursor"]
    clock.travel(timedelta(days=3))

    reply = await api.get("/events", params={"after": cursor})

    assert reply.status == 200


async def test_who_polls_a_quiet_account_never_gets_too_old(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    cursor = (await read_all(api))[-1]["cursor"]

    for _ in range(5):
        clock.travel(timedelta(days=20))
        reply = await api.get("/events", params={"after": cursor})
        assert names(reply) == []
        cursor = reply.json["meta"]["cursor"]
    await given.message(conversation, "after a long silence")
    reply = await api.get("/events", params={"after": cursor})

    assert names(reply)[0] == "message_created"


@pytest.mark.parametrize(("epoch", "xid"), [(1, 2**62), (7, 5)], ids=["ahead of the log", "of a later log"])
async def test_a_cursor_of_a_log_that_was_lost_is_gone(api: Api, epoch: int, xid: int) -> None:
    cursor = cursor_text(Cursor(epoch, xid, 5, datetime.now(UTC)))

    reply = await api.get("/events", params={"after": cursor})

    assert (reply.status, reply.json) == (
        410,
        {"error": "This cursor is of a log that was lost; read what you need anew, then follow from `after=now`"},
    )


async def test_strangers_contacts_and_platform_apps_are_kept_out(api: Api, given: Given) -> None:
    assert (await api.acting_as(None).get("/events")).status == 401
    assert (await api.in_account(given.account_id + 10_000).get("/events")).status == 404


async def test_the_feed_cannot_be_written(api: Api) -> None:
    assert (await api.post("/events", {})).status == 404
