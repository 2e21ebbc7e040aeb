from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from harness import Api, Given, Reply
from receivers import Receiver

from criachat.kit import clock
from criachat.kit.tokens import random_token

NOT_FOUND = {"error": "Resource could not be found"}
TAKEN = {"message": "Url has already been taken", "attributes": ["url"]}
URL_INVALID = {"message": "Url is invalid", "attributes": ["url"]}
SUBSCRIPTIONS_INVALID = {"message": "Subscriptions Invalid events", "attributes": ["subscriptions"]}
DEFAULT = [
    "conversation_status_changed",
    "conversation_updated",
    "conversation_created",
    "contact_created",
    "contact_updated",
    "message_created",
    "message_updated",
    "webwidget_triggered",
]
URL = "https://crm.example.com/hook"


def webhook_of(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return reply.json["payload"]["webhook"]


async def test_a_webhook_is_created_listed_changed_and_removed(api: Api, given: Given) -> None:
    inbox = await given.inbox("App")

    created = webhook_of(
        await api.post(
            "/webhooks",
            {"webhook": {"url": URL, "name": "CRM", "inbox_id": inbox["id"], "subscriptions": ["message_created"]}},
        )
    )
    path = f"/webhooks/{created['id']}"
    changed = webhook_of(await api.patch(path, {"name": None, "subscriptions": ["contact_updated"]}))
    listed = await api.get("/webhooks")
    removed = await api.delete(path)

    assert created == {
        "id": created["id"],
        "name": "CRM",
        "url": URL,
        "account_id": given.account_id,
        "subscriptions": ["message_created"],
        "inbox": {"id": inbox["id"], "name": "App"},
        "secret": created["secret"],
        "secret_standard": created["secret_standard"],
        "previous_secret_until": None,
        "timeout_seconds": 5,
        "disabled_at": None,
        "disabled_reason": None,
    }
    assert changed == {**created, "name": None, "subscriptions": ["contact_updated"]}
    assert listed.json == {"payload": {"webhooks": [changed]}}
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get("/webhooks")).json == {"payload": {"webhooks": []}}
    assert (await api.delete(path)).status == 404


async def test_a_webhook_without_an_inbox_has_no_such_key(api: Api) -> None:
    created = webhook_of(await api.post("/webhooks", {"url": URL}))

    assert "inbox" not in created
    assert (created["name"], created["subscriptions"]) == (None, DEFAULT)


