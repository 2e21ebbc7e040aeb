"""What was measured, against the contract, key by key."""

from __future__ import annotations

from typing import Any

from apps import open_app
from harness import Api, Given
from shapes import iso, misfits, one_of

REPORTING_EVENT: dict[str, Any] = {
    "id": int,
    "name": one_of(
        "first_response",
        "reply_time",
        "conversation_resolved",
        "conversation_bot_resolved",
        "conversation_bot_handoff",
        "conversation_opened",
    ),
    "value": float,
    "value_in_business_hours": float,
    "event_start_time": iso,
    "event_end_time": iso,
    "account_id": int,
    "inbox_id": int,
    "user_id": one_of(int, None),
    "conversation_id": int,
    "created_at": iso,
    "updated_at": iso,
}
PAGE = {"payload": [REPORTING_EVENT], "meta": {"count": int, "current_page": int, "total_pages": int}}


async def test_reporting_events_are_a_bare_array_in_a_conversation_and_a_page_in_an_account(
    api: Api, given: Given
) -> None:
    conversation = await (await open_app(given)).conversation()
    await given.message(conversation)
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "resolved"})
    await api.post(f"/conversations/{conversation['id']}/toggle_status", {"status": "open"})
    await given.relayed()

    of_account = await api.get("/reporting_events")
    of_conversation = await api.get(f"/conversations/{conversation['id']}/reporting_events")

    assert (of_account.status, misfits(of_account.json, PAGE)) == (200, [])
    assert (of_conversation.status, misfits(of_conversation.json, [REPORTING_EVENT])) == (200, [])
    assert of_account.json["meta"]["count"] == len(of_conversation.json) == 3
    refused = await api.get("/reporting_events", params={"since": "soon"})
    assert (refused.status, misfits(refused.json, {"error": str})) == (422, [])


async def test_the_conversation_is_named_by_its_internal_id(api: Api, given: Given) -> None:
    conversation = await (await open_app(given)).conversation()
    await given.message(conversation)
    await given.relayed()

    events = (await api.get(f"/conversations/{conversation['id']}/reporting_events")).json

    message = (await api.get(f"/conversations/{conversation['id']}/messages")).json["payload"][0]
    assert message["conversation_id"] == conversation["id"] != events[0]["conversation_id"]
