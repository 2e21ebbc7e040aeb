"""Notifications against the contract, key by key; what sockets are told of them is in test_events."""

from __future__ import annotations

from happenings import notify_boss, set_stage
from harness import Api, Given
from pushes import NOTIFICATION
from receivers import Receiver
from shapes import iso, misfits, one_of

ROW = {
    "id": int,
    "account_id": int,
    "user_id": int,
    "notification_type": str,
    "primary_actor_type": "Conversation",
    "primary_actor_id": int,
    "secondary_actor_type": one_of("Message", "User", None),
    "secondary_actor_id": one_of(int, None),
    "read_at": one_of(iso, None),
    "created_at": iso,
    "updated_at": iso,
    "snoozed_until": one_of(iso, None),
    "last_activity_at": iso,
    "meta": dict,
}
FLAGS = {
    "id": int,
    "user_id": int,
    "account_id": int,
    "all_email_flags": [str],
    "selected_email_flags": [str],
    "all_push_flags": [str],
    "selected_push_flags": [str],
}


async def test_a_list_is_wrapped_twice_and_changes_answer_the_row(given: Given, api: Api, receiver: Receiver) -> None:
    notification = await notify_boss(await set_stage(given, receiver))
    path = f"/notifications/{notification['id']}"

    listed = await api.get("/notifications")
    page = await api.get("/notifications", params={"page": "1"})
    rows = [
        await api.patch(path),
        await api.put(path),
        await api.post(f"{path}/unread"),
        await api.post(f"{path}/snooze", {"snoozed_until": 2_000_000_000}),
    ]

    meta = {"unread_count": int, "count": int, "current_page": int}
    assert (listed.status, misfits(listed.json, {"data": {"meta": meta, "payload": [NOTIFICATION]}})) == (200, [])
    assert misfits(page.json["data"]["meta"], {**meta, "current_page": "1"}) == []
    assert listed.json["data"]["payload"]
    for row in rows:
        assert (row.status, misfits(row.json, ROW)) == (200, [])
    assert type((await api.get("/notifications/unread_count")).json) is int


async def test_answers_without_a_body_are_empty(given: Given, api: Api, receiver: Receiver) -> None:
    notification = await notify_boss(await set_stage(given, receiver))

    for reply in (
        await api.post("/notifications/read_all"),
        await api.delete(f"/notifications/{notification['id']}"),
        await api.post("/notifications/destroy_all", {"type": "all"}),
        await api.delete("/api/v1/notification_subscriptions", json={"push_token": "unknown"}),
    ):
        assert (reply.status, reply.body) == (200, b"")


async def test_flags_are_listed_beside_the_choice(api: Api) -> None:
    chosen = {"selected_email_flags": ["email_conversation_mention"], "selected_push_flags": []}

    shown = await api.get("/notification_settings")
    changed = await api.patch("/notification_settings", {"notification_settings": chosen})

    for reply in (shown, changed):
        assert (reply.status, misfits(reply.json, FLAGS)) == (200, [])
    assert chosen.items() <= changed.json.items()


async def test_a_subscription_shows_what_it_is_known_by(api: Api) -> None:
    sent = {"subscription_type": "fcm", "subscription_attributes": {"device_id": "moto-1", "push_token": "t"}}

    reply = await api.post("/api/v1/notification_subscriptions", {"notification_subscription": sent})

    shape = {
        "id": int,
        "user_id": int,
        "subscription_type": str,
        "subscription_attributes": {"device_id": str, "push_token": str},
        "created_at": iso,
        "updated_at": iso,
        "identifier": "moto-1",
    }
    assert (reply.status, misfits(reply.json, shape)) == (200, [])
