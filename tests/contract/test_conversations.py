"""Conversations of the Application API, key by key as their contract says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from harness import Api, Given, Reply
from pushes import CONTACT as CONTACT_SENDER
from pushes import PRESENT_USER as USER_SENDER
from shapes import misfits, one_of

text_or_null = one_of(str, None)
number_or_null = one_of(int, None)
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

AGENT: dict[str, Any] = {
    "id": int,
    "account_id": int,
    "availability_status": one_of("online", "busy", "offline"),
    "auto_offline": bool,
    "confirmed": bool,
    "email": str,
    "provider": str,
    "available_name": str,
    "custom_attributes?": dict,
    "name": str,
    "role": one_of("agent", "administrator"),
    "thumbnail": str,
    "custom_role_id": one_of(int, None),
}
BOT_SLIM: dict[str, Any] = {
    "id": int,
    "name": str,
    "description": text_or_null,
    "thumbnail": str,
    "outgoing_url?": text_or_null,
    "bot_type": "webhook",
}
TEAM_CARD: dict[str, Any] = {
    "id": int,
    "name": str,
    "description": text_or_null,
    "allow_auto_assign": bool,
    "account_id": int,
    "is_member": bool,
}
RAW_TEAM: dict[str, Any] = {
    "id": int,
    "name": str,
    "description": text_or_null,
    "allow_auto_assign": bool,
    "account_id": int,
    "created_at": str,
    "updated_at": str,
}
CONTACT_FULL: dict[str, Any] = {
    "additional_attributes": dict,
    "availability_status": one_of("online", "offline"),
    "email": text_or_null,
    "id": int,
    "name": str,
    "phone_number": text_or_null,
    "blocked": bool,
    "identifier": text_or_null,
    "thumbnail": str,
    "custom_attributes": dict,
    "last_activity_at?": int,
    "created_at": int,
}
MESSAGE_EVENT: dict[str, Any] = {
    "id": int,
    "content": text_or_null,
    "account_id": int,
    "inbox_id": int,
    "conversation_id": int,
    "message_type": int,
    "created_at": int,
    "updated_at": str,
    "private": bool,
    "status": str,
    "source_id": text_or_null,
    "content_type": str,
    "content_attributes": dict,
    "sender_type": text_or_null,
    "sender_id": number_or_null,
    "external_source_ids": dict,
    "additional_attributes": dict,
    "processed_message_content": text_or_null,
    "sentiment": dict,
    "conversation": {
        "assignee_id": number_or_null,
        "unread_count": int,
        "last_activity_at": int,
        "contact_inbox": {"source_id": str},
    },
    "sender?": one_of(USER_SENDER, CONTACT_SENDER),
}
CONVERSATION: dict[str, Any] = {
    "meta": {
        "sender": CONTACT_FULL,
        "channel": "Channel::Api",
        "assignee?": one_of(AGENT, BOT_SLIM),
        "assignee_type?": one_of("User", "AgentBot"),
        "team?": TEAM_CARD,
        "hmac_verified": one_of(bool, None),
    },
    "id": int,
    "messages": [MESSAGE_EVENT],
    "account_id": int,
    "uuid": str,
    "additional_attributes": dict,
    "agent_last_seen_at": int,
    "assignee_last_seen_at": int,
    "can_reply": bool,
    "contact_last_seen_at": int,
    "custom_attributes": dict,
    "inbox_id": int,
    "labels": [str],
    "muted": bool,
    "snoozed_until": text_or_null,
    "status": one_of("open", "resolved", "pending", "snoozed"),
    "created_at": int,
    "updated_at": float,
    "timestamp": int,
    "first_reply_created_at": int,
    "unread_count": int,
    "last_non_activity_message": one_of(MESSAGE_EVENT, None),
    "last_activity_at": int,
    "priority": one_of("low", "medium", "high", "urgent", None),
    "waiting_since": int,
    "sla_policy_id": number_or_null,
}
LIST_META: dict[str, Any] = {"mine_count": int, "assigned_count": int, "unassigned_count": int, "all_count": int}
FOUND_META: dict[str, Any] = {"mine_count": int, "unassigned_count": int, "all_count": int}
STATUS: dict[str, Any] = {
    "payload": {
        "success": one_of(bool, None),
        "conversation_id": int,
        "current_status": str,
        "snoozed_until": text_or_null,
    }
}


def fits(reply: Reply, shape: Any) -> Any:
    """The body of a 200 that has just the contract's keys and kinds of values."""
    assert reply.status == 200, reply.body
    assert misfits(reply.json, shape) == []
    return reply.json


