"""Changing what was said: its delivery, its answers, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.conversations.operations.describing import show_changed_message
from criachat.conversations.snapshots import OUTGOING, TEMPLATE, LastMessages
from criachat.kit import actors
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.events import by, emit
from criachat.kit.languages import Language, language_of
from criachat.kit.times import iso
from criachat.messages import queries
from criachat.messages.content import check_size
from criachat.messages.errors import CannotRetry, NothingToTranslate
from criachat.messages.events import MessageEvent, MessageInConversation, MessageRetried, MessageUpdated
from criachat.messages.models import STATUSES, Message
from criachat.messages.queries import attachments
from criachat.users.snapshots import snapshot_of

DELETED: Mapping[Language, str] = {"en": "This message was deleted", "pt_BR": "Esta mensagem foi apagada"}
WRITTEN = ("content", "content_type", "content_attributes", "status", "source_id", "attachments")

Change = Callable[[Message], Mapping[str, Any]]


async def report_status(
    tx: Tx, conversation: Conversation, message_id: int, *, status: str | None, error: str | None, actor: Actor
) -> tuple[Message, Conversation]:
    """What became of it at the receiver's end. Unknown states, and read → delivered, change nothing."""

    def change(message: Message) -> Mapping[str, Any]:
        if status not in STATUSES or (message.status == "read" and status == "delivered"):
            return {}
        attributes = {key: value for key, value in message.content_attributes.items() if key != "external_error"}
        if status == "failed" and error:
            attributes["external_error"] = error
        return {"status": status, "content_attributes": attributes}

    return await _save(tx, conversation, message_id, change, actor=actor)


async def report_delivery(
    tx: Tx, account_id: int, message_id: int, *, has_failed: bool, error: str | None, cause: str
) -> None:
    """Our own delivery of the message failed for good, or came through after all. A message that is gone is let go."""
    conversation_id = await queries.find_place(tx, account_id, message_id)
    if conversation_id is None:
        return
    conversation = await conversations.find_conversation_by_id(tx, account_id, conversation_id)
    if conversation is None:
        return

    def change(message: Message) -> Mapping[str, Any]:
        attributes = {key: value for key, value in message.content_attributes.items() if key != "external_error"}
        if has_failed:
            return {"status": "failed", "content_attributes": {**attributes, "external_error": error or ""}}
        return {"status": "sent", "content_attributes": attributes} if message.status == "failed" else {}

    await _save(tx, conversation, message_id, change, actor=actors.system(account_id), cause=cause)


async def retry_message(
    tx: Tx, conversation: Conversation, message_id: int, *, actor: Actor
) -> tuple[Message, Conversation]:
    """Have a message that failed sent once more. One that did not fail stays as it is, so that two who press the button
    at once send it once."""
    has_failed = False

    def change(message: Message) -> Mapping[str, Any]:
        nonlocal has_failed
        if message.message_type not in (OUTGOING, TEMPLATE) or message.private:
            raise CannotRetry
        has_failed = message.status == "failed"
        attributes = {key: value for key, value in message.content_attributes.items() if key != "external_error"}
        return {"status": "sent", "content_attributes": attributes} if has_failed else {}

    message, after = await _save(tx, conversation, message_id, change, actor=actor)
    if has_failed:
        await emit(tx, _about(MessageRetried, message, after, after.newest(), actor=actor))
    return message, after


async def keep_translation(
    tx: Tx, conversation: Conversation, translated: Message, language: str, text: str, *, actor: Actor
) -> str:
    """Keep the text in this language beside the message; the one kept before when somebody was faster.

    Nothing is kept of what the message does not say any more: translating takes a while, and it may be taken back.
    """
    kept = text

    def change(message: Message) -> Mapping[str, Any]:
        nonlocal kept
        if text_to_translate(message) != text_to_translate(translated):
            return {}
        known = translations_of(message)
        kept = known.get(language, text)
        attributes = {**message.content_attributes, "translations": {**known, language: kept}}
        check_size(attributes)
        return {"content_attributes": attributes}

    await _save(tx, conversation, translated.id, change, actor=actor)
    return kept


async def delete_message(
    tx: Tx, conversation: Conversation, message_id: int, *, actor: Actor
) -> tuple[Message, Conversation]:
    """Take it back: a placeholder stays where it was, its attachments go, and their files soon after."""
    placeholder = {
        "content": DELETED[language_of(actor.locale)],
        "content_type": "text",
        "content_attributes": {"deleted": True},
        "attachments": None,
    }
    message, after = await _save(tx, conversation, message_id, lambda _: placeholder, actor=actor)
    await attachments.delete_attachments(tx, conversation.account_id, message_id)
    return message, after


