"""Messages, over HTTP; and what moves messages along: opening a conversation with its first, and merging contacts."""

from __future__ import annotations

from msgspec import UNSET

from criachat.contacts import access as contacts
from criachat.contacts.schemas import ContactOut, contact_out
from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.conversations.schemas import ConversationOut, conversation_out, sender_out
from criachat.inboxes.models import API
from criachat.kit.actors import ADMINISTRATOR, AGENT, BOT, Actor
from criachat.kit.db import Database, Db, Tx
from criachat.kit.errors import NotFound, ScopeMissing
from criachat.kit.files import Blob, Files
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes
from criachat.kit.http.uploads import Upload
from criachat.kit.http.versions import Versioned
from criachat.kit.settings import Settings
from criachat.kit.times import iso_or_none
from criachat.messages import access
from criachat.messages.drafting import draft_of
from criachat.messages.errors import (
    CannotRetry,
    HistoryMissing,
    HistoryNotAllowed,
    NothingUploaded,
    StatusUpdateNotAllowed,
)
from criachat.messages.importing import import_lines, read_lines
from criachat.messages.operations import changing, opening, uploads
from criachat.messages.operations.merging import load_contacts_to_merge, merge_contacts
from criachat.messages.operations.saying import SEQUENCE, say
from criachat.messages.schemas import (
    ComposedOut,
    ComposeParams,
    HistoryParams,
    ListParams,
    MergeParams,
    MessageChangeParams,
    MessageOut,
    MessageParams,
    OpeningParams,
    ThreadMetaOut,
    ThreadOut,
    TranslationOut,
    TranslationParams,
    UploadOut,
    UploadParams,
    cursor_of,
    message_out,
)
from criachat.messages.translating import Translator, check_language
from criachat.messages.uploading import KeptFiles
from criachat.users.shown import Shown
from criachat.users.snapshots import UserSnapshot

opening_routes = Routes("/api/v1/accounts/{account_id}/conversations", tag="Conversations", scope="conversations")
merging_routes = Routes("/api/v1/accounts/{account_id}/actions", tag="Contacts", scope="contacts")
upload_routes = Routes("/api/v1/accounts/{account_id}/upload", tag="Messages", scope="messages")
routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}/messages", tag="Messages", scope="messages"
)


@opening_routes.post(actors=AGENT | BOT, files=("message[attachments]",))
async def open_conversation(
    tx: Tx, actor: Actor, settings: Settings, shown: Shown, params: OpeningParams, kept: KeptFiles
) -> Versioned[ConversationOut]:
    """Open a conversation with a contact, with its first message when one is given.

    Give `inbox_id` and `contact_id`, or the `source_id` of a session. An inbox that keeps one conversation for each
    session answers with the newest, unchanged; the message is added to it.
    """
    limit = settings.message_per_minute_limit
    conversation = await opening.open_with_message(tx, params, kept, actor=actor, limit_per_minute=limit)
    return Versioned(conversation_out(conversation, shown), conversation.version)


@opening_routes.post("/find_or_create", actors=AGENT | BOT, files=("message[attachments]",))
async def find_or_open_conversation(
    tx: Tx, actor: Actor, settings: Settings, shown: Shown, params: OpeningParams, kept: KeptFiles
) -> Versioned[ConversationOut]:
    """The conversation of `contact_id` in `inbox_id` that is not resolved, unchanged; a new one when there is none.

    Of many who ask at once, one opens it. The message is added either way. Without a `source_id`, a new one is opened
    in the contact's newest session of the inbox.
    """
    limit = settings.message_per_minute_limit
    conversation = await opening.find_or_open_with_message(tx, params, kept, actor=actor, limit_per_minute=limit)
    return Versioned(conversation_out(conversation, shown), conversation.version)


