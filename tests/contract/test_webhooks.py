"""Webhooks against the contract: every endpoint and every payload, key by key."""

from __future__ import annotations

import pushes
import pytest
from harness import Api, Given
from receivers import Receiver
from shapes import iso, misfits, one_of, uuid

ACCOUNT_REF = {"id": int, "name": str}
INBOX_REF = {"id": int, "name": str}
WEBHOOK = {
    "id": int,
    "name": one_of(str, None),
    "url": str,
    "account_id": int,
    "subscriptions": [str],
    "inbox?": INBOX_REF,
    "secret": str,
    # Ours.
    "secret_standard": str,
    "previous_secret_until": one_of(iso, None),
    "timeout_seconds": int,
    "disabled_at": one_of(iso, None),
    "disabled_reason": one_of(str, None),
}

AGENT = {"id": int, "name": str, "email": str, "type": "user"}
BOT = {"id": int, "name": str, "type": "agent_bot"}
CONTACT = {
    "account": ACCOUNT_REF,
    "additional_attributes": dict,
    "avatar": str,
    "custom_attributes": dict,
    "email": one_of(str, None),
    "id": int,
    "identifier": one_of(str, None),
    "name": str,
    "phone_number": one_of(str, None),
    "thumbnail": str,
    "blocked": bool,
}
# As sockets show it, but for who is there right now, and for what would let somebody listen as the contact.
USER_PUSH = {**pushes.USER, "availability_status": None}
MESSAGE_PUSH = {
    **{name: kind for name, kind in pushes.MESSAGE.items() if name != "echo_id?"},
    "sender?": one_of(USER_PUSH, pushes.CONTACT, pushes.BOT),
}
CONVERSATION = {
    **{name: kind for name, kind in pushes.CONVERSATION.items() if name != "account_id"},
    "account": ACCOUNT_REF,
    "channel": str,
    "contact_inbox": {**pushes.CONTACT_INBOX, "pubsub_token": None},
    "messages": [MESSAGE_PUSH],
    "meta": {**pushes.CONVERSATION["meta"], "assignee": one_of(USER_PUSH, pushes.BOT, None)},
}


