"""What sockets are told, compared whole with the contract."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from criachat.accounts.events import CacheInvalidated
from criachat.contacts.events import ContactUpdated
from criachat.contacts.snapshots import AccountSnapshot, ContactInboxSnapshot, ContactSnapshot
from criachat.conversations.events import ConversationCreated, ConversationOpened, ConversationStatusChanged
from criachat.conversations.snapshots import ConversationSnapshot, InboxSnapshot, MessageSnapshot, TeamSnapshot
from criachat.conversations.typing import Typing
from criachat.kit.events import Cursor, Event
from criachat.kit.files import Files
from criachat.kit.settings import Settings
from criachat.kit.signals import Signals
from criachat.messages.events import FirstReplyCreated, MessageCreated, MessageInConversation, MessageUpdated
from criachat.realtime.payloads import message_text, render, typing_for_contact, typing_payload
from criachat.realtime.room import Pushed
from criachat.users.presence import Presence
from criachat.users.shown import Shown
from criachat.users.snapshots import UserSnapshot

NOON = datetime(2026, 3, 2, 12, 0, 0, 120_000, tzinfo=UTC)
UNIX = 1772452800
CURSOR = Cursor(1, 2, 3, NOON)

MIA = UserSnapshot(id=9, name="Mia Berg", available_name="Mia", email="mia@example.com")
ROSA = ContactSnapshot(
    id=88,
    name="Rosa Lind",
    email="rosa@example.net",
    phone_number="+5511988887777",
    identifier=None,
    additional_attributes={"city": "Recife"},
    custom_attributes={"plan": "gold"},
    created_at=NOON,
)
CONVERSATION = ConversationSnapshot(
    id=42,
    conversation_id=901,
    uuid="5f0d3c1e-6f2b-4c7a-9a43-0c7d3f1f1a11",
    account=AccountSnapshot(3, "Loja Azul"),
    inbox=InboxSnapshot(12, "App", "Channel::Api"),
    contact=ROSA,
    contact_inbox=ContactInboxSnapshot(
        id=610,
        contact_id=88,
        inbox_id=12,
        source_id="5511988887777",
        hmac_verified=False,
        pubsub_token="rJ8s",
        created_at=NOON,
        updated_at=NOON,
    ),
    assignee=MIA,
    team=TeamSnapshot(4, "Sales"),
    status="open",
    priority="high",
    labels=["billing"],
    can_reply=True,
    additional_attributes={"referer": "https://shop.example"},
    custom_attributes={"order": 7},
    snoozed_until=NOON,
    unread_count=1,
    first_reply_created_at=NOON,
    waiting_since=NOON,
    agent_last_seen_at=None,
    assignee_last_seen_at=None,
    contact_last_seen_at=NOON,
    last_activity_at=NOON,
    created_at=NOON,
    updated_at=NOON,
)
HELLO = MessageSnapshot(
    id=90413,
    account_id=3,
    inbox_id=12,
    conversation_id=42,
    message_type=1,
    content_type="text",
    content="Olá, Rosa!",
    content_attributes={"in_reply_to": 90412, "automation_rule_id": 5},
    additional_attributes={"campaign_id": 6},
    private=False,
    status="sent",
    source_id=None,
    sender_type="User",
    sender_id=9,
    sender=MIA,
    created_at=NOON,
    updated_at=NOON,
)

MIA_OUT = {
    "id": 9,
    "name": "Mia Berg",
    "available_name": "Mia",
    "avatar_url": "",
    "type": "user",
    "availability_status": "offline",
    "thumbnail": "",
}
ROSA_OUT: dict[str, Any] = {
    "additional_attributes": {"city": "Recife"},
    "custom_attributes": {"plan": "gold"},
    "email": "rosa@example.net",
    "id": 88,
    "identifier": None,
    "name": "Rosa Lind",
    "phone_number": "+5511988887777",
    "thumbnail": "",
    "blocked": False,
    "type": "contact",
}
HELLO_OUT: dict[str, Any] = {
    "id": 90413,
    "content": "Olá, Rosa!",
    "account_id": 3,
    "inbox_id": 12,
    "conversation_id": 42,
    "message_type": 1,
    "created_at": UNIX,
    "updated_at": "2026-03-02T12:00:00.120Z",
    "private": False,
    "status": "sent",
    "source_id": None,
    "content_type": "text",
    "content_attributes": {"in_reply_to": 90412, "automation_rule_id": 5},
    "sender_type": "User",
    "sender_id": 9,
    "external_source_ids": {},
    "additional_attributes": {"campaign_id": 6},
    "processed_message_content": "Olá, Rosa!",
    "sentiment": {},
    "conversation": {
        "assignee_id": 9,
        "unread_count": 1,
        "last_activity_at": UNIX,
        "contact_inbox": {"source_id": "5511988887777"},
    },
    "sender": MIA_OUT,
}
CONVERSATION_OUT: dict[str, Any] = {
    "additional_attributes": {"referer": "https://shop.example"},
    "can_reply": True,
    "channel": "Channel::Api",
    "contact_inbox": {
        "id": 610,
        "contact_id": 88,
        "inbox_id": 12,
        "source_id": "5511988887777",
        "created_at": "2026-03-02T12:00:00.120Z",
        "updated_at": "2026-03-02T12:00:00.120Z",
        "hmac_verified": False,
        "pubsub_token": None,
    },
    "id": 42,
    "inbox_id": 12,
    "messages": [HELLO_OUT],
    "labels": ["billing"],
    "meta": {
        "sender": ROSA_OUT,
        "assignee": MIA_OUT,
        "assignee_type": "User",
        "team": {"id": 4, "name": "Sales"},
        "hmac_verified": False,
    },
    "status": "open",
    "custom_attributes": {"order": 7},
    "snoozed_until": "2026-03-02T12:00:00.120Z",
    "unread_count": 1,
    "first_reply_created_at": "2026-03-02T12:00:00.120Z",
    "priority": "high",
    "waiting_since": UNIX,
    "agent_last_seen_at": 0,
    "contact_last_seen_at": UNIX,
    "last_activity_at": UNIX,
    "timestamp": UNIX,
    "created_at": UNIX,
    "updated_at": UNIX + 0.12,
    "account_id": 3,
}
ROSA_TO_HERSELF = {**ROSA_OUT, "additional_attributes": {}, "custom_attributes": {}}
HELLO_TO_ROSA = {**HELLO_OUT, "content_attributes": {"in_reply_to": 90412}, "additional_attributes": {}}
CONVERSATION_TO_ROSA = {
    **CONVERSATION_OUT,
    "additional_attributes": {},
    "custom_attributes": {},
    "contact_inbox": {**CONVERSATION_OUT["contact_inbox"], "pubsub_token": "rJ8s"},
    "messages": [HELLO_TO_ROSA],
    "labels": [],
    "meta": {**CONVERSATION_OUT["meta"], "sender": ROSA_TO_HERSELF, "team": None},
    "snoozed_until": None,
    "first_reply_created_at": None,
    "priority": None,
    "waiting_since": 0,
}


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return Shown(Presence(Settings(), Signals()), Files(tmp_path, b"k" * 32, "http://criachat.test"))


def pushed(event: Event, shown: Shown) -> Pushed:
    message = render(event, shown, cursor=CURSOR, now=0.0)
    assert message is not None
    return message


def data(text: str | None) -> Any:
    assert text is not None
    return json.loads(text)["data"]


def said(message: MessageSnapshot = HELLO, **more: Any) -> dict[str, Any]:
    return {
        "account_id": 3,
        "snapshot": MessageInConversation(message=message, conversation=CONVERSATION, **more),
        "performer": MIA,
    }


def test_a_message_is_told_whole_to_the_team_and_smaller_to_the_contact(shown: Shown) -> None:
    message = pushed(MessageCreated(**said(echo_id="d3c1")), shown)

    assert json.loads(message.for_agents) == {
        "event": "message.created",
        "data": {**HELLO_OUT, "echo_id": "d3c1", "performer": MIA_OUT},
        "cursor": json.loads(message.for_agents)["cursor"],
    }
    assert data(message.for_contact) == {**HELLO_TO_ROSA, "echo_id": "d3c1", "performer": MIA_OUT}
    assert (message.inbox_id, message.contact_inbox_id, message.contact_id) == (12, 610, 88)


def test_the_echo_id_is_there_only_when_the_sender_gave_one(shown: Shown) -> None:
    assert "echo_id" not in data(pushed(MessageCreated(**said()), shown).for_agents)


@pytest.mark.parametrize("hidden", [{"private": True}, {"message_type": 2}])
def test_private_notes_and_activities_are_the_teams_alone(shown: Shown, hidden: dict[str, Any]) -> None:
    message = pushed(MessageCreated(**said(replace(HELLO, **hidden))), shown)

    assert message.for_contact is None
    assert message.contact_inbox_id is None
    assert data(message.for_agents)["id"] == HELLO.id


def test_a_changed_message_tells_what_changed_but_not_the_teams_columns_to_the_contact(shown: Shown) -> None:
    changes = {
        "content": ["Ola", "Olá, Rosa!"],
        "content_attributes": [None, {"deleted": True, "bcc_emails": ["boss@example.com"]}],
        "additional_attributes": [{}, {"campaign_id": 6}],
    }

    message = pushed(MessageUpdated(**said(), changes=changes), shown)

    assert data(message.for_agents)["previous_changes"] == changes
    assert data(message.for_contact)["previous_changes"] == {
        "content": ["Ola", "Olá, Rosa!"],
        "content_attributes": [{}, {"deleted": True}],
    }


def test_the_first_reply_is_told_to_the_team_only(shown: Shown) -> None:
    message = pushed(FirstReplyCreated(**said()), shown)

    assert json.loads(message.for_agents)["event"] == "first.reply.created"
    assert message.for_contact is None


def test_a_new_conversation_names_who_opened_it(shown: Shown) -> None:
    snapshot = replace(CONVERSATION, last_message=HELLO)

    message = pushed(ConversationCreated(account_id=3, snapshot=snapshot, performer=MIA), shown)

    assert data(message.for_agents) == {**CONVERSATION_OUT, "performer": MIA_OUT}
    assert data(message.for_contact) == {**CONVERSATION_TO_ROSA, "performer": MIA_OUT}


def test_a_status_names_nobody(shown: Shown) -> None:
    snapshot = replace(CONVERSATION, last_message=HELLO)

    message = pushed(ConversationStatusChanged(account_id=3, snapshot=snapshot, performer=MIA), shown)

    assert data(message.for_agents) == CONVERSATION_OUT
    assert data(message.for_contact) == CONVERSATION_TO_ROSA


def test_what_the_contract_does_not_push_is_not_pushed(shown: Shown) -> None:
    assert render(ConversationOpened(account_id=3, snapshot=CONVERSATION), shown, cursor=CURSOR, now=0.0) is None


def test_contacts_and_cache_keys_go_to_the_whole_team(shown: Shown) -> None:
    account = AccountSnapshot(3, "Loja Azul")
    contact = pushed(ContactUpdated(account_id=3, account=account, snapshot=ROSA), shown)
    keys = pushed(CacheInvalidated(account_id=3, cache_keys={"label": "1772460584"}), shown)

    assert data(contact.for_agents) == {**ROSA_OUT, "account_id": 3}
    assert data(keys.for_agents) == {"account_id": 3, "cache_keys": {"label": "1772460584"}}
    assert contact.for_contact is keys.for_contact is contact.inbox_id is keys.inbox_id is None


async def test_availability_is_that_of_the_moment_it_is_sent(shown: Shown) -> None:
    away = data(pushed(MessageCreated(**said()), shown).for_agents)["sender"]["availability_status"]
    shown.presence.touch_user(3, MIA.id)

    assert away == "offline"
    assert data(pushed(MessageCreated(**said()), shown).for_agents)["sender"]["availability_status"] == "online"


def test_typing_shows_the_typist_and_the_conversation(shown: Shown) -> None:
    typing = Typing(id="t1", account_id=3, inbox_id=12, conversation_id=901, is_on=True, typist=MIA)
    snapshot = replace(CONVERSATION, last_message=HELLO)

    payload = typing_payload(typing, snapshot, shown)

    assert data(message_text("conversation.typing_on", payload)) == {
        "conversation": CONVERSATION_OUT,
        "user": MIA_OUT,
        "is_private": False,
        "account_id": 3,
    }
    to_rosa = data(message_text("conversation.typing_on", typing_for_contact(payload, snapshot)))
    assert to_rosa["conversation"] == CONVERSATION_TO_ROSA


def test_a_contact_who_types_is_shown_as_the_conversation_has_them(shown: Shown) -> None:
    typing = Typing(id="t1", account_id=3, inbox_id=12, conversation_id=901, is_on=True)

    assert data(message_text("conversation.typing_on", typing_payload(typing, CONVERSATION, shown)))["user"] == ROSA_OUT
