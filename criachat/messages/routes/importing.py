"""Importing the history of a conversation, over HTTP."""

from __future__ import annotations

from criachat.conversations import access as conversations
from criachat.inboxes.models import API
from criachat.kit.actors import ADMINISTRATOR, Actor
from criachat.kit.db import Database
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes
from criachat.kit.http.uploads import Upload
from criachat.messages.errors import HistoryMissing, HistoryNotAllowed
from criachat.messages.importing import import_lines, read_lines
from criachat.messages.schemas import HistoryParams

routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}/messages/import", tag="Messages", scope="messages"
)


@routes.post(actors=ADMINISTRATOR, files=("import_file",))
async def import_history(database: Database, actor: Actor, conversation_id: int, params: HistoryParams) -> Stream:
    """Take in what was said elsewhere before, oldest first, each `source_id` once; nobody is told of it.

    `import_file` has one message as JSON on each line: `source_id`, `content`, `message_type`, `created_at`, and where
    wanted `private`, `sender_id`, `content_attributes`. The file may also be the whole body, as `application/x-ndjson`.
    Each line of the answer tells how far it has come; the last one says `done`. Sent again, it goes on where it broke
    off.
    """
    async with database.reading() as db:
        conversation = await conversations.load_conversation(db, actor, conversation_id)
    if conversation.channel_type != API:
        raise HistoryNotAllowed
    if not isinstance(params.import_file, Upload):
        raise HistoryMissing
    lines = await read_lines(params.import_file)
    told = import_lines(database, conversation_id, lines, actor=actor)
    return Stream(told, content_type="application/x-ndjson")