def change(value: object) -> bool:
    """`{"status": {"previous_value": …, "current_value": …}}`, whatever the key."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    (inner,) = value.values()
    return isinstance(inner, dict) and inner.keys() == {"previous_value", "current_value"}


CHANGES = [change]
MESSAGE_EVENT = {
    "event": str,
    "id": int,
    "content": one_of(str, None),
    "content_type": str,
    "content_attributes": dict,
    "additional_attributes": dict,
    "message_type": one_of("incoming", "outgoing", "template"),
    "private": bool,
    "source_id": one_of(str, None),
    "created_at": iso,
    "sender": one_of(AGENT, BOT, CONTACT, None),
    "inbox": INBOX_REF,
    "account": ACCOUNT_REF,
    "conversation": CONVERSATION,
    "attachments?": [pushes.ATTACHMENT],
}
WORKING_HOURS = {
    "id": int,
    "inbox_id": int,
    "account_id": int,
    "day_of_week": int,
    "closed_all_day": bool,
    "open_hour": one_of(int, None),
    "open_minutes": one_of(int, None),
    "close_hour": one_of(int, None),
    "close_minutes": one_of(int, None),
    "open_all_day": bool,
    "created_at": iso,
    "updated_at": iso,
}
INBOX_EVENT = {
    "event": str,
    "id": int,
    "name": str,
    "account": ACCOUNT_REF,
    "allow_messages_after_resolved": bool,
    "lock_to_single_conversation": bool,
    "auto_assignment_config": dict,
    "enable_auto_assignment": bool,
    "enable_email_collect": bool,
    "greeting_enabled": bool,
    "greeting_message": one_of(str, None),
    "csat_survey_enabled": bool,
    "business_name": one_of(str, None),
    "sender_name_type": one_of("friendly", "professional"),
    "timezone": str,
    "out_of_office_message": one_of(str, None),
    "working_hours_enabled": bool,
    "working_hours": [WORKING_HOURS],
    "created_at": iso,
    "updated_at": iso,
    "channel": {"id": int, "account_id": int, "hmac_mandatory": bool, "additional_attributes": dict},
}
TYPING = {"event": str, "user": one_of(AGENT, BOT, CONTACT), "conversation": CONVERSATION, "is_private": bool}
WIDGET_OPENED = {
    "event": str,
    "id": int,
    "source_id": str,
    "contact": CONTACT,
    "inbox": INBOX_REF,
    "account": ACCOUNT_REF,
    "current_conversation": one_of(CONVERSATION, None),
    "event_info": dict,
}
EVENTS = {
    "message_created": MESSAGE_EVENT,
    "message_updated": MESSAGE_EVENT,
    "conversation_created": {"event": str, **CONVERSATION},
    "conversation_updated": {"event": str, "changed_attributes": one_of(CHANGES, None), **CONVERSATION},
    "conversation_status_changed": {"event": str, "changed_attributes": None, **CONVERSATION},
    "conversation_typing_on": TYPING,
    "conversation_typing_off": TYPING,
    "contact_created": {"event": str, **CONTACT},
    "contact_updated": {"event": str, "changed_attributes": CHANGES, **CONTACT},
    "inbox_created": INBOX_EVENT,
    "inbox_updated": {"changed_attributes": CHANGES, **INBOX_EVENT},
    "webwidget_triggered": WIDGET_OPENED,
}

DELIVERY = {
    "id": uuid,
    "target": str,
    "event": str,
    "sequence": int,
    "status": one_of("pending", "delivered", "exhausted", "cancelled"),
    "tries": int,
    "last_status": one_of(int, None),
    "last_error": one_of(str, None),
    "conversation_id": one_of(int, None),
    "message_id": one_of(int, None),
    "contact_id": one_of(int, None),
    "created_at": iso,
    "delivered_at": one_of(iso, None),
    "next_try_at": one_of(iso, None),
}
ATTEMPT = {
    "number": int,
    "started_at": iso,
    "status": one_of(int, None),
    "error": one_of(str, None),
    "headers": [[str]],
    "body": one_of(str, None),
    "body_base64?": str,
    "duration_ms": int,
    "first_byte_ms": one_of(int, None),
}
HEALTH = {
    "delivered": int,
    "exhausted": int,
    "waiting": int,
    "tries": int,
    "success_rate": one_of(float, None),
    "p95_ms": one_of(float, None),
    "next_try_at": one_of(iso, None),
}


async def test_the_four_calls_answer_in_the_shapes_of_the_contract(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    created = await api.post("/webhooks", {"url": "https://crm.example.com", "inbox_id": inbox["id"]})
    path = f"/webhooks/{created.json['payload']['webhook']['id']}"
    listed = await api.get("/webhooks")
    changed = await api.patch(path, {"name": "CRM"})
    put = await api.put(path, {"name": "CRM"})
    removed = await api.delete(path)

    assert {created.status, listed.status, changed.status, put.status, removed.status} == {200}
    for reply in (created, changed, put):
        assert misfits(reply.json, {"payload": {"webhook": WEBHOOK}}) == []
    assert misfits(listed.json, {"payload": {"webhooks": [WEBHOOK]}}) == []
    assert removed.body == b""


async def test_what_is_ours_answers_in_the_shapes_that_are_documented(
    api: Api, given: Given, receiver: Receiver
) -> None:
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    webhook = await given.webhook(receiver.url)
    path = f"/webhooks/{webhook['id']}"

    sample = await api.post(f"{path}/test", {"event": "message_created"})
    await given.conversation(inbox=inbox)
    await given.delivered()
    one = await api.get(f"/deliveries/{sample.json['delivery_id']}")

    assert misfits(sample.json, {"delivery_id": uuid}) == []
    assert misfits(one.json, {"delivery": DELIVERY, "payload": one_of(dict, None), "attempts": [ATTEMPT]}) == []
    assert one.json["attempts"] != []
    for reply, shape in [
        (await api.post(f"{path}/rotate_secret"), {"payload": {"webhook": WEBHOOK}}),
        (await api.delete(f"{path}/previous_secret"), {"payload": {"webhook": WEBHOOK}}),
        (await api.post(f"{path}/enable"), {"payload": {"webhook": WEBHOOK, "replayed": int}}),
        (await api.get(f"{path}/health"), HEALTH),
        (await api.get(f"/inboxes/{inbox['id']}/webhook/health"), HEALTH),
        (await api.post(f"{path}/replay"), {"replayed": int}),
        (await api.post(f"/inboxes/{inbox['id']}/webhook/replay"), {"replayed": int}),
        (await api.get("/deliveries?per_page=1"), {"deliveries": [DELIVERY], "next_cursor": str}),
        (await api.post(f"/deliveries/{sample.json['delivery_id']}/replay"), DELIVERY),
    ]:
        assert reply.status == 200
        assert misfits(reply.json, shape) == []


@pytest.mark.parametrize("event", EVENTS)
async def test_a_sample_of_every_event_has_the_shape_of_the_contract(
    api: Api, given: Given, receiver: Receiver, event: str
) -> None:
    webhook = await given.webhook(receiver.url)

    await api.post(f"/webhooks/{webhook['id']}/test", {"event": event})
    await given.delivered()

    (told,) = receiver.events()
    assert told["event"] == event
    assert misfits(told, EVENTS[event]) == []


async def test_what_happens_in_a_conversation_is_told_in_the_shapes_of_the_contract(
    api: Api, given: Given, receiver: Receiver
) -> None:
    await given.webhook(receiver.url)
    inbox = await given.inbox(channel={"webhook_url": f"{receiver.url}/inbox"})
    bot = api.acting_as(await given.bot())
    team = await api.post("/teams", {"name": "Sales"})

    contact = await given.contact("Rosa", custom_attributes={"plan": "gold"})
    await api.patch(f"/contacts/{contact['id']}", {"name": "Rosa Lind"})
    conversation = await given.conversation(inbox=inbox, contact=contact)
    path = f"/conversations/{conversation['id']}"
    await given.message(conversation, "Hi", message_type="incoming")
    await given.message(conversation, "A note", private=True)
    await bot.post(f"{path}/messages", {"content": "From a bot"})
    await api.post(
        f"{path}/messages", data={"content": "See"}, files={"attachments[]": one_of("a.png", PIXEL, "image/png")}
    )
    await api.post(f"{path}/labels", {"labels": ["vip"]})
    await api.post(f"{path}/assignments", {"assignee_id": given.boss.id})
    await api.post(f"{path}/assignments", {"team_id": team.json["id"]})
    message = await given.message(conversation, "Bye")
    await api.delete(f"{path}/messages/{message['id']}")
    await api.post(f"{path}/toggle_status", {"status": "resolved"})
    await given.delivered()
    await given.delivered()

    told = receiver.events()
    assert [found for body in told for found in misfits(body, EVENTS[body["event"]])] == []
    assert {body["event"] for body in told} == {
        "contact_created",
        "contact_updated",
        "conversation_created",
        "conversation_updated",
        "conversation_status_changed",
        "message_created",
        "message_updated",
    }


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082"
)