@opening_routes.post("/compose", actors=AGENT | BOT, files=("message[attachments]",))
async def compose_message(
    tx: Tx, actor: Actor, settings: Settings, shown: Shown, params: ComposeParams, kept: KeptFiles
) -> ComposedOut:
    """Write to somebody in one call, however often it is made: `contact`, `inbox_id` and `message`.

    The contact with that identifier, e-mail or phone number is changed as sent, or made; the message goes into their
    conversation in the inbox that is not resolved, or into a new one.
    """
    if not actor.covers("contacts:write"):
        raise ScopeMissing("contacts:write")
    limit = settings.message_per_minute_limit
    contact, conversation = await opening.compose(tx, params, kept, actor=actor, limit_per_minute=limit)
    newest = conversation.newest()
    return ComposedOut(
        contact=contact_out(contact, shown),
        conversation=conversation_out(conversation, shown),
        message=None if newest is None else message_out(newest.newest, shown),
    )


@merging_routes.post("/contact_merge", actors=AGENT)
async def merge_two_contacts(tx: Tx, actor: Actor, shown: Shown, params: MergeParams) -> ContactOut:
    """Make two contacts one: the base takes over what the other has, and what it lacks; the other is gone."""
    if params.base_contact_id == params.mergee_contact_id:
        return contact_out(await contacts.load_contact(tx, actor, params.base_contact_id), shown)
    base, mergee = await load_contacts_to_merge(tx, actor, params.base_contact_id, params.mergee_contact_id)
    return contact_out(await merge_contacts(tx, base, mergee, actor=actor), shown)


@routes.get(actors=AGENT)
async def list_messages(db: Db, actor: Actor, shown: Shown, conversation_id: int, params: ListParams) -> ThreadOut:
    """A page of the thread, oldest first.

    Without cursors the newest 20; `before` alone the 20 before that id; `after` alone the first 100 behind it; both,
    up to 1000 from `after` (itself included) to `before`. Of long messages there are fewer behind `after`: the page
    ends at four megabytes.
    """
    conversation = await conversations.load_conversation(db, actor, conversation_id)
    found = await access.list_messages(
        db,
        conversation,
        before=cursor_of(params.before),
        after=cursor_of(params.after),
        without_internal=params.filter_internal_messages not in (None, ""),
    )
    return ThreadOut(
        meta=_meta(conversation, shown),
        payload=[message_out(message.snapshot(conversation), shown) for message in found],
    )


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


@routes.post("/import", actors=ADMINISTRATOR, files=("import_file",))
async def import_history(database: Database, actor: Actor, conversation_id: int, params: HistoryParams) -> Stream:
    """Take in what was said elsewhere before, oldest first, each `source_id` once; nobody is told of it.

    `import_file` has one message as JSON on each line: `source_id`, `content`, `message_type`, `created_at`, and where
    wanted `private`, `sender_id`, `content_attributes`. Each line of the answer tells how far it has come; the last one
    says `done`. Sent again, it goes on where it broke off.
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


@upload_routes.post(actors=AGENT, files=("attachment",), limit="upload")
async def upload_file(tx: Tx, actor: Actor, files: Files, params: UploadParams, kept: KeptFiles) -> UploadOut:
    """Send a file, or the `external_url` it is to be fetched from, ahead of the messages, macros or rules that name it.

    Its `blob_id` is good for a day at least; a message that names it among its `attachments` carries a copy.
    """
    stored = kept.taken()
    if not stored:
        raise NothingUploaded
    upload = await uploads.keep_upload(tx, actor.account_id, stored[0])
    signed_id = files.signed_id(Blob(upload.account_id, upload.id), purpose="upload", valid_for=uploads.NAMED_FOR)
    return UploadOut(file_url=files.upload_url(signed_id, upload.filename), blob_id=signed_id)


def _meta(conversation: Conversation, shown: Shown) -> ThreadMetaOut:
    assignee = conversation.assignee
    account_id = conversation.account_id
    return ThreadMetaOut(
        labels=conversation.labels,
        additional_attributes=conversation.additional_attributes,
        contact=sender_out(conversation.contact(), shown, account_id),
        assignee=sender_out(assignee, shown, account_id) if isinstance(assignee, UserSnapshot) else UNSET,
        agent_last_seen_at=iso_or_none(conversation.agent_last_seen_at),
        assignee_last_seen_at=iso_or_none(conversation.assignee_last_seen_at),
    )