async def test_the_inbox_of_a_webhook_can_be_taken_away(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    created = await given.webhook(URL, inbox_id=inbox["id"])

    changed = webhook_of(await api.patch(f"/webhooks/{created['id']}", {"inbox_id": None}))

    assert "inbox" not in changed


@pytest.mark.parametrize("method", ["patch", "put"])
async def test_what_is_not_sent_stays_as_it_was(api: Api, given: Given, method: str) -> None:
    created = await given.webhook(URL, "message_created", name="CRM", timeout_seconds=9)

    changed = webhook_of(await getattr(api, method)(f"/webhooks/{created['id']}", {"url": f"{URL}/2"}))

    assert changed == {**created, "url": f"{URL}/2"}


async def test_every_webhook_has_a_secret_of_its_own_that_nobody_chooses(api: Api, given: Given) -> None:
    first = webhook_of(await api.post("/webhooks", {"url": URL, "secret": "mine"}))
    second = await given.webhook(f"{URL}/2")
    changed = webhook_of(await api.patch(f"/webhooks/{first['id']}", {"secret": "mine", "name": "CRM"}))

    assert len(first["secret"]) == len(second["secret"]) == 32
    assert first["secret"] != second["secret"]
    assert changed["secret"] == first["secret"]
    assert first["secret_standard"].startswith("whsec_")


@pytest.mark.parametrize("letter", ["x", "é"])
async def test_an_address_no_index_could_hold_is_refused(api: Api, given: Given, letter: str) -> None:
    longest = "https://crm.example.com/" + random_token(2048 - 24)
    hook = await given.webhook(longest, "message_created")

    created = await api.post("/webhooks", {"url": f"https://crm.example.com/{letter}{random_token(6000)}"})
    changed = await api.patch(f"/webhooks/{hook['id']}", {"url": f"{longest}{letter}"})

    refusal = {"message": "Url is too long (maximum is 2048 bytes)", "attributes": ["url"]}
    assert (created.status, created.json) == (changed.status, changed.json) == (422, refusal)
    assert hook["url"] == longest


@pytest.mark.parametrize("none", [{}, {"subscriptions": None}])
async def test_without_subscriptions_the_usual_events_are_told(api: Api, none: dict[str, Any]) -> None:
    created = webhook_of(await api.post("/webhooks", {"url": URL, **none}))

    assert created["subscriptions"] == DEFAULT


@pytest.mark.parametrize(
    "subscriptions",
    [[], ["message_deleted"], ["message_created", "nonsense"], ["message_created", 7], "message_created", {}, [[]], 5],
)
async def test_subscriptions_that_are_none_are_refused(api: Api, given: Given, subscriptions: Any) -> None:
    webhook = await given.webhook(f"{URL}/2")

    created = await api.post("/webhooks", {"url": URL, "subscriptions": subscriptions})
    changed = await api.patch(f"/webhooks/{webhook['id']}", {"subscriptions": subscriptions})

    assert (created.status, created.json) == (changed.status, changed.json) == (422, SUBSCRIPTIONS_INVALID)
    assert (await api.get("/webhooks")).json["payload"]["webhooks"] == [webhook]


@pytest.mark.parametrize(
    "url", ["", "  ", None, "nonsense", "ftp://crm.example.com", "javascript:alert(1)", "http://", "https://a b.com/"]
)
async def test_an_address_that_cannot_be_asked_is_refused(api: Api, given: Given, url: Any) -> None:
    webhook = await given.webhook(f"{URL}/2")

    created = await api.post("/webhooks", {"url": url, "name": "CRM"})
    changed = await api.patch(f"/webhooks/{webhook['id']}", {"url": url})

    assert (created.status, created.json) == (changed.status, changed.json) == (422, URL_INVALID)


async def test_a_webhook_needs_an_address(api: Api) -> None:
    without = await api.post("/webhooks", {"name": "CRM"})
    empty = await api.post("/webhooks", {})

    assert (without.status, without.json) == (422, URL_INVALID)
    assert (empty.status, empty.json) == (422, {"error": "param is missing or the value is empty: webhook"})


async def test_a_form_has_to_be_wrapped(api: Api) -> None:
    flat = await api.post("/webhooks", data={"url": URL})
    wrapped = await api.post(
        "/webhooks", data={"webhook[url]": URL, "webhook[subscriptions][]": ["message_created", "contact_created"]}
    )

    assert (flat.status, flat.json) == (422, {"error": "param is missing or the value is empty: webhook"})
    assert webhook_of(wrapped)["subscriptions"] == ["message_created", "contact_created"]


async def test_an_address_is_taken_once_in_an_account(api: Api, given: Given) -> None:
    others = await given.another_account()
    first = await given.webhook(URL)
    second = await given.webhook(f"{URL}/2")

    created = await api.post("/webhooks", {"url": URL})
    changed = await api.patch(f"/webhooks/{second['id']}", {"url": URL})
    kept = await api.patch(f"/webhooks/{first['id']}", {"url": URL})

    assert (created.status, created.json) == (changed.status, changed.json) == (422, TAKEN)
    assert webhook_of(kept) == first
    assert (await others.webhook(URL))["url"] == URL


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "x" * 256, "Name is too long (maximum is 255 characters)"),
        ("name", "x" * 200_000, "Name is too long (maximum is 255 characters)"),
        ("timeout_seconds", 0, "Timeout seconds must be between 1 and 30"),
        ("timeout_seconds", 31, "Timeout seconds must be between 1 and 30"),
        ("timeout_seconds", None, "Timeout seconds must be between 1 and 30"),
        ("url", "https://crm.example.com/" + "x" * 200_000, "Url is invalid"),
    ],
)
async def test_what_is_out_of_bounds_is_refused_and_changes_nothing(
    api: Api, given: Given, field: str, value: Any, sentence: str
) -> None:
    webhook = await given.webhook(URL)

    created = await api.post("/webhooks", {"url": f"{URL}/2", field: value})
    changed = await api.patch(f"/webhooks/{webhook['id']}", {field: value})

    refusal = {"message": sentence, "attributes": [field]}
    assert (created.status, created.json) == (changed.status, changed.json) == (422, refusal)
    assert (await api.get("/webhooks")).json["payload"]["webhooks"] == [webhook]


@pytest.mark.parametrize("inbox_id", [0, 2**62, 2**70, -1, "x", [1], {}])
async def test_an_inbox_that_is_none_is_refused(api: Api, inbox_id: Any) -> None:
    reply = await api.post("/webhooks", {"url": URL, "inbox_id": inbox_id})

    assert reply.status in (404, 422)
    assert (await api.get("/webhooks")).json["payload"]["webhooks"] == []


async def test_an_inbox_of_another_account_is_none(api: Api, given: Given) -> None:
    theirs = await (await given.another_account()).inbox()

    reply = await api.post("/webhooks", {"url": URL, "inbox_id": theirs["id"]})

    assert (reply.status, reply.json) == (404, NOT_FOUND)


@pytest.mark.parametrize("body", [b'{"url": "http://a\\u0000b.com"}', b'{"url": ' + b"[" * 100 + b"]" * 100 + b"}"])
async def test_what_cannot_be_stored_is_refused(api: Api, body: bytes) -> None:
    reply = await api.post("/webhooks", content=body, headers={"content-type": "application/json"})

    assert reply.status == 400


