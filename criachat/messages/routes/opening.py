"""Opening conversations with their first message, over HTTP."""

from __future__ import annotations

from criachat.contacts.schemas import contact_out
from criachat.conversations.schemas import ConversationOut, conversation_out
from criachat.kit.actors import AGENT, BOT, Actor
from criachat.kit.db import Tx
from criachat.kit.errors import ScopeMissing
from criachat.kit.http.routes import Routes
from criachat.kit.http.versions import Versioned
from criachat.kit.settings import Settings
from criachat.messages.operations import opening
from criachat.messages.schemas import ComposedOut, ComposeParams, OpeningParams, message_out
from criachat.messages.uploading import KeptFiles
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}/conversations", tag="Conversations", scope="conversations")


@routes.post(actors=AGENT | BOT, files=("message[attachments]",))
async def open_conversation(
    tx: Tx, actor: Actor, settings: Settings, shown: Shown, params: OpeningParams, kept: KeptFiles
) -> Versioned[ConversationOut]:
    """Open a conversation with a contact, with its first message when one is given.

    Give `inbox_id` and `contact_id`, or the `source_id` of a session. An inbox that keeps one conversation for each
    session answers with the newest, unchanged; the message is added to it.
    """
    limit = settings.message_per_minute_limit
    conversation, _ = await opening.open_with_message(tx, params, kept, actor=actor, limit_per_minute=limit)
    return Versioned(conversation_out(conversation, shown), conversation.version)


@routes.post("/find_or_create", actors=AGENT | BOT, files=("message[attachments]",))
async def find_or_open_conversation(
    tx: Tx, actor: Actor, settings: Settings, shown: Shown, params: OpeningParams, kept: KeptFiles
) -> Versioned[ConversationOut]:
    """The conversation of `contact_id` in `inbox_id` that is not resolved, unchanged; a new one when there is none.

    Of many who ask at once, one opens it. The message is added either way. Without a `source_id`, a new one is opened
    in the contact's newest session of the inbox.
    """
    limit = settings.message_per_minute_limit
    conversation, _ = await opening.find_or_open_with_message(tx, params, kept, actor=actor, limit_per_minute=limit)
    return Versioned(conversation_out(conversation, shown), conversation.version)


@routes.post("/compose", actors=AGENT | BOT, files=("message[attachments]",))
async def compose_message(
    tx: Tx, actor: Actor, settings: Settings, shown: Shown, params: ComposeParams, kept: KeptFiles
) -> ComposedOut:
    """Write to somebody in one call, however often it is made: `contact`, `inbox_id` and `message`.

    The contact with that identifier, e-mail or phone number is changed as sent, or made; the message goes into their
    conversation in the inbox that is not resolved, or into a new one. A contact without any of the three is a new one
    each time. `message` of the answer is what was said: with a `client_message_id` that is known already, the one said
    then; null when there was nothing to be said.
    """
    if not actor.covers("contacts:write"):
        raise ScopeMissing("contacts:write")
    limit = settings.message_per_minute_limit
    contact, conversation, said = await opening.compose(tx, params, kept, actor=actor, limit_per_minute=limit)
    return ComposedOut(
        contact=contact_out(contact, shown),
        conversation=conversation_out(conversation, shown),
        message=None if said is None else message_out(said.message, shown, echo_id=said.echo_id),
    )
