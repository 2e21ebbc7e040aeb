"""What an end user says and answers."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from criachat.client_api import access
from criachat.client_api.errors import (
    AnswerInvalid,
    AnswerTooLarge,
    AttachmentsInvalid,
    ClientMessageIdTaken,
    Empty,
    NotAQuestion,
)
from criachat.client_api.paths import MESSAGES
from criachat.client_api.schemas import AnswerParams, ListParams, MessageParams, PublicMessageOut, public_message_out
from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import INCOMING
from criachat.csat.operations import answer_survey
from criachat.kit.actors import CONTACT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes
from criachat.kit.settings import Settings
from criachat.messages import access as messages
from criachat.messages.content import echo_of
from criachat.messages.errors import AttachmentsNotAList, MessageInvalid, TooManyAttachments, UnknownSignedId
from criachat.messages.models import OURS, Draft, StoredFile
from criachat.messages.operations.changing import submit_values
from criachat.messages.operations.saying import SEQUENCE, say
from criachat.messages.schemas import cursor_of
from criachat.messages.uploading import KeptFiles
from criachat.users.shown import Shown

QUESTIONS = frozenset(("input_text", "input_textarea", "input_email", "input_select", "form"))
ANSWER_KEYS = ("name", "title", "value")
MOST_ANSWERS = 100
LONGEST_ANSWER = 20_000
# Every event and every page that shows the message carries all of its answers.
MOST_ANSWER_BYTES = 100_000

routes = Routes(MESSAGES, tag="Client API")


@routes.get(actors=CONTACT)
async def list_messages(
    db: Db, actor: Actor, request: Request, shown: Shown, conversation_id: int, params: ListParams
) -> list[PublicMessageOut]:
    """The newest 20 messages, or the 20 before an id; oldest first. Behind the last one the list is empty."""
    conversation = await access.load_conversation(db, actor, request, conversation_id)
    found = await messages.list_messages_for_contact(db, conversation, before=cursor_of(params.before))
    return [public_message_out(message.snapshot(conversation), shown) for message in found]


@routes.post(actors=CONTACT, files=("attachments",))
async def create_message(  # noqa: PLR0913 - what saying something takes
    tx: Tx,
    actor: Actor,
    request: Request,
    settings: Settings,
    shown: Shown,
    conversation_id: int,
    params: MessageParams,
    kept: KeptFiles,
) -> PublicMessageOut:
    """Say something, with files or without; a snoozed or resolved conversation opens again.

    `client_message_id` makes it safe to send the same message again: the first one is answered.
    """

    async def load() -> Conversation:
        return await access.load_conversation_again(tx, actor, conversation_id, sequence=SEQUENCE)

    if (params.client_message_id or "").startswith(OURS):
        raise ClientMessageIdTaken
    conversation = access.found_conversation(request) or await load()
    files = _taken(kept)
    if not (params.content and params.content.strip()) and not files:
        raise Empty
    limit = settings.message_per_minute_limit
    try:
        draft = Draft(
            message_type=INCOMING,
            content=params.content,
            client_message_id=params.client_message_id or None,
            echo_id=echo_of(params.echo_id),
            files=files,
            is_from_contact=True,
        )
        said = await say(tx, load, draft, actor=actor, limit_per_minute=limit, first=conversation)
    except MessageInvalid as refusal:
        raise refusal.of_record() from refusal
    # A note of the team may be known by the same id, and is nothing for the contact to read.
    if said.message.message_type != INCOMING:
        raise ClientMessageIdTaken
    return public_message_out(said.message, shown)


@routes.update("/{message_id}", actors=CONTACT)
async def answer_message(  # noqa: PLR0913 - what answering takes
    tx: Tx,
    actor: Actor,
    request: Request,
    shown: Shown,
    conversation_id: int,
    message_id: int,
    params: AnswerParams,
) -> PublicMessageOut:
    """Answer a message that asks for something: choose, fill in a form, or rate the conversation.

    A rating counts as soon as it is answered here; surveys are open for two weeks.
    """
    conversation = await access.load_conversation(tx, actor, request, conversation_id)
    message = await messages.load_message_for_contact(tx, conversation, message_id)
    if message.content_type == "input_csat":
        survey = await answer_survey(tx, conversation, message, params.submitted_values, actor=actor)
        return public_message_out(survey.message.snapshot(survey.conversation), shown)
    if message.content_type not in QUESTIONS:
        raise NotAQuestion
    values = _answers(params.submitted_values)
    changed, after = await submit_values(tx, conversation, message_id, values, actor=actor)
    return public_message_out(changed.snapshot(after), shown)


def _taken(kept: KeptFiles) -> tuple[StoredFile, ...]:
    try:
        return kept.taken()
    except (AttachmentsNotAList, TooManyAttachments, UnknownSignedId) as refusal:
        raise AttachmentsInvalid(refusal.text.removeprefix("Validation failed: ")) from refusal


def _answers(values: object) -> list[dict[str, Any]]:
    """What was chosen or filled in; keys that are not asked for are dropped, what is no plain value is refused."""
    if not isinstance(values, list) or not values or len(cast(list[Any], values)) > MOST_ANSWERS:
        raise AnswerInvalid
    answers = [_answer(each) for each in cast(list[Any], values)]
    if len(msgspec.json.encode(answers)) > MOST_ANSWER_BYTES:
        raise AnswerTooLarge
    return answers


def _answer(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise AnswerInvalid
    fields = cast(dict[str, Any], value)
    answer = {key: fields[key] for key in ANSWER_KEYS if key in fields}
    if any(isinstance(each, list | dict) or len(str(each)) > LONGEST_ANSWER for each in answer.values()):
        raise AnswerInvalid
    return answer
