"""From what a caller sent to what is said, checked."""

from __future__ import annotations

from typing import Any, cast

from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import INCOMING, OUTGOING, TEMPLATE
from criachat.inboxes.models import API, WEBSITE
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.media import is_for_visitors
from criachat.messages import queries
from criachat.messages.addressing import EMAIL, addresses_of
from criachat.messages.content import LONGEST_CONTENT, LONGEST_ID, check_content, check_size, echo_of, read_attributes
from criachat.messages.errors import (
    AttachmentTypeNotAllowed,
    ClientMessageIdTooLong,
    ContentAttributesInvalid,
    ContentTooLong,
    Empty,
    IncomingNotAllowed,
    SourceIdTooLong,
    UnknownMessageType,
)
from criachat.messages.mail_content import mail_content
from criachat.messages.models import MESSAGE_TYPES, Draft, StoredFile
from criachat.messages.schemas import MessageParams
from criachat.messages.variables import with_variables, with_variables_inside
from criachat.users import access as users
from criachat.users.snapshots import BotSnapshot, UserSnapshot, snapshot_of

LONGEST_CLIENT_MESSAGE_ID = 255


async def draft_of(
    db: Db, conversation: Conversation, params: MessageParams, *, actor: Actor, files: tuple[StoredFile, ...]
) -> Draft:
    """What the caller wants to say, or a refusal that names what is wrong with it."""
    message_type = _message_type(params.message_type)
    if message_type == INCOMING and conversation.channel_type != API:
        raise IncomingNotAllowed
    _check_lengths(params)
    if conversation.channel_type == WEBSITE and not all(is_for_visitors(file.content_type) for file in files):
        raise AttachmentTypeNotAllowed
    attributes = await _attributes(db, conversation, params)
    check_content(params.content_type, attributes)
    additional = _additional(params)
    if not (params.content or files or attributes.get("items") or "template_params" in additional):
        raise Empty
    sender = await _sender(db, params, actor) if message_type == OUTGOING else None
    content = params.content
    if message_type in (OUTGOING, TEMPLATE):
        content = content and with_variables(content, conversation, sender)
        additional = _filled_in(additional, conversation, sender)
    if conversation.channel_type == EMAIL and content and not params.private:
        attributes["email"] = await mail_content(content, params.email_html_content)
    return Draft(
        message_type=message_type,
        content=content,
        private=params.private,
        content_type=params.content_type,
        content_attributes=attributes,
        additional_attributes=additional,
        source_id=params.source_id or None,
        client_message_id=params.client_message_id or None,
        echo_id=echo_of(params.echo_id),
        files=files,
        sender=sender,
        is_from_contact=message_type != OUTGOING,
    )


def _message_type(value: str | int) -> int:
    """Its number, from its name or its number."""
    for number, name in enumerate(MESSAGE_TYPES):
        if str(value) in (name, str(number)):
            return number
    raise UnknownMessageType


def _check_lengths(params: MessageParams) -> None:
    if any(text is not None and len(text) > LONGEST_CONTENT for text in (params.content, params.email_html_content)):
        raise ContentTooLong
    if params.source_id is not None and len(params.source_id) > LONGEST_ID:
        raise SourceIdTooLong
    if params.client_message_id is not None and len(params.client_message_id) > LONGEST_CLIENT_MESSAGE_ID:
        raise ClientMessageIdTooLong


async def _sender(db: Db, params: MessageParams, actor: Actor) -> UserSnapshot | BotSnapshot | None:
    if params.sender_type == "AgentBot":
        bot = await users.find_bot(db, actor, params.sender_id)
        if bot is not None:
            return BotSnapshot(id=bot.id, name=bot.name, avatar_key=bot.avatar_key)
    return snapshot_of(actor)


async def _attributes(db: Db, conversation: Conversation, params: MessageParams) -> dict[str, Any]:
    attributes = {**read_attributes(params.content_attributes), **addresses_of(conversation, params)}
    if params.external_created_at is not None:
        attributes["external_created_at"] = params.external_created_at
    if "in_reply_to" in attributes or "in_reply_to_external_id" in attributes:
        return {**attributes, **await _replied_to(db, conversation, attributes)}
    return attributes


async def _replied_to(db: Db, conversation: Conversation, attributes: dict[str, Any]) -> dict[str, Any]:
    """Both ways to name the message it answers, as a pair; an unknown external id is kept for when it arrives."""
    message_id, source_id = attributes.get("in_reply_to"), attributes.get("in_reply_to_external_id")
    if isinstance(message_id, str) and message_id.isascii() and message_id.isdigit():
        message_id = int(message_id)
    if isinstance(message_id, bool) or not isinstance(message_id, int) or not 0 < message_id < 2**63:
        message_id = None
    source_id = source_id if isinstance(source_id, str) and source_id else None
    if message_id is None and source_id is None:
        return {"in_reply_to": None, "in_reply_to_external_id": None}
    found = await queries.find_replied_to(db, conversation, message_id, source_id)
    if found is None:
        return {"in_reply_to": None, "in_reply_to_external_id": source_id if message_id is None else None}
    return {"in_reply_to": found.id, "in_reply_to_external_id": found.source_id}


def _filled_in(
    additional: dict[str, Any], conversation: Conversation, sender: UserSnapshot | BotSnapshot | None
) -> dict[str, Any]:
    """The same with the variables in a template's parameters filled in."""
    template = additional.get("template_params")
    if template is None or "processed_params" not in template:
        return additional
    values = with_variables_inside(template["processed_params"], conversation, sender)
    return {**additional, "template_params": {**template, "processed_params": values}}


def _additional(params: MessageParams) -> dict[str, Any]:
    template = params.template_params
    if template is not None:
        _check_template(template)
        check_size(template)
        return {"template_params": template}
    return {} if params.campaign_id is None else {"campaign_id": params.campaign_id}


def _check_template(template: Any) -> None:
    if not isinstance(template, dict):
        raise ContentAttributesInvalid("Validation failed: Template params must be an object")
    fields = cast(dict[str, Any], template)
    if not isinstance(fields.get("name"), str) or not fields["name"]:
        raise ContentAttributesInvalid("Validation failed: Template params needs a name")
    for name in ("category", "language", "namespace"):
        if not isinstance(fields.get(name, ""), str):
            raise ContentAttributesInvalid(f"Validation failed: Template params {name} must be text")
    if not isinstance(fields.get("processed_params", {}), dict):
        raise ContentAttributesInvalid("Validation failed: Template params processed_params must be an object")
