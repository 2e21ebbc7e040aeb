"""What belongs to a whole thread, over HTTP: its attachments, and its transcript by mail."""

from __future__ import annotations

from criachat.conversations import access as conversations
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.kit.paging import page_of
from criachat.messages import queries
from criachat.messages.operations import transcribing
from criachat.messages.queries import attachments
from criachat.messages.schemas import (
    AttachmentsMetaOut,
    AttachmentsOut,
    AttachmentsParams,
    TranscriptParams,
    attachment_in_thread_out,
)
from criachat.users.shown import Shown

PAGE = 100

routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}", tag="Conversations", scope="conversations"
)


@routes.get("/attachments", actors=AGENT)
async def list_attachments(
    db: Db, actor: Actor, shown: Shown, conversation_id: int, params: AttachmentsParams
) -> AttachmentsOut:
    """A page of 100 of its attachments, those of private notes included, newest first."""
    conversation = await conversations.load_conversation(db, actor, conversation_id)
    key = (conversation.account_id, conversation.id)
    count = await attachments.count_attachments(db, *key)
    found = await attachments.list_attachments(db, *key, limit=PAGE, offset=(page_of(params.page) - 1) * PAGE)
    written = (
        await queries.list_messages_by_id(db, conversation.account_id, [each.message_id for each in found])
        if found
        else []
    )
    messages = {message.id: message.snapshot(conversation) for message in written}
    # A message that was taken back this very moment takes its attachments along.
    payload = [
        attachment_in_thread_out(each, messages[each.message_id], shown)
        for each in found
        if each.message_id in messages
    ]
    return AttachmentsOut(meta=AttachmentsMetaOut(total_count=count), payload=payload)


@routes.post("/transcript", actors=AGENT, limit="transcript")
async def send_transcript(tx: Tx, actor: Actor, conversation_id: int, params: TranscriptParams) -> None:
    """Send what was said in public to an address, soon; nothing of notes, activities and what was said by itself."""
    conversation = await conversations.load_conversation(tx, actor, conversation_id)
    await transcribing.request_transcript(tx, conversation, params.email, actor=actor)
