"""What an end user may reach: their own session, and all of their contact's once it proved who they are."""

from __future__ import annotations

from criachat.contacts import access as contacts
from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation, ListFilter
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.errors import NoSuchPage

MOST_CONVERSATIONS = 100


async def load_conversation(db: Db, actor: Actor, display_id: int, *, sequence: str | None = None) -> Conversation:
    """The conversation with this number, if the caller's session may open it; else it is as if there were none.

    Only for a conversation of another session is it asked whether the caller's own has proved who they are.
    """
    found = await conversations.load_own_conversation(db, actor, display_id, is_verified=True, sequence=sequence)
    if found.contact_inbox_id != actor.contact_inbox_id and not await _is_verified(db, actor):
        raise NoSuchPage
    return found


async def list_conversations(db: Db, actor: Actor) -> list[Conversation]:
    """The newest hundred conversations of the session, or of its contact once it is verified; oldest first."""
    is_verified = await _is_verified(db, actor)
    filters = ListFilter(
        status=None,
        contact_id=actor.id if is_verified else None,
        contact_inbox_id=None if is_verified else actor.contact_inbox_id,
    )
    found = await conversations.list_conversations(db, actor, filters, sort="created_at_desc", limit=MOST_CONVERSATIONS)
    return found[::-1]


async def _is_verified(db: Db, actor: Actor) -> bool:
    session = await contacts.find_contact_inbox_by_id(db, actor.account_id, actor.contact_inbox_id or 0)
    return session is not None and session.hmac_verified
