"""From snapshots to what receivers read, key by key as the contract has it. Nothing is looked up here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import asdict, replace

from criachat.contacts.events import ContactEvent, ContactUpdated
from criachat.contacts.snapshots import AccountSnapshot, ContactInboxSnapshot, ContactSnapshot
from criachat.conversations.events import (
    ConversationCreated,
    ConversationEvent,
    ConversationOpened,
    ConversationResolved,
    ConversationStatusChanged,
    TellingRequested,
)
from criachat.conversations.payloads import conversation_push
from criachat.conversations.schemas import MessagePushOut, attachment_out
from criachat.conversations.snapshots import (
    ConversationSnapshot,
    InboxSnapshot,
    MessageSnapshot,
    SenderSnapshot,
)
from criachat.inboxes.events import InboxEvent, InboxUpdated
from criachat.inboxes.models import WEBSITE
from criachat.kit.events import Event
from criachat.kit.files import Files
from criachat.kit.times import iso
from criachat.messages.events import MessageEvent
from criachat.messages.models import MESSAGE_TYPES
from criachat.users.shown import Shown
from criachat.users.snapshots import BotSnapshot, UserSnapshot

Payload = dict[str, Any]

# Named one by one, so that nothing an inbox learns to keep is told by accident.
INBOX_KEYS: Final = (
    "allow_messages_after_resolved",
    "lock_to_single_conversation",
    "auto_assignment_config",
    "enable_auto_assignment",
    "enable_email_collect",
    "greeting_enabled",
    "greeting_message",
    "csat_survey_enabled",
    "business_name",
    "sender_name_type",
    "timezone",
    "out_of_office_message",
    "working_hours_enabled",
)
# These are said elsewhere in a payload, or not at all.
NOT_TOLD: Final = frozenset(("account_id", "performer"))
# Of the channel the event carries what is no secret; these keys are there whatever its kind.
CHANNEL_KEYS: Final = ("hmac_mandatory", "additional_attributes")

encode = msgspec.json.Encoder().encode


class Links(msgspec.Struct, frozen=True):
    """Where receivers find what a payload speaks of: files, and surveys under `base_url`.

    Who is there right now is not told to them.
    """

    shown: Shown
    base_url: str

    @property
    def files(self) -> Files:
        """The files."""
        return self.shown.files

    def survey_url(self, conversation_uuid: str) -> str:
        """Where the contact says how satisfied they are."""
        return f"{self.base_url}/survey/responses/{conversation_uuid}"


def payload_of(event: Event, links: Links) -> Payload:
    """What receivers of this event read."""
    match event:
        case MessageEvent():
            return message_payload(event, links)
        case ConversationEvent():
            return conversation_event_payload(event, links)
        case ContactEvent():
            return contact_event_payload(event, links)
        case InboxEvent():
            return inbox_event_payload(event)
        case _:
            raise TypeError(f"{event.name} has no payload")


def message_payload(event: MessageEvent, links: Links) -> Payload:
    """`message_created`, `message_updated`."""
    message, conversation = event.snapshot.message, event.snapshot.conversation
    payload: Payload = {
        "event": event.name,
        "id": message.id,
        "content": _told_content(message, conversation, links),
        "content_type": message.content_type,
        "content_attributes": message.content_attributes,
        "additional_attributes": message.additional_attributes,
        "message_type": MESSAGE_TYPES[message.message_type],
        "private": message.private,
        "source_id": message.source_id,
        "created_at": iso(message.created_at),
        "sender": sender_payload(message.sender, conversation.account, links),
        "inbox": {"id": conversation.inbox.id, "name": conversation.inbox.name},
        "account": account_payload(conversation.account),
        "conversation": conversation_payload(conversation, event.snapshot.newest_public, links),
    }
    if message.attachments:
        payload["attachments"] = [attachment_out(each, links.files) for each in message.attachments]
    return payload


def conversation_event_payload(event: ConversationEvent, links: Links) -> Payload:
    """`conversation_created`, `conversation_updated`, `conversation_status_changed`, and for bots `conversation_opened`
    and `conversation_resolved`; whatever it is told as to an address that a macro names.
    """
    payload = conversation_payload(event.snapshot, event.snapshot.last_message, links)
    payload["event"] = event.name
    match event:
        case TellingRequested():
            payload["event"] = event.told_as
        case ConversationCreated() | ConversationOpened() | ConversationResolved():
            pass
        case ConversationStatusChanged():
            # Always null in the family, whose clients read `status`.
            payload["changed_attributes"] = None
        case _:
            payload["changed_attributes"] = changed_attributes(event)
    return payload


def contact_event_payload(event: ContactEvent, links: Links) -> Payload:
    """`contact_created`, `contact_updated`."""
    payload = {"event": event.name, **contact_payload(event.snapshot, event.account, links)}
    if isinstance(event, ContactUpdated):
        payload["changed_attributes"] = changed_attributes(event)
    return payload


def inbox_event_payload(event: InboxEvent) -> Payload:
    """`inbox_created`, `inbox_updated`, with nothing of the channel that is secret."""
    inbox = event.snapshot
    times = {key: iso(datetime.fromisoformat(inbox.settings[key])) for key in ("created_at", "updated_at")}
    payload: Payload = {
        "event": event.name,
        "id": inbox.id,
        "name": inbox.name,
        "account": {"id": event.account_id, "name": inbox.account_name},
        **{key: inbox.settings.get(key) for key in INBOX_KEYS},
        "working_hours": [
            {"id": number, "inbox_id": inbox.id, "account_id": event.account_id, **day, **times}
            for number, day in enumerate(inbox.settings["working_hours"], 1)
        ],
        **times,
        "channel": {
            "id": inbox.settings.get("channel_id"),
            "account_id": event.account_id,
            **dict.fromkeys(CHANNEL_KEYS),
            **inbox.channel,
        },
    }
    if isinstance(event, InboxUpdated):
        payload["changed_attributes"] = changed_attributes(event)
    return payload


def typing_payload(
    name: str, user: SenderSnapshot, conversation: ConversationSnapshot, *, is_private: bool, links: Links
) -> Payload:
    """`conversation_typing_on`, `conversation_typing_off`."""
    return {
        "event": name,
        "user": sender_payload(user, conversation.account, links),
        "conversation": conversation_payload(conversation, conversation.last_message, links),
        "is_private": is_private,
    }


class WidgetOpened(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a visitor opens the widget. `current_conversation` is their newest, if any."""

    account: AccountSnapshot
    inbox: InboxSnapshot
    contact: ContactSnapshot
    contact_inbox: ContactInboxSnapshot
    current_conversation: ConversationSnapshot | None
    event_info: dict[str, Any]


