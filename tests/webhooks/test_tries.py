"""When a delivery is tried again, by a clock that does not wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from harness import Api, Given
from receivers import Receiver, Say, Told

from criachat.kit import clock
from criachat.webhooks.schedule import schedule_of

MINUTE, HOUR = 60, 3600
TAIL = [30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
ACCOUNT_WEBHOOK = [5, 5 * MINUTE, *TAIL]
API_INBOX = [2, 10, 30, 2 * MINUTE, 10 * MINUTE, *TAIL]


async def newest(api: Api) -> Any:
    return (await api.get("/deliveries?event=message_created&per_page=1")).json["deliveries"][0]


def wait_of(delivery: Any) -> float:
    """Seconds from now until the next try."""
    return (datetime.fromisoformat(delivery["next_try_at"]) - clock.now()).total_seconds()


async def waits_until_given_up(api: Api, given: Given) -> list[float]:
    """Have it tried as often as it is tried at all; the waits in between, in seconds."""
    waits: list[float] = []
    await given.delivered()
    while (delivery := await newest(api))["next_try_at"] is not None:
        waits.append(wait_of(delivery))
        clock.travel(timedelta(seconds=waits[-1] + 0.01))
        await given.delivered()
    return waits


def fits(waits: list[float], plan: list[int]) -> bool:
    """Whether each wait is the plan's, give or take a fifth and the moments of the test itself."""
    return len(waits) == len(plan) and all(
        0.8 * planned - 2 <= wait <= 1.2 * planned for wait, planned in zip(waits, plan, strict=True)
    )


async def test_a_webhook_that_fails_is_tried_ten_times_within_three_days(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.always_answers(503)
    await given.message(await given.conversation())

    waits = await waits_until_given_up(api, given)

    delivery = await newest(api)
    assert fits(waits, ACCOUNT_WEBHOOK), waits
    assert len(receiver.told) == delivery["tries"] == 10
    assert (delivery["status"], delivery["last_status"]) == ("exhausted", 503)


def test_tries_are_spread_so_that_what_failed_at_once_is_not_tried_at_once() -> None:
    plan = schedule_of("webhook:1", is_kept=True)

    waits = [plan.wait(2, is_impatient=False, asked=None) for _ in range(300)]

    shares = sorted(wait.total_seconds() / (5 * MINUTE) for wait in waits if wait is not None)
    assert len(set(shares)) > 290
    assert 0.8 <= shares[0] < 0.85
    assert 1.15 < shares[-1] <= 1.2


async def test_an_api_inbox_is_tried_more_often_in_the_beginning(api: Api, given: Given, receiver: Receiver) -> None:
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    conversation = await given.conversation(inbox=inbox)
    await given.delivered()
    receiver.always_answers(500)
    await given.message(conversation)

    waits = await waits_until_given_up(api, given)

    assert fits(waits, API_INBOX), waits
    assert (await newest(api))["tries"] == 13


async def test_a_try_that_succeeds_is_the_last(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(500, 500, 202)
    await given.message(await given.conversation())

    waits = await waits_until_given_up(api, given)

    assert fits(waits, ACCOUNT_WEBHOOK[:2]), waits
    assert ((await newest(api))["status"], len(receiver.told)) == ("delivered", 3)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_answer_of_success_is_one(api: Api, given: Given, receiver: Receiver, status: int) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(status)
    await given.message(await given.conversation())

    await given.delivered()

    delivery = await newest(api)
    assert (delivery["status"], delivery["last_status"], delivery["last_error"]) == ("delivered", status, None)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 409, 418, 500, 502, 599])
async def test_every_other_answer_is_tried_again(api: Api, given: Given, receiver: Receiver, status: int) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(Say(status=status, headers={"Location": f"{receiver.url}/elsewhere"}))
    await given.message(await given.conversation())

    await given.delivered()

    delivery = await newest(api)
    assert (delivery["status"], delivery["last_status"], delivery["tries"]) == ("pending", status, 1)
    assert [each.path for each in receiver.told] == ["/hook"]


