from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given

from criachat.kit.tokens import random_token

PATH = "/api/v1/notification_subscriptions"
LIST_SUBSCRIPTIONS = "SELECT user_id FROM notification_subscriptions WHERE user_id = ANY($1::bigint[]) ORDER BY id"


def phone(**fields: Any) -> dict[str, Any]:
    attributes = {
        "device_id": f"phone-{random_token(8)}",
        "push_token": random_token(),
        "deviceName": "Moto G",
        **fields,
    }
    return {"subscription_type": "fcm", "subscription_attributes": attributes}


async def subscribers(given: Given, *user_ids: int) -> list[int]:
    async with given.world.parts.database.reading() as db:
        return await db.fetch_values(LIST_SUBSCRIPTIONS, list(user_ids))


async def test_a_phone_is_subscribed_and_removed_by_its_token(api: Api, given: Given) -> None:
    sent = phone(apiLevel=33, unknown="x")

    created = await api.post(PATH, {"notification_subscription": sent})
    removed = await api.delete(PATH, json={"push_token": sent["subscription_attributes"]["push_token"]})

    kept = {name: str(value) for name, value in sent["subscription_attributes"].items() if name != "unknown"}
    assert created.status == 200
    assert created.json == {
        "id": created.json["id"],
        "user_id": given.boss.id,
        "subscription_type": "fcm",
        "subscription_attributes": kept,
        "created_at": created.json["created_at"],
        "updated_at": created.json["updated_at"],
        "identifier": kept["device_id"],
    }
    assert (removed.status, removed.body) == (200, b"")
    assert await subscribers(given, given.boss.id) == []


async def test_a_browser_is_known_by_its_endpoint(api: Api) -> None:
    endpoint = f"https://push.example.com/{random_token()}"
    attributes = {"endpoint": endpoint, "p256dh": "key", "auth": "secret"}

    reply = await api.post(PATH, {"subscription_type": "browser_push", "subscription_attributes": attributes})

    assert (reply.status, reply.json["identifier"]) == (200, endpoint)


async def test_a_phone_belongs_to_who_signed_in_last(api: Api, given: Given) -> None:
    ana = await given.agent("Ana")
    sent = phone()

    first = await api.post(PATH, sent)
    second = await api.acting_as(ana).post(PATH, sent)
    await api.delete(PATH, json={"push_token": sent["subscription_attributes"]["push_token"]})

    assert first.json["id"] == second.json["id"]
    assert await subscribers(given, given.boss.id, ana.id) == [ana.id]


async def test_nobody_has_more_than_fifty(api: Api, given: Given) -> None:
    for _ in range(52):
        assert (await api.post(PATH, phone())).status == 200

    assert len(await subscribers(given, given.boss.id)) == 50


async def test_what_would_let_others_show_messages_is_not_in_the_database(api: Api, given: Given) -> None:
    sent = phone()
    await api.post(PATH, sent)

    async with given.world.parts.database.reading() as db:
        rows = await db.fetch_values("SELECT kept::text FROM notification_subscriptions AS kept")

    token = sent["subscription_attributes"]["push_token"]
    assert rows
    assert not any(token in row or token.encode().hex() in row for row in rows)


@pytest.mark.parametrize(
    ("sent", "attribute"),
    [
        ({"subscription_type": "pager"}, "subscription_type"),
        ({"subscription_type": ["fcm"]}, "subscription_type"),
        ({"subscription_type": "fcm"}, "subscription_attributes"),
        ({"subscription_type": "fcm", "subscription_attributes": "x"}, "subscription_attributes"),
        (phone(device_id=" "), "subscription_attributes"),
        (phone(device_id=["x"]), "subscription_attributes"),
        (phone(push_token="x" * 5_000), "subscription_attributes"),
        (
            {"subscription_type": "browser_push", "subscription_attributes": {"endpoint": "file:///etc/passwd"}},
            "subscription_attributes",
        ),
    ],
)
async def test_what_names_no_browser_or_phone_is_refused(
    api: Api, given: Given, sent: dict[str, Any], attribute: str
) -> None:
    reply = await api.post(PATH, sent)

    assert (reply.status, reply.json["attributes"]) == (422, [attribute])
    assert await subscribers(given, given.boss.id) == []


async def test_an_unknown_token_changes_nothing(api: Api, given: Given) -> None:
    await api.post(PATH, phone())

    for token in ("unknown", "", None):
        assert (await api.delete(PATH, json={"push_token": token})).status == 200
    assert len(await subscribers(given, given.boss.id)) == 1
