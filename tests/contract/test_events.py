"""Every event there is: it reaches sockets and the feed, in the contract's shape, and shows the same moment there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from feeds import present
from happenings import HAPPENINGS, NOT_RAISED_YET, Stage
from harness import Given
from lines import Line, Server
from pushes import CONTACT, CONVERSATION, MESSAGE, NOTIFICATION, PERFORMER
from shapes import iso, misfits, one_of

from criachat.kit.events import catalogue

COUNTS = {"account_id": int, "unread_count": int, "count": int}
NOTIFIED = {"notification": {**NOTIFICATION, "account_id": int}, **COUNTS}
CONTACT_PUSH = {**CONTACT, "account_id": int}
# On sockets: the name there, what the team hears, and whether the contact hears it too. What is not here is not pushed.
ON_SOCKETS: Mapping[str, tuple[str, dict[str, Any], bool]] = {
    "message_created": ("message.created", {**MESSAGE, **PERFORMER}, True),
    "message_updated": ("message.updated", {**MESSAGE, **PERFORMER, "previous_changes": dict}, True),
    "first_reply_created": ("first.reply.created", {**MESSAGE, **PERFORMER}, False),
    "conversation_created": ("conversation.created", {**CONVERSATION, **PERFORMER}, True),
    "conversation_updated": ("conversation.updated", CONVERSATION, True),
    "conversation_status_changed": ("conversation.status_changed", CONVERSATION, True),
    "conversation_read": ("conversation.read", CONVERSATION, False),
    "conversation_contact_changed": ("conversation.contact_changed", {**CONVERSATION, **PERFORMER}, False),
    "conversation_mentioned": ("conversation.mentioned", CONVERSATION, False),
    "assignee_changed": ("assignee.changed", CONVERSATION, False),
    "team_changed": ("team.changed", CONVERSATION, False),
    "notification_created": ("notification.created", NOTIFIED, False),
    "notification_updated": ("notification.updated", NOTIFIED, False),
    "notification_deleted": ("notification.deleted", {"notification": {"id": int}, **COUNTS}, False),
    "contact_created": ("contact.created", CONTACT_PUSH, False),
    "contact_updated": ("contact.updated", CONTACT_PUSH, False),
    "contact_merged": ("contact.merged", CONTACT_PUSH, False),
    "contact_deleted": ("contact.deleted", CONTACT_PUSH, False),
    "account_cache_invalidated": (
        "account.cache_invalidated",
        {"account_id": int, "cache_keys": {"label": str, "inbox": str, "team": str}},
        False,
    ),
}

INBOX = {
    "id": int,
    "name": str,
    "channel_type": "Channel::Api",
    "greeting_enabled": bool,
    "greeting_message": one_of(str, None),
    "working_hours_enabled": bool,
    "working_hours": [dict],
    "out_of_office_message": one_of(str, None),
    "timezone": str,
    "enable_email_collect": bool,
    "csat_survey_enabled": bool,
    "enable_auto_assignment": bool,
    "auto_assignment_config": dict,
    "allow_messages_after_resolved": bool,
    "lock_to_single_conversation": bool,
    "sender_name_type": str,
    "business_name": one_of(str, None),
}
OF_MESSAGE = {"message": MESSAGE, "conversation": CONVERSATION}
OF_CONVERSATION = {"conversation": CONVERSATION}
OF_CONTACT = {"contact": CONTACT}
HANDOVER = {"previous": one_of(int, None), "current": one_of(int, None)}
ADMINISTRATION = {
    "auditable_type": str,
    "auditable_id": int,
    "action": one_of("create", "update", "destroy"),
}
DELIVERY = {"delivery_id": str, "target": str, "error": one_of(str, None)}
# In the feed: the snapshot, and what only this kind of event tells.
IN_THE_FEED: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "account_created": (None, {}),
    "account_cache_invalidated": (None, {"cache_keys": {"label": str, "inbox": str, "team": str}}),
    "administration_changed": (None, ADMINISTRATION),
    "agent_added": (None, {"user_id": int}),
    "agent_updated": (None, {"user_id": int}),
    "agent_removed": (None, {"user_id": int}),
    "notification_created": (None, {"notifications": [dict], "locale": str}),
    "notification_updated": (None, {"notifications": [dict], "locale": str}),
    "notification_deleted": (None, {"notifications": [dict]}),
    "signed_in": (None, {}),
    "signed_out": (None, {}),
    "label_renamed": (None, {"label_id": int, "previous": str, "current": str}),
    "attribute_definition_changed": (
        None,
        {"definition_id": int, "attribute_model": str, "attribute_key": str, "attribute_display_name": str},
    ),
    "contact_created": (OF_CONTACT, {}),
    "contact_updated": (OF_CONTACT, {}),
    "contact_deleted": (OF_CONTACT, {}),
    "contact_merged": (OF_CONTACT, {"merged_contact_id": int}),
    "conversation_created": (OF_CONVERSATION, {}),
    "conversation_updated": (OF_CONVERSATION, {}),
    "conversation_opened": (OF_CONVERSATION, {}),
    "conversation_resolved": (OF_CONVERSATION, {}),
    "conversation_status_changed": (OF_CONVERSATION, {}),
    "conversation_read": (OF_CONVERSATION, {}),
    "conversation_contact_changed": (OF_CONVERSATION, {}),
    "conversation_bot_handoff": (OF_CONVERSATION, {}),
    "conversation_muted": (OF_CONVERSATION, {}),
    "conversation_unmuted": (OF_CONVERSATION, {}),
    "conversation_mentioned": (OF_CONVERSATION, {"user_ids": [int]}),
    "conversation_deleted": (OF_CONVERSATION, {}),
    "transcript_requested": (OF_CONVERSATION, {"email": str}),
    "telling_requested": (OF_CONVERSATION, {"address_id": int, "told_as": str}),
    "participants_changed": (OF_CONVERSATION, {"added": [int], "removed": [int]}),
    "assignee_changed": (OF_CONVERSATION, HANDOVER),
    "team_changed": (OF_CONVERSATION, HANDOVER),
    "inbox_created": ({"inbox": INBOX}, {}),
    "inbox_updated": ({"inbox": INBOX}, {}),
    "inbox_deleted": ({"inbox": INBOX}, {}),
    "message_created": (OF_MESSAGE, {}),
    "message_updated": (OF_MESSAGE, {}),
    "message_retried": (OF_MESSAGE, {}),
    "first_reply_created": (OF_MESSAGE, {}),
    "reply_created": (OF_MESSAGE, {"waiting_since": iso}),
    "delivery_failed": (None, DELIVERY),
    "delivery_recovered": (None, DELIVERY),
    "webhook_disabled": (None, {"webhook_id": int, "reason": one_of("gone", "failing")}),
}


async def team_line(server: Server, given: Given) -> Line:
    line = await server.line()
    boss = given.boss
    await line.subscribe(pubsub_token=boss.pubsub_token, account_id=given.account_id, user_id=boss.id)
    return line


async def contact_line(server: Server, stage: Stage) -> Line:
    line = await server.line()
    await line.subscribe(pubsub_token=stage.rosa.session["pubsub_token"])
    return line


def test_every_kind_of_event_is_made_to_happen_here() -> None:
    ours = {name for name, kind in catalogue.kinds.items() if kind.__module__.startswith("criachat.")}

    assert ours == HAPPENINGS.keys() | NOT_RAISED_YET
    assert IN_THE_FEED.keys() == HAPPENINGS.keys()
    assert ON_SOCKETS.keys() <= HAPPENINGS.keys()


@pytest.mark.parametrize("name", HAPPENINGS)
async def test_it_is_told_by_the_feed_in_its_shape(stage: Stage, name: str) -> None:
    given = stage.given
    after = "" if name == "account_created" else await present(given)
    snapshot, details = IN_THE_FEED[name]

    await HAPPENINGS[name](stage)
    reply = await given.api.get("/events", params={"after": after, "event": name, "wait": 10})

    shape = {
        "id": int,
        "event": name,
        "cursor": str,
        "created_at": iso,
        "account_id": given.account_id,
        "inbox_id": one_of(int, None),
        "conversation_id": one_of(int, None),
        "message_id": one_of(int, None),
        "contact_id": one_of(int, None),
        "actor": one_of({"type": str, "id": one_of(int, None), "name": one_of(str, None)}, None),
        "cause": one_of(str, None),
        "changes": one_of(dict, None),
        "details": details,
        "snapshot": snapshot,
    }
    assert reply.json["payload"]
    assert misfits(reply.json, {"payload": [shape], "meta": {"cursor": str, "has_more": bool}}) == []


@pytest.mark.parametrize("name", ON_SOCKETS)
async def test_it_is_told_to_sockets_in_its_shape_and_shows_the_moment_the_feed_shows(
    server: Server, stage: Stage, name: str
) -> None:
    given = stage.given
    pushed, shape, is_for_contact = ON_SOCKETS[name]
    after = await present(given)
    bosses, rosas = await team_line(server, given), await contact_line(server, stage)

    await HAPPENINGS[name](stage)
    in_feed = await given.api.get("/events", params={"after": after, "event": name, "wait": 10})
    to_team = await bosses.event(pushed)
    to_contact = await rosas.event(pushed) if is_for_contact else None

    assert misfits(to_team, shape) == []
    assert to_team["account_id"] == given.account_id
    assert to_contact is None or misfits(to_contact, shape) == []
    snapshot = (in_feed.json["payload"][0]["snapshot"] or {}).get(name.split("_")[0])
    if snapshot is not None:
        assert _without_presence(to_team).items() >= _without_presence(snapshot).items()


@pytest.mark.parametrize("name", sorted(HAPPENINGS.keys() - ON_SOCKETS.keys() - {"account_created"}))
async def test_what_is_not_for_sockets_is_not_told_to_them(server: Server, stage: Stage, name: str) -> None:
    bosses = await team_line(server, stage.given)

    await HAPPENINGS[name](stage)
    await stage.given.contact("The last")
    heard = [message["event"] for message in await bosses.events_until("contact.created", name="The last")]

    assert catalogue.kinds[name].realtime_name not in heard


def _without_presence(value: Any) -> Any:
    """The same without who is online now, which is told by sockets alone."""
    if isinstance(value, list):
        return [_without_presence(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_presence(each) for key, each in value.items() if key != "availability_status"}
    return value