async def submit_values(
    tx: Tx, conversation: Conversation, message_id: int, values: object, *, actor: Actor
) -> tuple[Message, Conversation]:
    """The contact's answer to a message that asks for one."""

    def change(message: Message) -> Mapping[str, Any]:
        return {"content_attributes": {**message.content_attributes, "submitted_values": values}}

    return await _save(tx, conversation, message_id, change, actor=actor)


async def mark_read_by_contact(tx: Tx, conversation: Conversation, *, until: datetime, actor: Actor) -> None:
    """The contact saw what was said to them until then."""
    await conversations.lock_conversation(tx, conversation)
    unread = await queries.list_unread_by_contact(tx, conversation.account_id, conversation.id, until)
    if not unread:
        return
    conversation = await conversations.load_again(tx, conversation, actor=actor)
    written = await queries.set_read(tx, conversation.account_id, [message.id for message in unread])
    read = [(each, msgspec.structs.replace(each, status="read", updated_at=written[each.id])) for each in unread]
    conversation, newest = await _show(tx, conversation, [after for _, after in read])
    await emit(tx, *(_told(before, after, conversation, newest, actor=actor) for before, after in read))


def translations_of(message: Message) -> dict[str, str]:
    """The message in other languages, as far as it was asked for."""
    kept = message.content_attributes.get("translations")
    known = cast(dict[str, Any], kept) if isinstance(kept, dict) else {}
    return {language: text for language, text in known.items() if isinstance(text, str)}


def text_to_translate(message: Message) -> tuple[str, bool]:
    """What the message says, and whether that is HTML: of an e-mail its whole HTML, else the content."""
    email = message.content_attributes.get("email")
    html = cast(dict[str, Any], email).get("html_content") if isinstance(email, dict) else None
    full = cast(dict[str, Any], html).get("full") if isinstance(html, dict) else None
    if isinstance(full, str) and full.strip():
        return full, True
    if not (message.content and message.content.strip()):
        raise NothingToTranslate
    return message.content, False


async def _save(
    tx: Tx, conversation: Conversation, message_id: int, change: Change, *, actor: Actor, cause: str | None = None
) -> tuple[Message, Conversation]:
    """Change the message and tell of it; the message and its conversation as they are afterwards."""
    await conversations.lock_conversation(tx, conversation)
    before = await queries.find_message(tx, conversation.account_id, conversation.id, message_id)
    if before is None:
        raise NotFound
    conversation = await conversations.load_again(tx, conversation, actor=actor)
    wanted = msgspec.structs.replace(before, **change(before))
    if all(getattr(before, name) == getattr(wanted, name) for name in WRITTEN):
        return before, conversation
    after = msgspec.structs.replace(wanted, updated_at=await queries.save_message(tx, wanted))
    conversation, newest = await _show(tx, conversation, [after])
    await emit(tx, _told(before, after, conversation, newest, actor=actor, cause=cause))
    return after, conversation


async def _show(
    tx: Tx, conversation: Conversation, changed: Sequence[Message]
) -> tuple[Conversation, LastMessages | None]:
    """Have lists show these messages as they are now; the conversation afterwards, and its newest messages."""
    newest = conversation.newest()
    for message in changed if newest else ():
        newest = newest.with_changed(message.snapshot(conversation)) if newest else None
    return await show_changed_message(tx, conversation, newest), newest


def _told(
    before: Message,
    after: Message,
    conversation: Conversation,
    newest: LastMessages | None,
    *,
    actor: Actor,
    cause: str | None = None,
) -> MessageEvent:
    changes = _changes(before, after)
    return _about(MessageUpdated, after, conversation, newest, actor=actor, cause=cause, changes=changes)


def _about(
    kind: type[MessageEvent],
    message: Message,
    conversation: Conversation,
    newest: LastMessages | None,
    *,
    actor: Actor,
    **fields: Any,
) -> MessageEvent:
    public = newest.newest_public if newest else None
    shown = conversation.snapshot(last_message=None if public is None or public.id == message.id else public)
    return kind(
        **by(actor),
        **fields,
        account_id=conversation.account_id,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.id,
        message_id=message.id,
        contact_id=conversation.contact_id,
        snapshot=MessageInConversation(message=message.snapshot(conversation), conversation=shown),
        performer=snapshot_of(actor),
    )


def _changes(before: Message, after: Message) -> dict[str, list[Any]]:
    names = [name for name in WRITTEN if name != "attachments"]
    changes: dict[str, Any] = {
        name: [getattr(before, name), getattr(after, name)]
        for name in names
        if getattr(before, name) != getattr(after, name)
    }
    changes["updated_at"] = [iso(before.updated_at), iso(after.updated_at)]
    return changes
