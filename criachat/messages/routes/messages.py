"""What is said in a thread, over HTTP."""

from __future__ import annotations

from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.inboxes.models import API
from criachat.kit.actors import AGENT, BOT, Actor
from criachat.kit.db import Database, Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.routes import Routes
from criachat.kit.settings import Settings
from criachat.messages import access
from criachat.messages.drafting import draft_of
from criachat.messages.errors import CannotRetry, StatusUpdateNotAllowed
from criachat.messages.models import Page
from criachat.messages.operations import changing
from criachat.messages.operations.saying import SEQUENCE, say
from criachat.messages.reading import ThreadOut, thread_out
from criachat.messages.schemas import (
    ListParams,
    MessageChangeParams,
    MessageOut,
    MessageParams,
    TranslationOut,
    TranslationParams,
    cursor_of,
    message_out,
)
from criachat.messages.translating import Translator, check_language
from criachat.messages.uploading import KeptFiles
from criachat.users.roster import Roster
from criachat.users.shown import Shown

routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}/messages", tag="Messages", scope="messages"
)


@routes.get(actors=AGENT)
async def list_messages(
    db: Db, actor: Actor, roster: Roster, shown: Shown, conversation_id: int, params: ListParams
) -> ThreadOut:
    """A page of the thread, oldest first.

    Without cursors the newest 20; `before` alone the 20 before that id; `after` alone the first 100 behind it; both,
    up to 1000 from `after` (itself included) to `before`. Of long messages there are fewer behind `after`: the page
    ends at four megabytes.
    """
    page = Page(
        before=cursor_of(params.before),
        after=cursor_of(params.after),
        without_internal=params.filter_internal_messages not in (None, ""),
    )
    thread = await access.load_thread(db, roster, actor, conversation_id, page)
    return thread_out(thread, shown)


@routes.post(actors=AGENT | BOT, plain_errors=True, files=("attachments",))
async def create_message(  # noqa: PLR0913 - what saying something takes
    tx: Tx,
    actor: Actor,
    settings: Settings,
    shown: Shown,
    conversation_id: int,
    params: MessageParams,
    kept: KeptFiles,
) -> MessageOut:
    """Say something: a reply, a private note, or, in an API inbox, what the customer said.

    `client_message_id` makes it safe to send the same message again: the first one is answered.
    """

    async def load() -> Conversation:
        return await conversations.load_conversation_and_reserve(tx, actor, conversation_id, sequence=SEQUENCE)

    conversation = await load()
    draft = await draft_of(tx, conversation, params, actor=actor, files=kept.taken())
    said = await say(
        tx, load, draft, actor=actor, limit_per_minute=settings.message_per_minute_limit, first=conversation
    )
    return message_out(said.message, shown, echo_id=said.echo_id)


@routes.update("/{message_id}", actors=AGENT)
async def report_status(
    tx: Tx, actor: Actor, shown: Shown, conversation_id: int, message_id: int, params: MessageChangeParams
) -> MessageOut:
    """Report what became of a message of an API inbox: `sent`, `delivered`, `read` or `failed`."""
    conversation = await conversations.load_conversation(tx, actor, conversation_id)
    if conversation.channel_type != API:
        raise StatusUpdateNotAllowed
    status = params.status if isinstance(params.status, str) else None
    message, after = await changing.report_status(
        tx, conversation, message_id, status=status, error=params.external_error, actor=actor
    )
    return message_out(message.snapshot(after), shown)


@routes.delete("/{message_id}", actors=AGENT)
async def delete_message(tx: Tx, actor: Actor, shown: Shown, conversation_id: int, message_id: int) -> MessageOut:
    """Take a message back: a placeholder stays in its place, its attachments go."""
    conversation = await conversations.load_conversation(tx, actor, conversation_id)
    message, after = await changing.delete_message(tx, conversation, message_id, actor=actor)
    return message_out(message.snapshot(after), shown)


@routes.post("/{message_id}/retry", actors=AGENT)
async def retry_message(tx: Tx, actor: Actor, shown: Shown, conversation_id: int, message_id: int) -> MessageOut:
    """Send a message that failed once more, now. What else it carries stays."""
    conversation = await conversations.load_conversation(tx, actor, conversation_id)
    try:
        message, after = await changing.retry_message(tx, conversation, message_id, actor=actor)
    except NotFound as refusal:
        raise CannotRetry from refusal
    return message_out(message.snapshot(after), shown)


@routes.post("/{message_id}/translate", actors=AGENT)
async def translate_message(
    database: Database,
    translator: Translator,
    actor: Actor,
    conversation_id: int,
    message_id: int,
    params: TranslationParams,
) -> TranslationOut:
    """The message in another language, `target_language`; it is asked for once and kept beside the message."""
    language = check_language(params.target_language)
    async with database.reading() as db:
        conversation = await conversations.load_conversation(db, actor, conversation_id)
        message = await access.load_message(db, conversation, message_id)
    known = changing.translations_of(message)
    if language in known:
        return TranslationOut(content=known[language])
    text, is_html = changing.text_to_translate(message)
    if not translator.is_there:
        return TranslationOut(content=None, error="No translation service is set up")
    translated = await translator.translate(text, language, is_html=is_html)
    async with database.transaction() as tx:
        kept = await changing.keep_translation(tx, conversation, message, language, translated, actor=actor)
    return TranslationOut(content=kept)
