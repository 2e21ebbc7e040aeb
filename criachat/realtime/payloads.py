"""What sockets are told of an event: pure renderers, one shape for the team and a smaller one for the contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from criachat.accounts.events import CacheInvalidated
from criachat.contacts.events import ContactEvent
from criachat.conversations.events import ConversationEvent, ConversationMentioned
from criachat.conversations.payloads import (
    ContactInboxRowOut,
    ConversationMetaPushOut,
    ConversationPushOut,
    contact_push,
    conversation_push,
    message_push,
)
from criachat.conversations.schemas import (
    ContactSenderOut,
    MessagePushOut,
    SenderOut,
    sender_out,
)
from criachat.conversations.snapshots import ConversationSnapshot
from criachat.conversations.typing import Typing
from criachat.kit.cursors import cursor_text
from criachat.kit.events import Cursor, Event, catalogue
from criachat.messages.content import attributes_for_contact
from criachat.messages.events import MessageEvent, MessageUpdated, assignee_ids_of, conversation_of
from criachat.realtime.room import Pushed
from criachat.users.events import PersonalEvent
from criachat.users.shown import Shown
from criachat.users.snapshots import BotSnapshot, UserSnapshot

_encode = msgspec.json.Encoder().encode


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of a kind of event, and whether they learn who did it."""

    tells_contact: bool = False
    names_performer: bool = False


# What is not here is not pushed. Contacts and cache keys go to the whole team, the rest to those who see the inbox.
RULES: Final[Mapping[str, Rule]] = {
    "message_created": Rule(tells_contact=True, names_performer=True),
    "message_updated": Rule(tells_contact=True, names_performer=True),
    "first_reply_created": Rule(names_performer=True),
    "conversation_created": Rule(tells_contact=True, names_performer=True),
    "conversation_updated": Rule(tells_contact=True),
    "conversation_status_changed": Rule(tells_contact=True),
    "conversation_read": Rule(),
    "assignee_changed": Rule(),
    "team_changed": Rule(),
    "conversation_mentioned": Rule(),
    "conversation_contact_changed": Rule(names_performer=True),
    "contact_created": Rule(),
    "contact_updated": Rule(),
    "contact_merged": Rule(),
    "contact_deleted": Rule(),
    "account_cache_invalidated": Rule(),
}
# Columns of a message whose former values a contact may see.
SEEN_BY_CONTACT: Final = frozenset(("content", "content_attributes", "content_type", "status", "updated_at"))


class MessageEventOut(MessagePushOut, frozen=True, kw_only=True):
    """A message as events push it."""

    previous_changes: dict[str, list[Any]] | UnsetType = UNSET
    performer: SenderOut | UnsetType = UNSET


class ContactEventOut(ContactSenderOut, frozen=True, kw_only=True, tag="contact", tag_field="type"):
    """A contact as events push it."""

    account_id: int


class CacheKeysOut(msgspec.Struct, frozen=True, kw_only=True):
    """What clients compare with what they keep."""

    account_id: int
    cache_keys: dict[str, str]


class TypingOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody types, or does not any more."""

    conversation: ConversationPushOut
    user: SenderOut
    is_private: bool
    account_id: int


EventOut = MessageEventOut | ConversationPushOut | ContactEventOut | CacheKeysOut


def is_pushed(name: str) -> bool:
    """Whether sockets are told of this kind of event."""
    kind = catalogue.kinds.get(name)
    return name in RULES or (kind is not None and issubclass(kind, PersonalEvent))


def render(event: Event, shown: Shown, *, cursor: Cursor, now: float) -> Pushed | None:
    """What the sockets of an account are told of this event; None for kinds that are not pushed.

    `cursor` is the event's place in the log, which a client that comes back names as the last it has seen.
    """
    if isinstance(event, PersonalEvent):
        return _personal(event, shown, cursor=cursor, now=now)
    rule = RULES.get(event.name)
    if rule is None:
        return None
    payload = _payload(event, rule, shown)
    conversation = conversation_of(event)
    tells_contact = rule.tells_contact and _is_public(event)
    place = cursor_text(cursor)
    return Pushed(
        cursor=cursor,
        for_agents=message_text(event.realtime_name, payload, cursor=place),
        for_contact=message_text(event.realtime_name, _for_contact(payload, conversation), cursor=place)
        if tells_contact
        else None,
        inbox_id=None if conversation is None else conversation.inbox.id,
        assignee_ids=assignee_ids_of(event),
        user_ids=frozenset(event.user_ids) if isinstance(event, ConversationMentioned) else None,
        contact_inbox_id=None if conversation is None or not tells_contact else conversation.contact_inbox.id,
        contact_id=None if conversation is None else conversation.contact.id,
        is_for_verified=conversation is not None and conversation.contact_inbox.hmac_verified,
        pushed_at=now,
    )


def _personal(event: PersonalEvent, shown: Shown, *, cursor: Cursor, now: float) -> Pushed:
    place = cursor_text(cursor)
    by_user = {
        user_id: message_text(event.realtime_name, payload, cursor=place)
        for user_id, payload in event.told(shown).items()
    }
    return Pushed(cursor=cursor, for_agents="", by_user=by_user, pushed_at=now)


def message_text(name: str, payload: object, *, cursor: str | None = None) -> str:
    """The part of a data frame that all its receivers share."""
    message = {"event": name, "data": payload}
    return _encode(message if cursor is None else {**message, "cursor": cursor}).decode()


def typing_payload(typing: Typing, conversation: ConversationSnapshot, shown: Shown) -> TypingOut:
    """Who is typing where."""
    typist = typing.typist
    return TypingOut(
        conversation=conversation_push(conversation, shown),
        user=contact_push(conversation.contact, shown)
        if typist is None
        else sender_out(typist, shown, conversation.account.id),
        is_private=typing.is_private,
        account_id=conversation.account.id,
    )


def typing_for_contact(payload: TypingOut, conversation: ConversationSnapshot) -> TypingOut:
    """The same as the contact may see it."""
    return replace(payload, conversation=_conversation_for_contact(payload.conversation, conversation))


def _payload(event: Event, rule: Rule, shown: Shown) -> EventOut:
    if isinstance(event, MessageEvent):
        performer = _performer(event.performer, rule, shown, event.account_id)
        return _message_payload(event, performer, shown)
    if isinstance(event, ConversationEvent):
        performer = _performer(event.performer, rule, shown, event.account_id)
        return replace(conversation_push(event.snapshot, shown), performer=performer)
    if isinstance(event, ContactEvent):
        return ContactEventOut(account_id=event.account_id, **asdict(contact_push(event.snapshot, shown)))
    if isinstance(event, CacheInvalidated):
        return CacheKeysOut(account_id=event.account_id, cache_keys=event.cache_keys)
    raise TypeError(f"nobody renders {event.name} for sockets")


def _message_payload(event: MessageEvent, performer: SenderOut | UnsetType, shown: Shown) -> MessageEventOut:
    said = event.snapshot
    values = asdict(message_push(said.message, said.conversation, shown))
    if said.echo_id is not None:
        values["echo_id"] = said.echo_id
    if isinstance(event, MessageUpdated):
        values["previous_changes"] = event.changes or {}
    return MessageEventOut(**values, performer=performer)


def _performer(
    performer: UserSnapshot | BotSnapshot | None, rule: Rule, shown: Shown, account_id: int
) -> SenderOut | UnsetType:
    return UNSET if performer is None or not rule.names_performer else sender_out(performer, shown, account_id)


def _is_public(event: Event) -> bool:
    return event.snapshot.message.is_public if isinstance(event, MessageEvent) else True


def _for_contact(payload: EventOut, conversation: ConversationSnapshot | None) -> EventOut:
    """The same without what is the team's alone: labels, attributes, priority, team. The keys stay."""
    if isinstance(payload, MessageEventOut):
        return _message_for_contact(payload)
    if isinstance(payload, ConversationPushOut) and conversation is not None:
        return _conversation_for_contact(payload, conversation)
    raise TypeError("contacts are told of messages and conversations only")


def _conversation_for_contact(payload: ConversationPushOut, conversation: ConversationSnapshot) -> ConversationPushOut:
    return replace(
        payload,
        additional_attributes={},
        contact_inbox=_own_contact_inbox(payload.contact_inbox, conversation),
        messages=[_message_for_contact(message) for message in payload.messages],
        labels=[],
        meta=_meta_for_contact(payload.meta),
        custom_attributes={},
        snoozed_until=None,
        first_reply_created_at=None,
        priority=None,
        waiting_since=0,
    )


def _own_contact_inbox(row: ContactInboxRowOut, conversation: ConversationSnapshot) -> ContactInboxRowOut:
    return replace(row, pubsub_token=conversation.contact_inbox.pubsub_token)


def _meta_for_contact(meta: ConversationMetaPushOut) -> ConversationMetaPushOut:
    return replace(meta, sender=_own_contact(meta.sender), team=None)


M = TypeVar("M", bound=MessagePushOut)


def _message_for_contact(message: M) -> M:
    changes: dict[str, Any] = {}
    if isinstance(message, MessageEventOut) and isinstance(message.previous_changes, dict):
        changes["previous_changes"] = _changes_for_contact(message.previous_changes)
    if isinstance(message.sender, ContactSenderOut):
        changes["sender"] = _own_contact(message.sender)
    return replace(
        message,
        content_attributes=attributes_for_contact(message.content_attributes),
        additional_attributes={},
        external_source_ids={},
        **changes,
    )


def _changes_for_contact(changes: dict[str, list[Any]]) -> dict[str, list[Any]]:
    seen = {column: values for column, values in changes.items() if column in SEEN_BY_CONTACT}
    if "content_attributes" in seen:
        seen["content_attributes"] = [attributes_for_contact(value or {}) for value in seen["content_attributes"]]
    return seen


def _own_contact(contact: ContactSenderOut) -> ContactSenderOut:
    return replace(contact, additional_attributes={}, custom_attributes={})


def presence_payload(account_id: int, users: Mapping[int, str], contacts: Mapping[int, str] | None) -> dict[str, Any]:
    """Who is there, by id as text; contacts are not told of other contacts."""
    payload: dict[str, Any] = {"account_id": account_id, "users": users}
    return payload if contacts is None else {**payload, "contacts": contacts}
