"""What an end user may reach: their own session, and all of their contact's once it proved who they are."""

from __future__ import annotations

from criachat.contacts import access as contacts
from criachat.contacts.models import ContactInbox
from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation, ListFilter, Part
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import Inbox
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.errors import NoSuchPage
from criachat.kit.http.request import Request

MOST_CONVERSATIONS = 100


async def load_inbox(db: Db, actor: Actor) -> Inbox:
    """The inbox the caller named."""
    inbox = await inboxes.find_inbox(db, actor.account_id, actor.inbox_id or 0)
    if inbox is None:
        raise NoSuchPage
    return inbox


async def load_session(db: Db, actor: Actor) -> ContactInbox:
    """The caller's session as it is now."""
    session = await contacts.find_contact_inbox_by_id(db, actor.account_id, actor.contact_inbox_id or 0)
    if session is None:
        raise NoSuchPage
    return session


def found_conversation(request: Request) -> Conversation | None:
    """The conversation that was found along with the caller, when it was begun in their session."""
    return request.found if isinstance(request.found, Conversation) else None


async def load_conversation(db: Db, actor: Actor, request: Request, display_id: int) -> Conversation:
    """The conversation with this number, if the caller's session may open it; else it is as if there were none."""
    return found_conversation(request) or await load_conversation_again(db, actor, display_id)


async def load_conversation_again(
    db: Db, actor: Actor, display_id: int, *, sequence: str | None = None
) -> Conversation:
    """The same as it is now, with the next number of a sequence as its `reserved_id` when one is named."""
    return await conversations.load_own_conversation(
        db, actor, display_id, is_verified=actor.is_verified, sequence=sequence
    )


async def list_conversations(db: Db, actor: Actor) -> list[Conversation]:
    """The newest hundred conversations of the session, or of its contact once it is verified; oldest first."""
    filters = ListFilter(
        status=None,
        contact_id=actor.id if actor.is_verified else None,
        contact_inbox_id=None if actor.is_verified else actor.contact_inbox_id,
    )
    newest = Part(sort="created_at_desc", limit=MOST_CONVERSATIONS)
    found = await conversations.list_conversations(db, actor, filters, newest)
    return found[::-1]
