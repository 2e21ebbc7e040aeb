"""Starting a conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from criachat.contacts.models import Contact, ContactInbox
from criachat.conversations import access
from criachat.conversations.errors import UnknownStatus
from criachat.conversations.events import AssigneeChanged, ConversationCreated, ConversationEvent, TeamChanged
from criachat.conversations.models import Conversation
from criachat.conversations.operations.describing import check_attributes
from criachat.conversations.operations.status import STATUSES
from criachat.conversations.queries import find_newest_of_session, lock_contact_inbox, writes
from criachat.inboxes.models import Inbox
from criachat.kit import directory
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.events import by, emit
from criachat.users.snapshots import snapshot_of

UUIDS = "conversation_uuid"


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants a new conversation to be."""

    status: str | None = None
    snoozed_until: datetime | None = None
    assignee_id: int | None = None
    team_id: int | None = None
    custom_attributes: dict[str, Any] = {}
    additional_attributes: dict[str, Any] = {}


async def open_conversation(
    tx: Tx, *, inbox: Inbox, contact: Contact, contact_inbox: ContactInbox, opening: Opening, actor: Actor
) -> tuple[Conversation, bool]:
    """A conversation in this session, and whether it is new.

    Where the inbox keeps one conversation for each session, the newest is given back unchanged. The session's row is
    locked first, so that two who write at once get the same.
    """
    account_id = inbox.account_id
    if inbox.lock_to_single_conversation:
        await lock_contact_inbox(tx, account_id, contact_inbox.id)
        existing = await find_newest_of_session(tx, account_id, contact_inbox.id)
        if existing is not None:
            return await access.load_conversation_of_session(tx, actor, existing), False
    check_attributes(opening.custom_attributes)
    check_attributes(opening.additional_attributes)
    status = initial_status(opening.status, is_blocked=contact.blocked, has_active_bot=inbox.has_active_bot)
    inserted = await writes.insert_conversation(
        tx,
        account_id=account_id,
        inbox_id=inbox.id,
        contact_id=contact.id,
        contact_inbox_id=contact_inbox.id,
        status=status,
        snoozed_until=opening.snoozed_until if status == "snoozed" else None,
        assignee_id=opening.assignee_id,
        team_id=opening.team_id,
        custom_attributes=opening.custom_attributes,
        additional_attributes=_clean(opening.additional_attributes),
    )
    await directory.register(tx, UUIDS, inserted.uuid, account_id, inserted.id)
    conversation = await access.find_conversation_by_id(tx, account_id, inserted.id)
    if conversation is None:
        raise NotFound
    await emit(tx, *_told(conversation, actor))
    return conversation, True


def initial_status(wanted: str | None, *, is_blocked: bool, has_active_bot: bool) -> str:
    """Resolved for a blocked contact, pending where a bot answers first, else what was asked for."""
    if wanted and wanted not in STATUSES:
        raise UnknownStatus
    return "resolved" if is_blocked else "pending" if has_active_bot else wanted or "open"


def _clean(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes with a referer that is no address nulled."""
    referer = attributes.get("referer")
    if referer is None:
        return attributes
    try:
        is_address = isinstance(referer, str) and urlsplit(referer).scheme in ("http", "https")
    except ValueError:
        is_address = False
    return attributes if is_address else {**attributes, "referer": None}


def _told(conversation: Conversation, actor: Actor) -> list[ConversationEvent]:
    common: dict[str, Any] = {
        **by(actor),
        "account_id": conversation.account_id,
        "inbox_id": conversation.inbox_id,
        "conversation_id": conversation.id,
        "contact_id": conversation.contact_id,
        "snapshot": conversation.snapshot(),
        "performer": snapshot_of(actor),
    }
    events: list[ConversationEvent] = [ConversationCreated(**common)]
    if conversation.assignee_id is not None:
        events.append(AssigneeChanged(**common, previous=None, current=conversation.assignee_id))
    if conversation.team_id is not None:
        events.append(TeamChanged(**common, previous=None, current=conversation.team_id))
    return events