@pytest.fixture
async def full(api: Api, given: Given) -> Any:
    """A conversation with everything that it can show."""
    ana, team = await given.agent("Ana"), await given.team()
    conversation = await given.conversation(
        assignee_id=ana.id, team_id=team["id"], custom_attributes={"order": "A-99"}, message={"content": "Olá!"}
    )
    await given.message(conversation, "Oi", message_type="incoming")
    path = f"/conversations/{conversation['id']}"
    assert (await api.post(f"{path}/labels", {"labels": ["vip"]})).status == 200
    assert (await api.patch(path, {"priority": "high"})).status == 200
    return conversation


async def test_a_conversation_opened_shown_changed_and_seen(api: Api, given: Given, full: Any) -> None:
    path = f"/conversations/{full['id']}"

    fits(await api.get(path), CONVERSATION)
    fits(await api.patch(path, {"priority": "low"}), CONVERSATION)
    fits(await api.put(path, {"priority": None}), CONVERSATION)
    fits(await api.post(f"{path}/update_last_seen"), CONVERSATION)
    fits(await api.post(f"{path}/unread"), CONVERSATION)
    body = {"inbox_id": full["inbox_id"], "contact_id": full["meta"]["sender"]["id"]}
    opened = fits(await api.post("/conversations", body), CONVERSATION)
    assert not {"assignee", "assignee_type", "team"} & set(opened["meta"])


async def test_lists_are_wrapped_each_in_its_own_way(api: Api, given: Given, full: Any) -> None:
    fits(await api.get("/conversations"), {"data": {"meta": LIST_META, "payload": [CONVERSATION]}})
    fits(await api.get("/conversations/meta"), {"meta": LIST_META})
    of_contact = await api.get(f"/contacts/{full['meta']['sender']['id']}/conversations")
    assert len(fits(of_contact, {"payload": [CONVERSATION]})["payload"]) == 1


async def test_filters_and_searches_have_no_data_around_them_and_a_number_less(
    api: Api, given: Given, full: Any
) -> None:
    condition = {"attribute_key": "status", "filter_operator": "equal_to", "values": ["open"], "query_operator": None}
    hit = {
        "id": int,
        "uuid": str,
        "created_at": int,
        "contact": {"id": int, "name": str},
        "inbox": {"id": int, "name": str, "channel_type": "Channel::Api"},
        "messages": [{"content": str, "id": int, "sender_name?": str, "message_type": int, "created_at": int}],
        "account_id": int,
    }

    filtered = fits(
        await api.post("/conversations/filter", {"payload": [condition]}),
        {"meta": FOUND_META, "payload": [CONVERSATION]},
    )
    found = fits(await api.get("/conversations/search?q=oi"), {"meta": FOUND_META, "payload": [hit]})

    assert len(filtered["payload"]) == len(found["payload"]) == len(found["payload"][0]["messages"]) == 1
    refused = await api.post("/conversations/filter", {"payload": [{**condition, "values": []}]})
    assert refused.status == 422
    assert misfits(refused.json, {"error": str}) == []


async def test_statuses(api: Api, given: Given, full: Any) -> None:
    path = f"/conversations/{full['id']}/toggle_status"

    snoozed = fits(await api.post(path, {"status": "snoozed", "snoozed_until": 1_900_000_000}), STATUS)
    fits(await api.post(path, {}), STATUS)

    assert ISO.fullmatch(snoozed["payload"]["snoozed_until"])


