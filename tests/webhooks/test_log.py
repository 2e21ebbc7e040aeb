"""The delivery log: what was sent, sending it again, and webhooks that are given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from harness import Api, Given, World, build_world, open_folder
from receivers import Receiver, Say, Told

from criachat.kit import clock
from criachat.kit.partitions import drop_partitions
from criachat.webhooks.events import WebhookDisabled
from criachat.webhooks.models import EVENTS

GONE = {"error": "The payload of this delivery is not kept any more"}
# What no version of ours ever wrote, so that nothing can be told of it.
BREAK = "UPDATE conversations SET last_messages = '{}' WHERE account_id = $1 AND display_id = $2"


async def log(api: Api, query: str = "") -> list[Any]:
    reply = await api.get(f"/deliveries?{query}")
    assert reply.status == 200, reply.body
    return reply.json["deliveries"]


async def only(api: Api, query: str = "") -> Any:
    (delivery,) = await log(api, query)
    return delivery


async def given_up(given: Given) -> None:
    """Everything that fails was tried as often as it is tried at all."""
    await given.delivered()
    while waiting := await log(given.api, "status=pending&per_page=100"):
        due = [datetime.fromisoformat(each["next_try_at"]) for each in waiting if each["tries"]]
        clock.travel(min(due) - clock.now() + timedelta(milliseconds=10))
        await given.delivered()


async def test_a_delivery_is_shown_with_what_was_sent_and_every_try(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.will_answer(
        Say(status=503, headers={"X-Reason": "tired"}, body=b"Come back later"), Say(status=201, body=b'{"ok": true}')
    )
    message = await given.message(conversation)
    began = clock.now()
    await given.delivered()
    clock.travel(timedelta(seconds=7))
    await given.delivered()

    delivery = await only(api)
    shown = (await api.get(f"/deliveries/{delivery['id']}")).json

    assert shown["delivery"] == delivery
    assert delivery == {
        "id": receiver.told[0].headers["webhook-id"],
        "target": f"webhook:{webhook['id']}",
        "event": "message_created",
        "sequence": int(receiver.told[0].headers["X-CriaChat-Sequence"]),
        "status": "delivered",
        "tries": 2,
        "last_status": 201,
        "last_error": None,
        "conversation_id": conversation["id"],
        "message_id": message["id"],
        "contact_id": conversation["meta"]["sender"]["id"],
        "created_at": delivery["created_at"],
        "delivered_at": delivery["delivered_at"],
        "next_try_at": None,
    }
    assert shown["payload"] == receiver.told[0].json
    first, second = shown["attempts"]
    assert (first["number"], first["status"], first["body"], first["error"]) == (1, 503, "Come back later", None)
    assert ["X-Reason", "tired"] in first["headers"]
    assert (second["number"], second["status"], second["body"]) == (2, 201, '{"ok": true}')
    assert 0 <= first["first_byte_ms"] <= first["duration_ms"] < 5000
    assert datetime.fromisoformat(first["started_at"]) - began < timedelta(seconds=5)


async def test_what_fails_shows_when_it_is_tried_next(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(503)
    await given.message(await given.conversation())

    await given.delivered()

    delivery = await only(api)
    assert (delivery["status"], delivery["delivered_at"]) == ("pending", None)
    assert delivery["next_try_at"] > delivery["created_at"]


async def test_deliveries_are_found_by_what_they_were_about(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url, "message_created", "conversation_created")
    inbox = await given.inbox(channel={"webhook_url": f"{receiver.url}/inbox"})
    first, second = await given.conversation(inbox=inbox), await given.conversation()
    message = await given.message(first)
    await given.message(second)
    await given.delivered()

    async def found(query: str) -> list[tuple[str, str]]:
        return sorted((each["target"].split(":")[0], each["event"]) for each in await log(api, query))

    assert await found(f"message_id={message['id']}") == [
        ("api_inbox", "message_created"),
        ("webhook", "message_created"),
    ]
    assert await found(f"message_id={message['id']}&webhook_id={webhook['id']}") == [("webhook", "message_created")]
    assert await found(f"conversation_id={second['id']}") == [
        ("webhook", "conversation_created"),
        ("webhook", "message_created"),
    ]
    assert await found(f"webhook_id={webhook['id']}&event=conversation_created") == [
        ("webhook", "conversation_created"),
        ("webhook", "conversation_created"),
    ]
    assert {kind for kind, _ in await found(f"inbox_id={inbox['id']}")} == {"api_inbox"}
    assert await found("event=message_created&status=delivered") == await found("event=message_created")
    assert await found("status=exhausted") == []
    assert len(await found("")) == len(receiver.told)


async def test_the_log_is_read_page_by_page_newest_first(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    messages = [await given.message(conversation, str(number)) for number in range(5)]
    await given.delivered()

    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        page = (await api.get(f"/deliveries?per_page=2&cursor={cursor}")).json
        assert len(page["deliveries"]) <= 2
        seen += [each["message_id"] for each in page["deliveries"]]
        cursor = page["next_cursor"]

    assert sorted(seen) == [message["id"] for message in messages]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(("asked", "shown"), [("0", 1), ("-3", 1), ("2", 2), ("1000000", 3), ("", 3)])
async def test_a_page_has_between_one_and_a_hundred(
    api: Api, given: Given, receiver: Receiver, asked: str, shown: int
) -> None:
    webhook = await given.webhook(receiver.url)
    for _ in range(3):
        await api.post(f"/webhooks/{webhook['id']}/test")

    assert len(await log(api, f"per_page={asked}")) == shown


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=nonsense", 400),
        (f"cursor={'A' * 32}", 200),
        (f"cursor={'_' * 32}", 400),
        ("cursor=%C3%A9" + "A" * 31, 400),
        (f"cursor={'x' * 50_000}", 400),
        ("status=lost", 422),
        ("event=message_deleted", 200),
        ("conversation_id=999999999", 200),
        (f"message_id={2**70}", 422),
        ("webhook_id=x", 422),
        (f"inbox_id={2**63 - 1}", 200),
        ("per_page=x", 422),
    ],
)
async def test_what_cannot_be_looked_for_is_refused(api: Api, query: str, status: int) -> None:
    reply = await api.get(f"/deliveries?{query}")

    assert reply.status == status, reply.body
    if status == 200:
        assert reply.json == {"deliveries": [], "next_cursor": None}


@pytest.mark.parametrize(
    "delivery_id",
    ["x", "0", "1" * 200, str(uuid4()), "%00"],
    ids=["a letter", "a number", "a long number", "unknown", "no text"],
)
async def test_a_delivery_that_is_none_is_not_found(api: Api, delivery_id: str) -> None:
    shown = await api.get(f"/deliveries/{delivery_id}")
    replayed = await api.post(f"/deliveries/{delivery_id}/replay")

    assert shown.status == replayed.status == 404


async def test_the_log_is_one_statement_and_one_delivery_three(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    for number in range(4):
        await given.message(conversation, str(number))
    await given.delivered()

    for query in ("", f"conversation_id={conversation['id']}", "event=message_created"):
        with given.queries(at_most=1):
            found = await log(api, query)
        assert len(found) == 4
    with given.queries(at_most=3):
        await api.get(f"/deliveries/{found[0]['id']}")


async def test_the_health_of_a_webhook_is_that_of_its_last_day(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    path = f"/webhooks/{webhook['id']}/health"
    before = (await api.get(path)).json
    await given.message(conversation, "long ago")
    await given.delivered()
    clock.travel(timedelta(hours=25))
    receiver.will_answer(200, 200, 500)
    for number in range(3):
        await given.message(conversation, str(number))
    await given.delivered()

    health = (await api.get(path)).json

    assert before == {
        "delivered": 0,
        "exhausted": 0,
        "waiting": 0,
        "tries": 0,
        "success_rate": None,
        "p95_ms": None,
        "next_try_at": None,
    }
    waiting = await only(api, "status=pending")
    assert 0 <= health.pop("p95_ms") < 5000
    assert health == {
        "delivered": 2,
        "exhausted": 0,
        "waiting": 1,
        "tries": 3,
        "success_rate": 0.6667,
        "next_try_at": waiting["next_try_at"],
    }


async def test_an_api_inbox_has_a_health_too(api: Api, given: Given, receiver: Receiver) -> None:
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    await given.conversation(inbox=inbox)
    await given.delivered()

    health = (await api.get(f"/inboxes/{inbox['id']}/webhook/health")).json

    assert (health["delivered"], health["success_rate"]) == (1, 1.0)


async def test_a_delivery_is_sent_again_under_its_id(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    await given.message(await given.conversation())
    await given.delivered()
    delivery = await only(api)

    replayed = await api.post(f"/deliveries/{delivery['id']}/replay")
    await given.delivered()

    assert (replayed.status, replayed.json["status"], replayed.json["id"]) == (200, "pending", delivery["id"])
    first, second = receiver.told
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["id"]
    assert first.body == second.body
    again = await only(api)
    assert (again["status"], again["tries"]) == ("delivered", 2)


async def test_a_delivery_that_waits_is_sent_at_once(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.will_answer(Say(status=503, headers={"Retry-After": "7200"}))
    await given.message(await given.conversation())
    await given.delivered()

    await api.post(f"/deliveries/{(await only(api))['id']}/replay")
    await given.delivered()

    assert ((await only(api))["status"], len(receiver.told)) == ("delivered", 2)


async def test_a_replay_runs_through_the_whole_schedule_again(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    receiver.always_answers(500)
    await given.message(await given.conversation())
    await given_up(given)

    await api.post(f"/deliveries/{(await only(api))['id']}/replay")
    await given_up(given)

    delivery = await only(api)
    attempts = (await api.get(f"/deliveries/{delivery['id']}")).json["attempts"]
    assert (delivery["status"], delivery["tries"]) == ("exhausted", 20)
    assert [attempt["number"] for attempt in attempts] == list(range(1, 21))


async def test_all_that_failed_since_a_moment_is_sent_again(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.always_answers(500)
    await given.message(conversation, "too early")
    await given_up(given)
    # One success, or the webhook would be given up together with its deliveries.
    receiver.will_answer(200)
    await given.message(conversation, "taken")
    await given.delivered()
    clock.travel(timedelta(seconds=1))
    since = clock.now()
    failing = [(await given.message(conversation, str(number)))["id"] for number in range(2)]
    await given_up(given)
    receiver.always_answers(200)
    await given.message(conversation, "taken")
    await given.delivered()
    receiver.forget()

    replayed = await api.post(f"/webhooks/{webhook['id']}/replay", {"since": since.isoformat()})
    await given.delivered()

    assert replayed.json == {"replayed": 2}
    assert [body["id"] for body in receiver.events()] == failing


async def test_a_span_is_sent_again_by_event_also_what_was_delivered(
    api: Api, given: Given, receiver: Receiver
) -> None:
    webhook = await given.webhook(receiver.url, "message_created", "conversation_created")
    conversation = await given.conversation()
    marks = [clock.now()]
    for number in range(3):
        await given.message(conversation, str(number))
        await given.delivered()
        clock.travel(timedelta(seconds=2))
        marks.append(clock.now())
    await given.conversation()
    await given.delivered()
    receiver.forget()
    span = {"since": marks[1].isoformat(), "until": marks[3].isoformat(), "include_delivered": True}
    path = f"/webhooks/{webhook['id']}/replay"

    nothing = await api.post(path, {**span, "include_delivered": False})
    some = await api.post(path, {**span, "events": ["message_created"]})
    await given.delivered()

    assert (nothing.json, some.json) == ({"replayed": 0}, {"replayed": 2})
    assert [body["content"] for body in receiver.events()] == ["1", "2"]


async def test_what_an_api_inbox_missed_is_sent_again(api: Api, given: Given, receiver: Receiver) -> None:
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    receiver.always_answers(500)
    await given.conversation(inbox=inbox)
    await given_up(given)
    receiver.always_answers(200)
    receiver.forget()

    replayed = await api.post(f"/inboxes/{inbox['id']}/webhook/replay")
    await given.delivered()

    assert replayed.json == {"replayed": 1}
    assert [body["event"] for body in receiver.events()] == ["conversation_created"]


@pytest.mark.parametrize(
    ("asked", "attributes"),
    [
        ({"since": "yesterday"}, ["since", "until"]),
        ({"until": "2026-99-99"}, ["since", "until"]),
        ({"since": "9999-12-31T23:59:59-23:59"}, ["since", "until"]),
        ({"events": ["message_deleted"]}, ["event"]),
    ],
)
async def test_a_span_that_is_none_is_refused(
    api: Api, given: Given, receiver: Receiver, asked: dict[str, Any], attributes: list[str]
) -> None:
    webhook = await given.webhook(receiver.url)

    reply = await api.post(f"/webhooks/{webhook['id']}/replay", asked)

    assert (reply.status, reply.json["attributes"]) == (422, attributes)


async def test_another_webhook_of_the_account_is_sent_nothing_again(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(f"{receiver.url}/1", "message_created")
    await given.webhook(f"{receiver.url}/2", "message_created")
    await given.message(await given.conversation())
    await given.delivered()
    receiver.forget()

    await api.post(f"/webhooks/{webhook['id']}/replay", {"include_delivered": True})
    await given.delivered()

    assert [told.path for told in receiver.told] == ["/hook/1"]


@pytest.fixture
async def aging_world(world: World) -> AsyncIterator[World]:
    """A world whose days may be dropped."""
    url = world.parts.database.url
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE aging")
    with open_folder() as folder:
        async with build_world(urlsplit(url)._replace(path="/aging").geturl(), folder) as aging:
            yield aging
    await connection.execute("DROP DATABASE aging WITH (FORCE)")
    await connection.close()


async def test_payloads_are_kept_for_a_month_and_tries_for_three(aging_world: World, receiver: Receiver) -> None:
    parts = aging_world.parts
    given = await Given.in_new_account(aging_world)
    await given.webhook(receiver.url, "contact_created")
    await given.contact()
    await given.delivered()
    delivery = await only(given.api)
    path = f"/deliveries/{delivery['id']}"
    connection = await parts.database.connect()

    found: list[str] = []
    for days in (30, 2, 57, 3):
        clock.travel(timedelta(days=days))
        await drop_partitions(connection, parts.settings)
        shown = await given.api.get(path)
        if shown.status == 404:
            found.append("nothing")
            continue
        assert len(shown.json["attempts"]) == 1
        if shown.json["payload"] is not None:
            found.append("everything")
            continue
        found.append("tries")
        replayed = await given.api.post(f"{path}/replay")
        assert (replayed.status, replayed.json) == (410, GONE)
    await connection.close()

    assert found == ["everything", "tries", "tries", "nothing"]


async def failing_for(given: Given, conversation: Any, *, hours: int) -> None:
    """A message every six hours, and whatever is due."""
    for _ in range(hours // 6):
        await given.message(conversation)
        await given.delivered()
        clock.travel(timedelta(hours=6))


async def webhook_of(api: Api) -> Any:
    (webhook,) = (await api.get("/webhooks")).json["payload"]["webhooks"]
    return webhook


async def test_a_webhook_that_failed_for_five_days_is_told_nothing_any_more(
    api: Api, given: Given, receiver: Receiver
) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.always_answers(500)

    await failing_for(given, conversation, hours=120)
    before, tries = await webhook_of(api), len(receiver.told)
    await failing_for(given, conversation, hours=6)
    after = await webhook_of(api)
    receiver.forget()
    await failing_for(given, conversation, hours=24)

    assert tries >= 20
    assert (before["disabled_at"], before["disabled_reason"]) == (None, None)
    assert (after["disabled_at"] is not None, after["disabled_reason"]) == (True, "failing")
    assert receiver.told == []
    assert {each["status"] for each in await log(api, "per_page=100")} <= {"cancelled", "exhausted"}
    (event,) = await given.emitted(WebhookDisabled)
    assert (event.webhook_id, event.reason) == (webhook["id"], "failing")


async def test_a_webhook_that_succeeds_now_and_then_stays(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.always_answers(500)

    await failing_for(given, conversation, hours=96)
    receiver.will_answer(200)
    await failing_for(given, conversation, hours=96)

    assert (await webhook_of(api))["disabled_at"] is None


async def test_a_webhook_that_is_seldom_told_anything_is_not_given_up_early(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.always_answers(500)
    await given.message(conversation)
    await given_up(given)
    clock.travel(timedelta(days=3))

    await given.message(conversation)
    await given.delivered()

    assert len(receiver.told) == 11
    assert (await webhook_of(api))["disabled_at"] is None


async def test_a_receiver_that_is_gone_is_told_nothing_any_more(api: Api, given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.always_answers(410)

    await given.message(conversation)
    await given.delivered()
    await given.message(conversation)
    await given.delivered()

    assert len(receiver.told) == 1
    assert (await webhook_of(api))["disabled_reason"] == "gone"
    assert [each["status"] for each in await log(api)] == ["cancelled", "cancelled"]


async def test_samples_that_fail_say_nothing_about_a_webhook(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url)
    receiver.always_answers(410)

    await api.post(f"/webhooks/{webhook['id']}/test")
    await given.delivered()

    assert (await webhook_of(api)) == webhook


async def test_a_webhook_is_enabled_with_one_call_that_sends_what_it_missed(
    api: Api, given: Given, receiver: Receiver
) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.always_answers(410)
    messages = [(await given.message(conversation, "0"))["id"]]
    await given.delivered()
    messages += [(await given.message(conversation, str(number)))["id"] for number in range(1, 4)]
    await given.delivered()
    receiver.always_answers(200)
    receiver.forget()

    enabled = await api.post(f"/webhooks/{webhook['id']}/enable", {"replay": True})
    await given.delivered()

    assert enabled.json == {"payload": {"webhook": webhook, "replayed": 4}}
    assert [body["id"] for body in receiver.events()] == messages
    assert await webhook_of(api) == webhook


async def test_a_webhook_that_is_enabled_alone_is_told_of_what_comes(
    api: Api, given: Given, receiver: Receiver
) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    receiver.will_answer(410)
    await given.message(conversation, "missed")
    await given.delivered()
    receiver.forget()

    enabled = await api.post(f"/webhooks/{webhook['id']}/enable")
    again = await api.post(f"/webhooks/{webhook['id']}/enable")
    await given.message(conversation, "told")
    await given.delivered()

    assert enabled.json == again.json == {"payload": {"webhook": webhook, "replayed": 0}}
    assert [body["content"] for body in receiver.events()] == ["told"]


async def test_nothing_is_said_of_typing_to_a_webhook_that_is_disabled(
    api: Api, given: Given, receiver: Receiver, worker: None
) -> None:
    await given.webhook(f"{receiver.url}/1", "message_created", "conversation_typing_on")
    await given.webhook(f"{receiver.url}/2", "conversation_typing_on")
    conversation = await given.conversation()

    async def first_is_gone(told: Told) -> Say:
        return Say(status=410 if told.path == "/hook/1" else 200)

    receiver.behave = first_is_gone
    await given.message(conversation)
    await receiver.until(1)
    while (await api.get("/webhooks")).json["payload"]["webhooks"][0]["disabled_at"] is None:
        await given.relayed()

    await api.post(f"/conversations/{conversation['id']}/toggle_typing_status", {"typing_status": "on"})
    await receiver.until(2)

    assert [told.path for told in receiver.told] == ["/hook/1", "/hook/2"]


@pytest.mark.parametrize("event", EVENTS)
async def test_a_sample_of_every_event_is_signed_and_names_nothing_real(
    api: Api, given: Given, receiver: Receiver, event: str
) -> None:
    webhook = await given.webhook(receiver.url, "contact_created")

    await api.post(f"/webhooks/{webhook['id']}/test", {"event": event})
    await given.delivered()

    (told,) = receiver.told
    assert told.json["event"] == event
    assert told.headers["X-Chatwoot-Signature"].startswith("sha256=")
    assert told.headers["webhook-signature"].startswith("v1,")
    assert ids_in({key: value for key, value in told.json.items() if key != "working_hours"}) <= {0}


def ids_in(body: Any) -> set[int]:
    """Every id a payload names, the account's left out."""
    if isinstance(body, list):
        return {each for item in body for each in ids_in(item)}
    if not isinstance(body, dict):
        return set()
    own = {value for key, value in body.items() if key.split("_")[-1] == "id" and isinstance(value, int)}
    own -= {body.get("account_id")}
    return own.union(*(ids_in(value) for key, value in body.items() if key != "account"))


