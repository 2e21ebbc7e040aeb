"""Opening a conversation, with its first message."""

from __future__ import annotations

import msgspec

from criachat.contacts import access as contacts
from criachat.contacts import operations as contact_operations
from criachat.contacts.models import Contact, ContactInbox
from criachat.conversations import access as conversations
from criachat.conversations.errors import PlaceUnknown, SourceUnknown
from criachat.conversations.models import Conversation, Opening
from criachat.conversations.operations.opening import find_unresolved
from criachat.conversations.operations.opening import open_conversation as start
from criachat.conversations.operations.status import from_iso
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import Inbox
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.messages.drafting import draft_of
from criachat.messages.errors import MessageInvalid
from criachat.messages.models import Said, StoredFile
from criachat.messages.operations.saying import SEQUENCE, say
from criachat.messages.schemas import ComposeParams, MessageParams, OpeningParams
from criachat.messages.uploading import KeptFiles


async def open_with_message(
    tx: Tx, params: OpeningParams, kept: KeptFiles, *, actor: Actor, limit_per_minute: int
) -> tuple[Conversation, Said | None]:
    """The conversation that was opened, or found where the inbox keeps one; both it and the message, or neither.

    A message without a single one of its fields is none.
    """
    inbox, contact, session = await _session(tx, params, actor)
    await tx.begin()
    conversation, _ = await start(
        tx, inbox=inbox, contact=contact, contact_inbox=session, opening=_opening(params), actor=actor
    )
    return await _with_message(tx, conversation, params, kept, actor=actor, limit_per_minute=limit_per_minute)


async def find_or_open_with_message(
    tx: Tx, params: OpeningParams, kept: KeptFiles, *, actor: Actor, limit_per_minute: int
) -> tuple[Conversation, Said | None]:
    """The contact's conversation in the inbox that goes on, unchanged, or a new one; the message is added to either."""
    if params.inbox_id is None or params.contact_id is None:
        raise PlaceUnknown
    inbox = await inboxes.load_inbox(tx, actor, params.inbox_id)
    contact = await contacts.load_contact(tx, actor, params.contact_id)
    await tx.begin()
    conversation = await find_unresolved(tx, inbox=inbox, contact=contact, actor=actor)
    if conversation is None:
        session = await _session_of(tx, contact, inbox, params)
        opening = _opening(params)
        conversation, _ = await start(
            tx, inbox=inbox, contact=contact, contact_inbox=session, opening=opening, actor=actor
        )
    return await _with_message(tx, conversation, params, kept, actor=actor, limit_per_minute=limit_per_minute)


async def compose(
    tx: Tx, params: ComposeParams, kept: KeptFiles, *, actor: Actor, limit_per_minute: int
) -> tuple[Contact, Conversation, Said | None]:
    """Write to somebody: they are found or made, and so is the conversation that goes on with them. All, or nothing."""
    contact = await contact_operations.upsert_contact(tx, params.contact, actor=actor)
    there = msgspec.structs.replace(params, contact_id=contact.id)
    found = await find_or_open_with_message(tx, there, kept, actor=actor, limit_per_minute=limit_per_minute)
    return contact, *found


async def _session_of(tx: Tx, contact: Contact, inbox: Inbox, params: OpeningParams) -> ContactInbox:
    """The session that was named, or the contact's newest in the inbox."""
    if not params.source_id:
        return await contact_operations.reuse_contact_inbox(tx, contact, inbox)
    return await contact_operations.find_or_create_contact_inbox(
        tx, contact, inbox, source_id=params.source_id, hmac_verified=bool(params.hmac_verified)
    )


async def _with_message(
    tx: Tx, conversation: Conversation, params: OpeningParams, kept: KeptFiles, *, actor: Actor, limit_per_minute: int
) -> tuple[Conversation, Said | None]:
    """The conversation as it is with its message, and the message, if there is one to be said."""
    if params.message is None or params.message == MessageParams():
        return conversation, None
    try:
        files = kept.taken()
        said = await add_message(
            tx, conversation, params.message, files, actor=actor, limit_per_minute=limit_per_minute
        )
    except MessageInvalid as refusal:
        raise refusal.of_record() from refusal
    return await conversations.load_again(tx, conversation, actor=actor), said


async def add_message(  # noqa: PLR0913 - what is said, by whom, why, and how often
    tx: Tx,
    conversation: Conversation,
    params: MessageParams,
    files: tuple[StoredFile, ...] = (),
    *,
    actor: Actor,
    limit_per_minute: int,
    cause: str | None = None,
) -> Said:
    """Say something in a conversation that the caller was let into, or began, in this transaction."""

    async def load() -> Conversation:
        key = conversation.account_id, conversation.display_id
        found = await conversations.find_conversation(tx, *key, sequence=SEQUENCE)
        if found is None:
            raise NotFound
        return found

    draft = await draft_of(tx, conversation, params, actor=actor, files=files)
    return await say(tx, load, draft, actor=actor, limit_per_minute=limit_per_minute, cause=cause)


async def _session(tx: Tx, params: OpeningParams, actor: Actor) -> tuple[Inbox, Contact, ContactInbox]:
    """The inbox, the contact and the session it is opened in."""
    if params.inbox_id is not None and params.contact_id is not None:
        inbox = await inboxes.load_inbox(tx, actor, params.inbox_id)
        contact = await contacts.load_contact(tx, actor, params.contact_id)
        session = await contact_operations.find_or_create_contact_inbox(
            tx, contact, inbox, source_id=params.source_id, hmac_verified=bool(params.hmac_verified)
        )
        return inbox, contact, session
    if not params.source_id:
        raise SourceUnknown
    found = await contacts.find_contact_inbox_by_source_id(tx, actor, params.source_id)
    if found is None:
        raise NotFound
    inbox = await inboxes.load_inbox(tx, actor, found.inbox_id)
    return inbox, await contacts.load_contact(tx, actor, found.contact_id), found


def _opening(params: OpeningParams) -> Opening:
    return Opening(
        status=params.status or None,
        snoozed_until=from_iso(params.snoozed_until),
        assignee_id=params.assignee_id or None,
        team_id=params.team_id or None,
        custom_attributes=params.custom_attributes or {},
        additional_attributes=params.additional_attributes or {},
    )
