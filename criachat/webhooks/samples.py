"""Made-up events, for trying out a receiver. Every id in them is 0, so that nobody acts on anything real."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from criachat.contacts.events import ContactEvent
from criachat.contacts.snapshots import AccountSnapshot, ContactInboxSnapshot, ContactSnapshot
from criachat.conversations.events import ConversationEvent
from criachat.conversations.snapshots import INCOMING, ConversationSnapshot, InboxSnapshot, MessageSnapshot
from criachat.inboxes.events import InboxEvent, InboxState
from criachat.inboxes.models import API, WEBSITE, usual_week
from criachat.kit import clock
from criachat.kit.events import Event, catalogue
from criachat.kit.times import iso
from criachat.messages.events import MessageEvent, MessageInConversation
from criachat.users.snapshots import UserSnapshot
from criachat.webhooks.errors import EventUnknown
from criachat.webhooks.models import EVENTS
from criachat.webhooks.payloads import (
    Links,
    Payload,
    WidgetOpened,
    payload_of,
    typing_payload,
    webwidget_triggered_payload,
)

AGENT = UserSnapshot(id=0, name="Sample agent", available_name="Sample agent", email="agent@example.com")
INBOX = InboxSnapshot(0, "Sample inbox", API)
EVENT_INFO: dict[str, Any] = {
    "initiated_at": {"timestamp": "Mon Mar 02 2026 11:09:00 GMT-0300"},
    "referer": "https://shop.example.com/",
    "widget_language": "pt_BR",
    "browser_language": "pt",
    "browser": {
        "browser_name": "Chrome",
        "browser_version": "133.0",
        "device_name": "Unknown",
        "platform_name": "macOS",
        "platform_version": "15.3",
    },
}


# What the events that tell of a change say of it, beside the time.
CHANGES: dict[str, dict[str, list[Any]]] = {
    "conversation_updated": {"status": ["pending", "open"]},
    "contact_updated": {"name": ["Sample", "Sample contact"]},
    "inbox_updated": {"name": ["Sample", "Sample inbox"]},
}


def sample_payload(event_name: str, account: AccountSnapshot, links: Links) -> Payload:
    """What a receiver would read of such an event in this account."""
    if event_name not in EVENTS:
        raise EventUnknown(f"Event must be one of {', '.join(EVENTS)}")
    at = clock.now()
    conversation = _conversation(account, at)
    match event_name:
        case "conversation_typing_on" | "conversation_typing_off":
            return typing_payload(event_name, AGENT, conversation, is_private=False, links=links)
        case "webwidget_triggered":
            return webwidget_triggered_payload(_widget_opened(account, conversation), links)
        case _:
            return payload_of(_event(catalogue.kinds[event_name], conversation, at), links)


def _event(kind: type[Event], conversation: ConversationSnapshot, at: datetime) -> Event:
    account = conversation.account
    changes = CHANGES.get(kind.name)
    if changes is not None:
        changes = {**changes, "updated_at": [iso(at - timedelta(minutes=1)), iso(at)]}
    if issubclass(kind, MessageEvent):
        snapshot = MessageInConversation(message=_message(account, at), conversation=conversation)
        return kind(account_id=account.id, snapshot=snapshot)
    if issubclass(kind, ConversationEvent):
        return kind(account_id=account.id, changes=changes, snapshot=conversation)
    if issubclass(kind, ContactEvent):
        return kind(account_id=account.id, account=account, changes=changes, snapshot=conversation.contact)
    if issubclass(kind, InboxEvent):
        return kind(account_id=account.id, changes=changes, snapshot=_inbox(account, at))
    raise EventUnknown


def _contact(at: datetime) -> ContactSnapshot:
    return ContactSnapshot(
        id=0,
        name="Sample contact",
        email="contact@example.com",
        phone_number="+5511988887777",
        identifier="sample",
        additional_attributes={"city": "Recife"},
        custom_attributes={"plan": "gold"},
        last_activity_at=at,
        created_at=at,
    )


def _contact_inbox(at: datetime) -> ContactInboxSnapshot:
    return ContactInboxSnapshot(
        id=0,
        contact_id=0,
        inbox_id=0,
        source_id="sample",
        hmac_verified=False,
        pubsub_token="",
        created_at=at,
        updated_at=at,
    )


def _message(account: AccountSnapshot, at: datetime) -> MessageSnapshot:
    return MessageSnapshot(
        id=0,
        account_id=account.id,
        inbox_id=0,
        conversation_id=0,
        message_type=INCOMING,
        content_type="text",
        content="This is a sample.",
        content_attributes={},
        additional_attributes={},
        private=False,
        status="sent",
        source_id=None,
        sender_type="Contact",
        sender_id=0,
        sender=_contact(at),
        created_at=at,
        updated_at=at,
    )


def _conversation(account: AccountSnapshot, at: datetime) -> ConversationSnapshot:
    return ConversationSnapshot(
        id=0,
        conversation_id=0,
        uuid="00000000-0000-0000-0000-000000000000",
        account=account,
        inbox=INBOX,
        contact=_contact(at),
        contact_inbox=_contact_inbox(at),
        assignee=AGENT,
        team=None,
        status="open",
        priority=None,
        labels=["sample"],
        can_reply=True,
        additional_attributes={},
        custom_attributes={},
        snoozed_until=None,
        unread_count=1,
        first_reply_created_at=None,
        waiting_since=at,
        agent_last_seen_at=None,
        assignee_last_seen_at=None,
        contact_last_seen_at=None,
        last_activity_at=at,
        created_at=at,
        updated_at=at,
        last_message=_message(account, at),
    )


def _inbox(account: AccountSnapshot, at: datetime) -> InboxState:
    return InboxState(
        id=0,
        name=INBOX.name,
        channel_type=INBOX.channel_type,
        account_name=account.name,
        settings={
            "channel_id": 0,
            "allow_messages_after_resolved": True,
            "lock_to_single_conversation": False,
            "auto_assignment_config": {},
            "enable_auto_assignment": True,
            "enable_email_collect": True,
            "greeting_enabled": False,
            "greeting_message": None,
            "csat_survey_enabled": False,
            "business_name": None,
            "sender_name_type": "friendly",
            "timezone": "UTC",
            "out_of_office_message": None,
            "working_hours_enabled": False,
            "working_hours": msgspec.to_builtins(usual_week()),
            "created_at": iso(at),
            "updated_at": iso(at),
        },
        channel={"hmac_mandatory": False, "additional_attributes": {}},
    )


def _widget_opened(account: AccountSnapshot, conversation: ConversationSnapshot) -> WidgetOpened:
    return WidgetOpened(
        account=account,
        inbox=InboxSnapshot(0, "Sample website", WEBSITE),
        contact=conversation.contact,
        contact_inbox=conversation.contact_inbox,
        current_conversation=None,
        event_info=EVENT_INFO,
    )