def doors(webhook: dict[str, Any], inbox: dict[str, Any], delivery_id: str) -> list[tuple[str, str, Any]]:
    """Every endpoint of the slice, with something it could be sent."""
    path, inbox_path = f"/webhooks/{webhook['id']}", f"/inboxes/{inbox['id']}/webhook"
    return [
        ("GET", "/webhooks", None),
        ("POST", "/webhooks", {"url": f"{URL}/3"}),
        ("PATCH", path, {"name": "Theirs"}),
        ("PUT", path, {"name": "Theirs"}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate_secret", {}),
        ("DELETE", f"{path}/previous_secret", None),
        ("POST", f"{path}/enable", {}),
        ("POST", f"{path}/test", {}),
        ("GET", f"{path}/health", None),
        ("POST", f"{path}/replay", {}),
        ("GET", f"{inbox_path}/health", None),
        ("POST", f"{inbox_path}/replay", {}),
        ("GET", "/deliveries", None),
        ("GET", f"/deliveries/{delivery_id}", None),
        ("POST", f"/deliveries/{delivery_id}/replay", {}),
    ]


async def a_delivery(given: Given, receiver: Receiver) -> tuple[dict[str, Any], str]:
    webhook = await given.webhook(receiver.url)
    sample = await given.api.post(f"/webhooks/{webhook['id']}/test")
    await given.delivered()
    return webhook, sample.json["delivery_id"]


async def test_nobody_but_administrators_comes_in(api: Api, given: Given, receiver: Receiver) -> None:
    webhook, delivery_id = await a_delivery(given, receiver)
    agent = api.acting_as(await given.agent("Ana"))
    bot = api.acting_as(await given.bot())
    nobody = api.acting_as(None)

    for method, path, body in doors(webhook, await given.inbox(), delivery_id):
        replies = [await caller.call(method, path, json=body) for caller in (agent, bot, nobody)]

        assert [reply.status for reply in replies] == [401] * 3, path
        assert replies[0].json == {"error": "You are not authorized to do this action"}
        assert replies[1].json == {"error": "Access to this endpoint is not authorized for bots"}
    assert (await api.get("/webhooks")).json["payload"]["webhooks"] == [webhook]


async def test_what_belongs_to_another_account_does_not_exist(api: Api, given: Given, receiver: Receiver) -> None:
    others = await given.another_account()
    webhook, delivery_id = await a_delivery(others, receiver)
    receiver.forget()

    for method, path, body in doors(webhook, await others.inbox(), delivery_id):
        if path not in ("/webhooks", "/deliveries"):
            reply = await api.call(method, path, json=body)
            assert (reply.status, reply.json) == (404, NOT_FOUND), path
    listed = [
        (await api.get("/webhooks")).json["payload"]["webhooks"],
        (await api.get("/deliveries")).json["deliveries"],
        (await api.get(f"/deliveries?webhook_id={webhook['id']}")).json["deliveries"],
    ]
    await others.delivered()

    assert listed == [[], [], []]
    assert receiver.told == []
    assert (await others.api.get("/webhooks")).json["payload"]["webhooks"] == [webhook]


async def test_the_list_of_webhooks_is_one_statement(api: Api, given: Given) -> None:
    for number in range(3):
        await given.webhook(f"{URL}/{number}")

    with given.queries(at_most=1):
        listed = await api.get("/webhooks")

    assert [each["url"][-1] for each in listed.json["payload"]["webhooks"]] == ["0", "1", "2"]


async def test_a_secret_is_replaced_and_the_one_before_ends_when_it_was_said_to(api: Api, given: Given) -> None:
    webhook = await given.webhook(URL)
    path = f"/webhooks/{webhook['id']}"

    at = clock.now()
    rotated = webhook_of(await api.post(f"{path}/rotate_secret", {"overlap_hours": 48}))
    revoked = webhook_of(await api.delete(f"{path}/previous_secret"))
    at_once = webhook_of(await api.post(f"{path}/rotate_secret", {"overlap_hours": "0"}))

    assert rotated["previous_secret_until"][:16] == f"{at + timedelta(hours=48):%Y-%m-%dT%H:%M}"
    assert rotated["secret"] == revoked["secret"] != webhook["secret"]
    assert revoked["previous_secret_until"] is None
    assert at_once["secret"] not in (webhook["secret"], rotated["secret"])
    assert at_once["previous_secret_until"] is None


@pytest.mark.parametrize("hours", [-1, 169, 2**62])
async def test_an_overlap_is_a_week_at_most(api: Api, given: Given, hours: int) -> None:
    webhook = await given.webhook(URL)

    reply = await api.post(f"/webhooks/{webhook['id']}/rotate_secret", {"overlap_hours": hours})

    assert (reply.status, reply.json) == (
        422,
        {"message": "Overlap hours must be between 0 and 168", "attributes": ["overlap_hours"]},
    )
    assert (await api.get("/webhooks")).json["payload"]["webhooks"] == [webhook]