def webwidget_triggered_payload(opened: WidgetOpened, links: Links) -> Payload:
    """`webwidget_triggered`."""
    current = opened.current_conversation
    return {
        "event": "webwidget_triggered",
        "id": opened.contact_inbox.id,
        "source_id": opened.contact_inbox.source_id,
        "contact": contact_payload(opened.contact, opened.account, links),
        "inbox": {"id": opened.inbox.id, "name": opened.inbox.name},
        "account": account_payload(opened.account),
        "current_conversation": None if current is None else conversation_payload(current, current.last_message, links),
        "event_info": opened.event_info,
    }


def changed_attributes(event: Event) -> list[Payload] | None:
    """`changes` as a list of objects with one key each; None when there are none."""
    return [
        {key: {"previous_value": old, "current_value": new}} for key, (old, new) in (event.changes or {}).items()
    ] or None


def account_payload(account: AccountSnapshot) -> Payload:
    """AccountRef."""
    return {"id": account.id, "name": account.name}


def sender_payload(sender: SenderSnapshot | None, account: AccountSnapshot, links: Links) -> Payload | None:
    """Who said it, as webhooks tell; a contact has no `type`."""
    match sender:
        case UserSnapshot():
            return {"id": sender.id, "name": sender.name, "email": sender.email, "type": "user"}
        case BotSnapshot():
            return {"id": sender.id, "name": sender.name, "type": "agent_bot"}
        case ContactSnapshot():
            return contact_payload(sender, account, links)
        case None:
            return None


def contact_payload(contact: ContactSnapshot, account: AccountSnapshot, links: Links) -> Payload:
    """A contact where it stands for itself."""
    return {
        "account": account_payload(account),
        "additional_attributes": contact.additional_attributes,
        "avatar": links.files.avatar_url(contact.avatar_key),
        "custom_attributes": contact.custom_attributes,
        "email": contact.email,
        "id": contact.id,
        "identifier": contact.identifier,
        "name": contact.name or "",
        "phone_number": contact.phone_number,
        "thumbnail": links.files.avatar_url(contact.avatar_key),
        "blocked": contact.blocked,
    }


def conversation_payload(
    conversation: ConversationSnapshot, newest_public: MessageSnapshot | None, links: Links
) -> Payload:
    """A conversation with everybody in it, and the newest message that the contact may see.

    It is what sockets and the feed show, but for the breaks in the message.
    """
    pushed = conversation_push(conversation, links.shown, newest_public=newest_public)
    payload = {name: value for name, value in asdict(pushed).items() if name not in NOT_TOLD}
    payload["account"] = account_payload(conversation.account)
    payload["messages"] = [_with_plain_breaks(message) for message in pushed.messages]
    return payload


def _told_content(message: MessageSnapshot, conversation: ConversationSnapshot, links: Links) -> str | None:
    """Outside the website's widget nobody can fill in a survey in place, so its address is told."""
    content = _plain_breaks(message.content)
    if message.content_type != "input_csat" or conversation.inbox.channel_type == WEBSITE:
        return content
    return f"{content or ''} {links.survey_url(conversation.uuid)}".strip()


def _plain_breaks(content: str | None) -> str | None:
    """Markdown's hard break becomes a plain one; newlines at the end are cut."""
    return None if content is None else content.replace("\\\n", "\n").rstrip("\n")


def _with_plain_breaks(message: MessagePushOut) -> MessagePushOut:
    content = _plain_breaks(message.content)
    return replace(message, content=content, processed_message_content=content)
