"""From a row of the log to what its readers get. Nothing is read again: it shows the moment of the event."""

from __future__ import annotations

from typing import Final

import msgspec
import structlog

from criachat.contacts.events import ContactEvent
from criachat.conversations.events import ConversationEvent
from criachat.conversations.payloads import contact_push, conversation_push, message_push
from criachat.conversations.snapshots import ConversationSnapshot
from criachat.feed.models import Item
from criachat.feed.schemas import ActorOut, EventOut, InboxOut, SnapshotOut
from criachat.inboxes.events import InboxEvent
from criachat.kit.cursors import cursor_text
from criachat.kit.events import Event, Record, catalogue
from criachat.kit.times import iso
from criachat.messages.events import MessageEvent, assignee_ids_of, conversation_of
from criachat.users.shown import Shown

log = structlog.get_logger()

# These are shown in the snapshot, as the actor, and in what is written in the thread.
SHOWN_ELSEWHERE: Final = frozenset(("account", "performer", "screen_locale"))

_encode = msgspec.json.Encoder().encode


def item_of(record: Record, shown: Shown) -> Item:
    """The event, rendered. One that cannot be read, such as a newer version's, is told of without its snapshot."""
    out = _header(record)
    assignee_ids: frozenset[int | None] = frozenset()
    try:
        event = catalogue.event_of(record)
        conversation = conversation_of(event)
        assignee_ids = assignee_ids_of(event)
        details = (field for field in catalogue.own_fields(event.name) if field not in SHOWN_ELSEWHERE)
        out = msgspec.structs.replace(
            out,
            conversation_id=None if conversation is None else conversation.id,
            actor=_actor(event, conversation),
            details={field: getattr(event, field) for field in details},
            snapshot=_snapshot(event, shown),
        )
    except Exception:  # one event that cannot be shown must not end the feed of its account
        log.exception("event_not_shown", account_id=record.account_id, event_id=record.id)
    return Item(record.cursor, record.name, record.inbox_id, record.conversation_id, assignee_ids, _encode(out))


def _header(record: Record) -> EventOut:
    actor = None if record.actor_type is None else ActorOut(type=record.actor_type, id=record.actor_id, name=None)
    return EventOut(
        id=record.id,
        event=record.name,
        cursor=cursor_text(record.cursor),
        created_at=iso(record.created_at),
        account_id=record.account_id,
        inbox_id=record.inbox_id,
        conversation_id=None,
        message_id=record.message_id,
        contact_id=record.contact_id,
        actor=actor,
        cause=record.cause,
        changes=None if record.changes is None else msgspec.json.decode(record.changes),
        details={},
        snapshot=None,
    )


def _snapshot(event: Event, shown: Shown) -> SnapshotOut | None:
    match event:
        case MessageEvent():
            message, conversation = event.snapshot.message, event.snapshot.conversation
            pushed = message_push(message, conversation, shown)
            if event.snapshot.echo_id is not None:
                pushed = msgspec.structs.replace(pushed, echo_id=event.snapshot.echo_id)
            newest = event.snapshot.newest_public
            return SnapshotOut(
                message=pushed, conversation=conversation_push(conversation, shown, newest_public=newest)
            )
        case ConversationEvent():
            return SnapshotOut(conversation=conversation_push(event.snapshot, shown))
        case ContactEvent():
            return SnapshotOut(contact=contact_push(event.snapshot, shown))
        case InboxEvent():
            return SnapshotOut(inbox=msgspec.convert(event.snapshot.settings, InboxOut))
        case _:
            return None


def _actor(event: Event, conversation: ConversationSnapshot | None) -> ActorOut | None:
    if event.actor_type is None:
        return None
    name = None
    if isinstance(event, ConversationEvent | MessageEvent) and event.performer is not None:
        name = event.performer.name
    elif event.actor_type == "contact" and conversation is not None and conversation.contact.id == event.actor_id:
        name = conversation.contact.name
    return ActorOut(type=event.actor_type, id=event.actor_id, name=name)