async def test_endpoints_that_answer_nothing(api: Api, given: Given, full: Any) -> None:
    path = f"/conversations/{full['id']}"

    replies = [
        await api.post(f"{path}/toggle_priority", {"priority": "urgent"}),
        await api.post(f"{path}/toggle_typing_status", {"typing_status": "on", "is_private": True}),
        await api.post(f"{path}/toggle_typing_status", {"typing_status": "maybe"}),
        await api.post(f"{path}/mute"),
        await api.post(f"{path}/unmute"),
        await api.delete(f"{path}/participants", {"user_ids": [given.boss.id]}),
        await api.patch(f"{path}/draft_messages", {"draft_message": {"message": "Olá"}}),
        await api.delete(f"{path}/draft_messages"),
        await api.post(f"{path}/transcript", {"email": "rosa@example.net"}),
        await api.post("/bulk_actions", {"type": "Conversation", "ids": [full["id"]], "fields": {"status": "open"}}),
        await api.delete(path),
    ]

    assert [(reply.status, reply.body) for reply in replies] == [(200, b"")] * len(replies)


async def test_participants(api: Api, given: Given, full: Any) -> None:
    path, body = f"/conversations/{full['id']}/participants", {"user_ids": [given.boss.id]}

    assert len(fits(await api.get(path), [AGENT])) == 1
    assert len(fits(await api.post(path, body), [AGENT])) == 1
    assert len(fits(await api.patch(path, body), [AGENT])) == 1
    assert len(fits(await api.put(path, body), [AGENT])) == 1


async def test_attachments_of_a_thread(api: Api, given: Given, full: Any) -> None:
    path = f"/conversations/{full['id']}"
    files = [("attachments[]", ("a.txt", b"text", "text/plain"))]
    assert (await api.call("POST", f"{path}/messages", data={"content": "Oi"}, files=files)).status == 200

    item: dict[str, Any] = {
        "message_id": int,
        "thumb_url": text_or_null,
        "data_url": text_or_null,
        "file_size": number_or_null,
        "file_type": str,
        "extension": text_or_null,
        "width": number_or_null,
        "height": number_or_null,
        "created_at": int,
        "sender?": one_of(USER_SENDER, CONTACT_SENDER),
    }
    listed = fits(await api.get(f"{path}/attachments"), {"meta": {"total_count": int}, "payload": [item]})

    assert len(listed["payload"]) == 1


async def test_drafts(api: Api, given: Given, full: Any) -> None:
    path = f"/conversations/{full['id']}/draft_messages"

    fits(await api.get(path), {"has_draft": False})
    await api.put(path, {"draft_message": {"message": "Olá"}})
    fits(await api.get(path), {"has_draft": True, "message": "Olá"})


async def test_assignments(api: Api, given: Given, full: Any) -> None:
    path, robot = f"/conversations/{full['id']}/assignments", await given.bot()
    team = full["meta"]["team"]["id"]

    fits(await api.post(path, {"assignee_id": given.boss.id}), AGENT)
    fits(await api.post(path, {"assignee_id": robot.id, "assignee_type": "AgentBot"}), BOT_SLIM)
    raw = fits(await api.post(path, {"team_id": team}), RAW_TEAM)
    for nothing in ({"assignee_id": 0}, {"team_id": 0}, {}):
        fits(await api.post(path, nothing), None)

    assert ISO.fullmatch(raw["created_at"])
    assert ISO.fullmatch(raw["updated_at"])


async def test_labels_and_attributes(api: Api, given: Given, full: Any) -> None:
    path = f"/conversations/{full['id']}"

    fits(await api.get(f"{path}/labels"), {"payload": [str]})
    fits(await api.post(f"{path}/labels", {"labels": ["vip", "new"]}), {"payload": [str]})
    attributes = {"custom_attributes": {"order": str, "lines": [int]}}
    sent = {"custom_attributes": {"order": "A-99", "lines": [1]}}
    fits(await api.post(f"{path}/custom_attributes", sent), attributes)
    fits(await api.patch(f"{path}/custom_attributes", sent), attributes)
