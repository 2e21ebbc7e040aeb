"""The conversations of an end user's session."""

from __future__ import annotations

from criachat.client_api import access
from criachat.client_api.paths import CONVERSATIONS
from criachat.client_api.schemas import OpeningParams, PublicConversationOut, TypingParams, public_conversation_out
from criachat.contacts import access as contacts
from criachat.conversations.models import Conversation, Opening
from criachat.conversations.operations import describing, status
from criachat.conversations.operations.opening import open_conversation as start
from criachat.conversations.typing import publish_typing
from criachat.kit import clock
from criachat.kit.actors import CONTACT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes
from criachat.kit.signals import Signals
from criachat.messages import access as messages
from criachat.messages.operations.changing import mark_read_by_contact
from criachat.users.shown import Shown

EMBEDDED = 100

routes = Routes(CONVERSATIONS, tag="Client API")


@routes.get(actors=CONTACT)
async def list_conversations(db: Db, actor: Actor, shown: Shown) -> list[PublicConversationOut]:
    """The session's conversations of every status, oldest first, each with its newest 100 messages.

    A verified session sees all conversations of its contact. The newest 100 conversations are shown.
    """
    found = await access.list_conversations(db, actor)
    recent = await messages.list_recent_for_contact(db, found, limit=EMBEDDED)
    contact = await contacts.load_contact(db, actor, actor.id or 0)
    return [public_conversation_out(each, recent[each.id], contact, shown) for each in found]


@routes.post(actors=CONTACT)
async def open_conversation(tx: Tx, actor: Actor, shown: Shown, params: OpeningParams) -> PublicConversationOut:
    """Open a conversation; an inbox that keeps one for each session answers with the newest, unchanged."""
    inbox = await access.load_inbox(tx, actor)
    session = await access.load_session(tx, actor)
    contact = await contacts.load_contact(tx, actor, session.contact_id)
    opening = Opening(custom_attributes=params.custom_attributes)
    conversation, _ = await start(tx, inbox=inbox, contact=contact, contact_inbox=session, opening=opening, actor=actor)
    return await _shown(tx, actor, conversation, shown)


@routes.get("/{conversation_id}", actors=CONTACT)
async def show_conversation(
    db: Db, actor: Actor, request: Request, shown: Shown, conversation_id: int
) -> PublicConversationOut:
    """One conversation with its newest 100 messages."""
    return await _shown(db, actor, await access.load_conversation(db, actor, request, conversation_id), shown)


@routes.post("/{conversation_id}/toggle_status", actors=CONTACT)
async def resolve_conversation(
    tx: Tx, actor: Actor, request: Request, shown: Shown, conversation_id: int
) -> PublicConversationOut:
    """Resolve it, whatever its status; the next message of the contact opens it again."""
    conversation = await access.load_conversation(tx, actor, request, conversation_id)
    return await _shown(tx, actor, await status.resolve_as_contact(tx, conversation, actor=actor), shown)


@routes.post("/{conversation_id}/toggle_typing", actors=CONTACT, is_idempotent=False)
async def toggle_typing(
    db: Db, actor: Actor, request: Request, signals: Signals, conversation_id: int, params: TypingParams
) -> None:
    """Show, or stop showing, the team that the contact types."""
    conversation = await access.load_conversation(db, actor, request, conversation_id)
    if params.typing_status in ("on", "off"):
        await publish_typing(signals, conversation, typist=None, is_on=params.typing_status == "on")


@routes.post("/{conversation_id}/update_last_seen", actors=CONTACT)
async def update_last_seen(tx: Tx, actor: Actor, request: Request, conversation_id: int) -> None:
    """The contact has seen everything up to now."""
    conversation = await access.load_conversation(tx, actor, request, conversation_id)
    seen_at = clock.now()
    conversation = await describing.mark_seen_by_contact(tx, conversation, actor=actor)
    await mark_read_by_contact(tx, conversation, until=seen_at, actor=actor)


async def _shown(db: Db, actor: Actor, conversation: Conversation, shown: Shown) -> PublicConversationOut:
    recent = await messages.list_recent_for_contact(db, [conversation], limit=EMBEDDED)
    contact = await contacts.load_contact(db, actor, conversation.contact_id)
    return public_conversation_out(conversation, recent[conversation.id], contact, shown)