@pytest.mark.parametrize("event", ["message_deleted", "webhook_disabled", "", "x" * 200_000])
async def test_a_sample_of_something_else_is_refused(api: Api, given: Given, receiver: Receiver, event: str) -> None:
    webhook = await given.webhook(receiver.url)

    reply = await api.post(f"/webhooks/{webhook['id']}/test", {"event": event})

    assert (reply.status, reply.json["attributes"]) == (422, ["event"])
    assert reply.json["message"].startswith("Event must be one of conversation_status_changed, ")


async def test_a_webhook_that_is_disabled_can_be_tried_out(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    receiver.will_answer(410)
    await given.message(await given.conversation())
    await given.delivered()

    await api.post(f"/webhooks/{webhook['id']}/test", {"event": "contact_created"})
    await given.delivered()

    assert [body["event"] for body in receiver.events()] == ["message_created", "contact_created"]


async def test_a_typing_mark_that_cannot_be_told_silences_none_of_those_after_it(
    api: Api, given: Given, receiver: Receiver, worker: None
) -> None:
    await given.webhook(receiver.url, "conversation_typing_on")
    broken, whole = await given.conversation(), await given.conversation()
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(BREAK, given.account_id, broken["id"])

    for conversation in (broken, whole):
        await api.post(f"/conversations/{conversation['id']}/toggle_typing_status", {"typing_status": "on"})
    await receiver.until(1)

    assert [told.json["conversation"]["id"] for told in receiver.told] == [whole["id"]]
