"""Taking in what was said elsewhere before. Nothing is told of it, and nobody waits for an answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.conversations.operations.describing import show_changed_message
from criachat.conversations.snapshots import INCOMING, OUTGOING, LastMessages, MessageSnapshot
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.messages.history import Entry
from criachat.messages.queries import history as queries
from criachat.users import access as users
from criachat.users.snapshots import UserSnapshot

TOO_OLD = "created_at lies before what the conversation already has"
UNKNOWN_SENDER = "sender_id is nobody of the account"


class TakenIn(msgspec.Struct, frozen=True):
    """What became of some lines: how many were stored, how many were there already, and why others were not."""

    stored: int
    known: int
    refused: dict[int, str]


async def take_in(tx: Tx, display_id: int, entries: Mapping[int, Entry], *, actor: Actor) -> TakenIn:
    """Store the messages of these lines, each once, behind what the conversation has.

    A thread is in the order of its ids, so what is older than its newest message cannot be put into it any more.
    """
    conversation = await conversations.load_conversation(tx, actor, display_id)
    await conversations.lock_conversation(tx, conversation)
    conversation = await conversations.load_again(tx, conversation, actor=actor)
    known = await queries.list_known(tx, conversation, [entry.source_id for entry in entries.values()])
    senders = await _senders(tx, entries, actor)
    newest = conversation.newest()
    fitting: dict[int, Entry] = {}
    refused: dict[int, str] = {}
    last = newest.newest.created_at if newest else None
    count = 0
    for line, entry in entries.items():
        if entry.source_id in known:
            count += 1
        elif last is not None and entry.moment < last:
            refused[line] = TOO_OLD
        elif entry.sender_id is not None and entry.sender_id not in senders:
            refused[line] = UNKNOWN_SENDER
        else:
            fitting[line] = entry
            known.add(entry.source_id)
            last = entry.moment
    await _store(tx, conversation, newest, list(fitting.values()), senders)
    return TakenIn(len(fitting), count, refused)


async def _store(
    tx: Tx,
    conversation: Conversation,
    newest: LastMessages | None,
    entries: Sequence[Entry],
    senders: Mapping[int, UserSnapshot],
) -> None:
    if not entries:
        return
    ids = await queries.reserve_ids(tx, len(entries))
    said = [_message(conversation, entry, id_, senders) for entry, id_ in zip(entries, ids, strict=True)]
    await queries.insert_history(tx, conversation, said)
    for message in said:
        newest = newest.with_newer(message) if newest else LastMessages(newest=message)
    await show_changed_message(tx, conversation, newest)


async def _senders(tx: Tx, entries: Mapping[int, Entry], actor: Actor) -> dict[int, UserSnapshot]:
    """The people of the account who said some of it."""
    wanted = {entry.sender_id for entry in entries.values() if entry.sender_id is not None}
    found = await users.list_colleagues(tx, actor, sorted(wanted)) if wanted else []
    return {colleague.id: colleague.snapshot() for colleague in found}


def _message(
    conversation: Conversation, entry: Entry, message_id: int, senders: Mapping[int, UserSnapshot]
) -> MessageSnapshot:
    is_incoming = entry.message_type == "incoming"
    sender = conversation.contact() if is_incoming else senders.get(entry.sender_id or 0)
    return MessageSnapshot(
        id=message_id,
        account_id=conversation.account_id,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.display_id,
        message_type=INCOMING if is_incoming else OUTGOING,
        content_type="text",
        content=entry.content,
        content_attributes=entry.content_attributes,
        additional_attributes={},
        private=entry.private and not is_incoming,
        status="sent",
        source_id=entry.source_id,
        sender_type=None if sender is None else "Contact" if is_incoming else "User",
        sender_id=None if sender is None else sender.id,
        sender=sender,
        created_at=entry.moment,
        updated_at=entry.moment,
    )
