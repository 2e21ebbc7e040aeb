"""Telling people what concerns them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from criachat.conversations import access as conversations
from criachat.conversations.events import ConversationEvent, ConversationMentioned
from criachat.conversations.snapshots import MessageSnapshot
from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.kit.events import emit
from criachat.messages import access as messages
from criachat.messages.events import MessageEvent
from criachat.notifications.events import Gone, NotificationCreated, NotificationDeleted, Told
from criachat.notifications.models import Made, Notification, Occasion
from criachat.notifications.occasions import Around, Heard, occasions_of, tells_of_message, tells_of_new
from criachat.notifications.queries import making


async def tell_of(tx: Tx, account_id: int, events: Sequence[Heard]) -> None:
    """Tell everybody whom these events concern, each of a conversation once: of what happened in it last."""
    around = await _around(tx, account_id, events)
    wanted: dict[tuple[int, int], Occasion] = {}
    for event in events:
        for occasion in occasions_of(event, around):
            wanted[occasion.user_id, occasion.subject.conversation.conversation_id] = occasion
    if wanted:
        made = await making.upsert_notifications(tx, account_id, [*wanted.values()])
        await _emit(tx, account_id, made, wanted)


async def _around(db: Db, account_id: int, events: Sequence[Heard]) -> Around:
    """Who is around the conversations of these events; nothing is asked for that none of them needs."""
    said = {_place(event) for event in events if tells_of_message(event)}
    new = {event.snapshot.inbox.id for event in events if isinstance(event, ConversationEvent) and tells_of_new(event)}
    participants = await making.list_participants(db, account_id, sorted(said)) if said else []
    subscribers = await making.list_subscribers(db, account_id, sorted(new)) if new else []
    return Around(
        participants=_grouped((each.conversation_id, each.user_id) for each in participants),
        subscribers=_grouped((each.inbox_id, each.user_id) for each in subscribers),
        messages=await _messages(db, account_id, events),
    )


async def _messages(db: Db, account_id: int, events: Sequence[Heard]) -> dict[int, MessageSnapshot]:
    """The notes that mention somebody; an event of theirs names only their ids."""
    ids = {event.message_id for event in events if isinstance(event, ConversationMentioned) and event.message_id}
    found = await messages.list_messages_by_id(db, account_id, sorted(ids))
    places = {message.conversation_id for message in found.values()}
    known = await conversations.list_conversations_by_id(db, account_id, sorted(places)) if places else {}
    return {
        message.id: message.snapshot(known[message.conversation_id])
        for message in found.values()
        if message.conversation_id in known
    }


async def _emit(tx: Tx, account_id: int, made: Sequence[Made], wanted: Mapping[tuple[int, int], Occasion]) -> None:
    """One event for all who were told of the same thing, and one for what that took the place of."""
    unread = await making.count_unread(tx, account_id, sorted({each.user_id for each in made}))
    by_event: dict[int, list[Made]] = defaultdict(list)
    for each in made:
        by_event[wanted[each.user_id, each.conversation_id].event_id].append(each)
    events: list[NotificationCreated | NotificationDeleted] = []
    for event_id, theirs in by_event.items():
        occasions = [wanted[each.user_id, each.conversation_id] for each in theirs]
        about = occasions[0].subject.conversation
        facts: dict[str, Any] = {
            "account_id": account_id,
            "inbox_id": about.inbox.id,
            "conversation_id": about.conversation_id,
            "contact_id": about.contact.id,
            "cause": f"event:{event_id}",
        }
        gone = [
            Gone(id=each.replaced_id, user_id=each.user_id, unread_count=unread.get(each.user_id, 0))
            for each in theirs
            if each.replaced_id is not None
        ]
        if gone:
            events.append(NotificationDeleted(**facts, notifications=gone))
        told = [_told(each, occasion, unread) for each, occasion in zip(theirs, occasions, strict=True)]
        events.append(
            NotificationCreated(**facts, snapshot=occasions[0].subject, notifications=told, locale=theirs[0].locale)
        )
    await emit(tx, *events)


def _told(made: Made, occasion: Occasion, unread: Mapping[int, int]) -> Told:
    now = clock.now()
    subject = occasion.subject
    notification = Notification(
        id=made.id,
        account_id=subject.conversation.account.id,
        user_id=made.user_id,
        notification_type=occasion.notification_type,
        conversation_id=made.conversation_id,
        message_id=None if subject.message is None else subject.message.id,
        person_id=None if subject.person is None else subject.person.id,
        read_at=None,
        snoozed_until=None,
        meta={},
        last_activity_at=now,
        created_at=now,
        updated_at=now,
    )
    return Told(notification=notification, user=made.user(), unread_count=unread.get(made.user_id, 0))


def _place(event: Heard) -> int:
    if isinstance(event, MessageEvent):
        return event.snapshot.conversation.conversation_id
    return event.snapshot.conversation_id


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups
