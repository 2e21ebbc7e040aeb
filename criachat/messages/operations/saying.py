"""Saying something: the message, what it does to its conversation, and the events, stored in one statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from criachat.contacts.snapshots import ContactSnapshot
from criachat.conversations import access as conversations
from criachat.conversations.events import (
    ConversationEvent,
    ConversationOpened,
    ConversationStatusChanged,
    ConversationUpdated,
)
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import changes_between
from criachat.conversations.snapshots import (
    ACTIVITY,
    INCOMING,
    OUTGOING,
    AttachmentSnapshot,
    LastMessages,
    MessageSnapshot,
)
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import Conflict, NotAuthorized, NotFound
from criachat.kit.events import Event, by, event_values
from criachat.kit.times import iso
from criachat.messages import queries
from criachat.messages.errors import ClientMessageIdReserved, SourceIdTaken, TooManyMessages
from criachat.messages.events import FirstReplyCreated, MessageCreated, MessageInConversation, ReplyCreated
from criachat.messages.models import OURS, Draft, Message, Said
from criachat.messages.queries import attachments, storing
from criachat.messages.queries.storing import State, Told
from criachat.users.snapshots import BotSnapshot, snapshot_of

SEQUENCE = "messages_id_seq"
ATTEMPTS = 6
MINUTE = timedelta(minutes=1)
# How the cause of a change begins that a message made.
BY_MESSAGE = "message:"

Load = Callable[[], Awaitable[Conversation]]


async def say(  # noqa: PLR0913 - a message has this many sides
    tx: Tx,
    load: Load,
    draft: Draft,
    *,
    actor: Actor,
    limit_per_minute: int,
    first: Conversation | None = None,
    cause: str | None = None,
) -> Said:
    """Store the message; the one said before when its `client_message_id` is known already, or its external id where
    the inbox takes each once.

    `load` reads the conversation and reserves the message's id. What the message does to the conversation is decided
    here, from what was read, and written only if that is still so; after a miss the row is locked first. `first` is
    what the caller has loaded already.
    """
    if (draft.client_message_id or "").startswith(OURS) and actor.type != "system":
        raise ClientMessageIdReserved
    conversation = first or await load()
    for attempt in range(ATTEMPTS):
        if attempt:
            await conversations.lock_conversation(tx, conversation)
            conversation = await load()
        said = await _said_before(tx, conversation, draft, actor)
        if said is None:
            if attempt or draft.files or draft.client_message_id or _is_taken_once(draft, conversation):
                await tx.begin()
            said = await _store(tx, conversation, draft, actor=actor, limit_per_minute=limit_per_minute, cause=cause)
        if said is not None:
            return said
    raise Conflict("The conversation changed too often; try again")


async def _said_before(tx: Tx, conversation: Conversation, draft: Draft, actor: Actor) -> Said | None:
    found = None
    if draft.client_message_id is not None:
        key = (conversation.account_id, conversation.id)
        found = await queries.find_by_client_message_id(tx, *key, draft.client_message_id)
    if found is None and _is_taken_once(draft, conversation):
        conversation, found = await _taken(tx, conversation, draft.source_id or "", actor)
    if found is None:
        return None
    return Said(message=found.snapshot(conversation), conversation=conversation, echo_id=draft.echo_id, is_new=False)


def _is_taken_once(draft: Draft, conversation: Conversation) -> bool:
    """Whether the inbox takes a message with this external id only once."""
    return draft.source_id is not None and conversation.deduplicates_source_ids


async def _taken(
    tx: Tx, conversation: Conversation, source_id: str, actor: Actor
) -> tuple[Conversation, Message | None]:
    """The inbox's message with this external id and its conversation, which may be another one.

    When it is gone, or where the caller may not see it, that the id is taken is all they are told.
    """
    message_id = await queries.find_by_source_id(tx, conversation.account_id, conversation.inbox_id, source_id)
    if message_id is None:
        return conversation, None
    conversation_id = await queries.find_place(tx, conversation.account_id, message_id)
    if conversation_id is None:
        raise SourceIdTaken
    try:
        place = await conversations.load_conversation_by_id(tx, actor, conversation_id)
    except (NotAuthorized, NotFound) as refusal:
        raise SourceIdTaken from refusal
    return place, await queries.find_message(tx, place.account_id, place.id, message_id)


async def _store(
    tx: Tx, conversation: Conversation, draft: Draft, *, actor: Actor, limit_per_minute: int, cause: str | None
) -> Said | None:
    """Write it; None when the conversation changed since it was read."""
    now = max(clock.now(), conversation.updated_at + timedelta(milliseconds=1))
    message = await _message(tx, conversation, draft, now)
    minute, count = _counted(conversation, draft, now, limit_per_minute)
    newest = conversation.newest()
    newest = newest.with_newer(message) if newest else LastMessages(newest=message)
    after = msgspec.structs.replace(conversation, **_moved(conversation, draft, now), updated_at=now)
    state = State(
        status=after.status,
        snoozed_until=after.snoozed_until,
        last_incoming_at=after.last_incoming_at,
        unread_count=after.unread_count,
        waiting_since=after.waiting_since,
        first_reply_created_at=after.first_reply_created_at,
        last_messages=newest,
        recent_minute=minute,
        recent_count=count,
        updated_at=now,
    )
    events = _events(conversation, after, message, newest, draft=draft, actor=actor, cause=cause)
    if not await storing.insert_message(tx, conversation, draft, message, state, _told(tx, events)):
        return None
    if message.attachments:
        await attachments.insert_attachments(tx, conversation, message.attachments)
    if draft.source_id is not None and conversation.deduplicates_source_ids:
        await storing.insert_source_id(tx, conversation.account_id, conversation.inbox_id, draft.source_id, message.id)
    return Said(message=message, conversation=after, echo_id=draft.echo_id)


async def _message(tx: Tx, conversation: Conversation, draft: Draft, now: datetime) -> MessageSnapshot:
    contact = conversation.contact() if draft.is_from_contact else None
    sender = contact or draft.sender
    message_id = conversation.reserved_id or 0
    return MessageSnapshot(
        id=message_id,
        account_id=conversation.account_id,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.display_id,
        message_type=draft.message_type,
        content_type=draft.content_type,
        content=draft.content,
        content_attributes=draft.content_attributes,
        additional_attributes=draft.additional_attributes,
        private=draft.private,
        status="sent",
        source_id=draft.source_id,
        sender_type=_sender_type(sender),
        sender_id=sender.id if sender else None,
        sender=sender,
        attachments=await _attachments(tx, conversation, draft, message_id),
        created_at=now,
        updated_at=now,
    )


def _sender_type(sender: object) -> str | None:
    if sender is None:
        return None
    return (
        "Contact" if isinstance(sender, ContactSnapshot) else "AgentBot" if isinstance(sender, BotSnapshot) else "User"
    )


async def _attachments(tx: Tx, conversation: Conversation, draft: Draft, message_id: int) -> list[AttachmentSnapshot]:
    if not draft.files:
        return []
    ids = await attachments.reserve_attachment_ids(tx, len(draft.files))
    return [
        AttachmentSnapshot(
            id=attachment_id,
            message_id=message_id,
            account_id=conversation.account_id,
            file_type=file.file_type,
            file_key=file.file_key,
            filename=file.filename,
            content_type=file.content_type,
            byte_size=file.byte_size,
            width=file.width,
            height=file.height,
        )
        for attachment_id, file in zip(ids, draft.files, strict=True)
    ]


def _counted(conversation: Conversation, draft: Draft, now: datetime, limit: int) -> tuple[datetime, int]:
    """The conversation's minute and how many messages it had in it; activities are not counted."""
    began = conversation.recent_minute
    if began is None or now - began >= MINUTE:
        began, count = now, 0
    else:
        count = conversation.recent_count
    if draft.message_type == ACTIVITY:
        return began, count
    if count >= limit:
        raise TooManyMessages
    return began, count + 1


def _moved(conversation: Conversation, draft: Draft, now: datetime) -> dict[str, Any]:
    """What a message changes: last signs of life, unread and waiting marks, and whether it opens the conversation."""
    moved: dict[str, Any] = {"last_activity_at": now}
    if draft.message_type == INCOMING:
        moved |= {"last_incoming_at": now, "unread_count": conversation.unread_count + 1}
        if conversation.waiting_since is None:
            moved["waiting_since"] = now
        if not conversation.contact_blocked and conversation.status in ("snoozed", "resolved"):
            is_for_bot = conversation.status == "resolved" and conversation.has_active_bot
            moved |= {"status": "pending" if is_for_bot else "open", "snoozed_until": None}
    elif draft.message_type == OUTGOING and not draft.private:
        if isinstance(draft.sender, BotSnapshot):
            moved["waiting_since"] = None
        elif draft.is_human:
            moved |= {
                "waiting_since": None,
                "first_reply_created_at": conversation.first_reply_created_at or now,
            }
    return moved


def _events(  # noqa: PLR0913 - both sides of the change
    before: Conversation,
    after: Conversation,
    message: MessageSnapshot,
    newest: LastMessages,
    *,
    draft: Draft,
    actor: Actor,
    cause: str | None,
) -> list[Event]:
    """What is told, in the contract's order: opened, the message, first reply, updated.

    What changed in the conversation has the message as its cause, unless something had the message said.
    """
    public = newest.newest_public
    conversation = after.snapshot(last_message=None if public is message else public)
    common: dict[str, Any] = {
        **by(actor),
        "account_id": after.account_id,
        "inbox_id": after.inbox_id,
        "conversation_id": after.id,
        "contact_id": after.contact_id,
        "cause": cause,
        "performer": snapshot_of(actor),
    }
    by_message = cause or f"{BY_MESSAGE}{message.id}"
    changes = changes_between(before, after)
    with_message = msgspec.structs.replace(conversation, last_message=public) if changes else conversation
    events: list[Event] = []
    if before.status != after.status:
        events += _opened(before, after, {**common, "snapshot": with_message, "cause": by_message})
    said: dict[str, Any] = {
        **common,
        "message_id": message.id,
        "snapshot": MessageInConversation(message=message, conversation=conversation, echo_id=draft.echo_id),
    }
    events.append(MessageCreated(**said))
    if before.first_reply_created_at != after.first_reply_created_at:
        events.append(FirstReplyCreated(**said))
    elif draft.is_human and before.waiting_since is not None and after.waiting_since is None:
        events.append(ReplyCreated(**said, waiting_since=iso(before.waiting_since)))
    watched = {"waiting_since", "first_reply_created_at", "status", "snoozed_until"}
    if not watched.isdisjoint(changes):
        updated: dict[str, Any] = {**common, "snapshot": with_message, "cause": by_message}
        events.append(ConversationUpdated(**updated, changes=changes))
    return events


def _opened(before: Conversation, after: Conversation, common: dict[str, Any]) -> list[ConversationEvent]:
    change = {"status": [before.status, after.status]}
    events: list[ConversationEvent] = []
    if after.status == "open":
        events.append(ConversationOpened(**common, changes=change))
    events.append(ConversationStatusChanged(**common, changes=change))
    return events


def _told(tx: Tx, events: list[Event]) -> Told:
    names, _, _, message_ids, _, actor_types, actor_ids, causes, changes, details, snapshots = event_values(tx, events)
    return Told(names, message_ids, causes, changes, details, snapshots, actor_types[0], actor_ids[0])
