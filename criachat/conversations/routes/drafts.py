"""What somebody began to write in a conversation, over HTTP. There is one draft, which everybody finds."""

from __future__ import annotations

from msgspec import UNSET

from criachat.conversations import access
from criachat.conversations.errors import DraftTooLong
from criachat.conversations.queries import drafts
from criachat.conversations.schemas import DraftOut, DraftParams
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes

# As long as a message may be.
LONGEST_DRAFT = 150_000

routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}/draft_messages",
    tag="Conversations",
    scope="conversations",
)


@routes.get(actors=AGENT)
async def show_draft(db: Db, actor: Actor, conversation_id: int) -> DraftOut:
    """What was begun, if anything was."""
    conversation = await access.load_conversation(db, actor, conversation_id)
    message = await drafts.find_draft(db, conversation)
    return DraftOut(has_draft=message is not None, message=UNSET if message is None else message)


@routes.update(actors=AGENT)
async def keep_draft(tx: Tx, actor: Actor, conversation_id: int, params: DraftParams) -> None:
    """Keep what was begun, instead of what was kept before; nothing is told of it."""
    conversation = await access.load_conversation(tx, actor, conversation_id)
    if len(params.text) > LONGEST_DRAFT:
        raise DraftTooLong
    await drafts.set_draft(tx, conversation, params.text)


@routes.delete(actors=AGENT)
async def delete_draft(tx: Tx, actor: Actor, conversation_id: int) -> None:
    """Forget what was begun."""
    await drafts.delete_draft(tx, await access.load_conversation(tx, actor, conversation_id))