async def test_a_receiver_that_is_told_too_much_is_left_alone_for_a_minute(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(429)
    await given.message(await given.conversation())

    await given.delivered()

    assert 58 < wait_of(await newest(api)) <= 60


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("120", 118, 120),
        ("in two hours", 2 * HOUR - 60, 2 * HOUR),
        ("999999999999", 24 * HOUR - 2, 24 * HOUR),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * HOUR - 2, 24 * HOUR),
        ("0", 0, 6),
        ("-5", 0, 6),
        ("soon", 0, 6),
        ("", 0, 6),
        ("١٢٠", 0, 6),
        ("two hours ago", 0, 6),
        ("Fri, 99 Foo 2026 99:99:99 GMT", 0, 6),
        ("Fri, 31 Dec 99999999999 23:59:59 GMT", 0, 6),
    ],
)
async def test_a_receiver_says_when_it_wants_to_be_asked_again(
    api: Api, given: Given, receiver: Receiver, asked: str, least: float, most: float
) -> None:
    moments = {"in two hours": timedelta(hours=2), "two hours ago": timedelta(hours=-2)}
    if asked in moments:
        asked = format_datetime(datetime.now(UTC) + moments[asked], usegmt=True)
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(Say(status=503, headers={"Retry-After": asked}))
    await given.message(await given.conversation())

    await given.delivered()

    assert least <= wait_of(await newest(api)) <= most


async def test_a_receiver_that_takes_too_long_is_left_alone_for_a_minute(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created", timeout_seconds=1)
    may_end = asyncio.Event()

    async def hang(_: Told) -> Say:
        await may_end.wait()
        return Say()

    receiver.behave = hang
    await given.message(await given.conversation())

    await given.delivered()
    may_end.set()

    delivery = await newest(api)
    (attempt,) = (await api.get(f"/deliveries/{delivery['id']}")).json["attempts"]
    assert 58 < wait_of(delivery) <= 60
    assert (attempt["status"], attempt["error"]) == (None, "No complete answer within 1 seconds")
    assert 900 <= attempt["duration_ms"] < 3000


async def test_a_receiver_that_is_not_there_is_tried_again(api: Api, given: Given, receiver: Receiver) -> None:
    async with Receiver().listening() as gone:
        await given.webhook(gone.url, "message_created")
    await given.message(await given.conversation())

    await given.delivered()

    delivery = await newest(api)
    (attempt,) = (await api.get(f"/deliveries/{delivery['id']}")).json["attempts"]
    assert (delivery["status"], delivery["last_status"]) == ("pending", None)
    assert delivery["last_error"] == attempt["error"] != ""
    assert (attempt["status"], attempt["body"], attempt["first_byte_ms"]) == (None, None, None)


async def test_what_nobody_keeps_is_tried_once(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url)
    receiver.always_answers(500)

    sample = await api.post(f"/webhooks/{webhook['id']}/test")
    await given.delivered()

    delivery = (await api.get(f"/deliveries/{sample.json['delivery_id']}")).json["delivery"]
    assert (delivery["status"], delivery["tries"], delivery["next_try_at"]) == ("exhausted", 1, None)


async def test_what_waits_for_a_webhook_goes_to_its_new_address(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(f"{receiver.url}/old", "message_created")
    receiver.will_answer(500)
    await given.message(await given.conversation())
    await given.delivered()

    await api.patch(f"/webhooks/{webhook['id']}", {"url": f"{receiver.url}/new"})
    clock.travel(timedelta(seconds=10))
    await given.delivered()

    assert [each.path for each in receiver.told] == ["/hook/old", "/hook/new"]


async def test_what_waits_for_a_webhook_that_is_removed_is_cancelled(
    api: Api, given: Given, receiver: Receiver
) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    receiver.will_answer(500)
    await given.message(await given.conversation())
    await given.delivered()

    await api.delete(f"/webhooks/{webhook['id']}")
    (at_once,) = (await api.get(f"/deliveries?webhook_id={webhook['id']}")).json["deliveries"]
    clock.travel(timedelta(seconds=10))
    await given.delivered()

    assert at_once["status"] == "cancelled"
    (delivery,) = (await api.get(f"/deliveries?webhook_id={webhook['id']}")).json["deliveries"]
    assert (delivery["status"], delivery["next_try_at"], len(receiver.told)) == ("cancelled", None, 1)


async def test_what_waits_for_an_api_inbox_is_cancelled_when_it_wants_to_be_told_no_more(
    api: Api, given: Given, receiver: Receiver
) -> None:
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    receiver.always_answers(500)
    await given.conversation(inbox=inbox)
    await given.delivered()

    await api.patch(f"/inboxes/{inbox['id']}", {"channel": {"webhook_url": ""}})
    clock.travel(timedelta(seconds=10))
    await given.delivered()

    (delivery,) = (await api.get(f"/deliveries?inbox_id={inbox['id']}")).json["deliveries"]
    assert (delivery["status"], len(receiver.told)) == ("cancelled", 1)
