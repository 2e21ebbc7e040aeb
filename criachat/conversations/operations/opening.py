"""Starting a conversation."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from criachat.contacts.models import Contact, ContactInbox
from criachat.conversations import access
from criachat.conversations.events import AssigneeChanged, ConversationCreated, ConversationEvent, TeamChanged
from criachat.conversations.models import Conversation, Opening
from criachat.conversations.operations.describing import check_attributes
from criachat.conversations.operations.saving import facts
from criachat.conversations.operations.status import status_named
from criachat.conversations.queries import (
    find_newest_of_contact,
    find_newest_of_session,
    hold_opening,
    lock_contact_inbox,
    writes,
)
from criachat.conversations.snapshots import Status
from criachat.inboxes.models import Inbox
from criachat.kit import directory
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.events import emit
from criachat.teams import access as teams
from criachat.users import access as users


async def open_conversation(
    tx: Tx, *, inbox: Inbox, contact: Contact, contact_inbox: ContactInbox, opening: Opening, actor: Actor
) -> tuple[Conversation, bool]:
    """A conversation in this session, and whether it is new.

    Where the inbox keeps one conversation for each session, the newest is given back unchanged, to whoever may open it.
    The session's row is locked first, so that two who write at once get the same.
    """
    if inbox.lock_to_single_conversation:
        await lock_contact_inbox(tx, inbox.account_id, contact_inbox.id)
        existing = await find_newest_of_session(tx, inbox.account_id, contact_inbox.id)
        if existing is not None:
            return await access.load_conversation(tx, actor, existing), False
    status = initial_status(opening.status, is_blocked=contact.blocked, has_active_bot=inbox.has_active_bot)
    checked = await _checked(tx, opening, actor)
    conversation = await writes.insert_conversation(tx, contact_inbox, checked, status=status, user_id=actor.user_id)
    await directory.register(tx, access.UUIDS, str(conversation.uuid), conversation.account_id, conversation.id)
    if conversation.assignee_id is not None:
        await writes.insert_participant(tx, conversation, conversation.assignee_id)
    await emit(tx, *_told(conversation, actor))
    return conversation, True


async def find_unresolved(tx: Tx, *, inbox: Inbox, contact: Contact, actor: Actor) -> Conversation | None:
    """The contact's newest conversation in the inbox that is not resolved; None when one is to be opened.

    Of many who ask at once, the others wait until this transaction ends, and then find what it opened.
    """
    await hold_opening(tx, inbox.account_id, inbox.id, contact.id)
    found = await find_newest_of_contact(tx, inbox.account_id, contact.id, inbox.id, with_resolved=contact.blocked)
    return None if found is None else await access.load_conversation(tx, actor, found)


def initial_status(wanted: str | None, *, is_blocked: bool, has_active_bot: bool) -> Status:
    """Resolved for a blocked contact, pending where a bot answers first, else what was asked for."""
    asked: Status = status_named(wanted) if wanted else "open"
    return "resolved" if is_blocked else "pending" if has_active_bot else asked


async def _checked(tx: Tx, opening: Opening, actor: Actor) -> Opening:
    """What was asked for, if it may be: an assignee or a team the account does not have is not found."""
    check_attributes(opening.custom_attributes)
    additional_attributes = _clean(opening.additional_attributes)
    check_attributes(additional_attributes, field="additional_attributes")
    if opening.assignee_id is not None and await users.find_colleague(tx, actor, opening.assignee_id) is None:
        raise NotFound
    if opening.team_id is not None and await teams.find_team(tx, actor, opening.team_id) is None:
        raise NotFound
    return msgspec.structs.replace(opening, additional_attributes=additional_attributes)


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
    common = facts(conversation, actor=actor)
    events: list[ConversationEvent] = [ConversationCreated(**common)]
    if conversation.assignee_id is not None:
        events.append(AssigneeChanged(**common, previous=None, current=conversation.assignee_id))
    if conversation.team_id is not None:
        events.append(TeamChanged(**common, previous=None, current=conversation.team_id))
    return events
