"""The ways to get messages on somebody's behalf. Who may see a conversation is asked of its own slice: by whole threads
here, by all else before."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from criachat.conversations import access as conversations
from criachat.conversations.heads import ThreadHead
from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import ACTIVITY, AttachmentSnapshot
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.errors import NoSuchPage, NotFound, existing
from criachat.kit.http.binding import LARGEST_ID
from criachat.messages import queries
from criachat.messages.models import Line, Message, Page, Thread, Upload
from criachat.messages.queries import attachments, threads, uploads
from criachat.users.roster import Roster

MOST_BYTES = 4_000_000
# How many messages follow an id, and how many lie between two.
MOST_BEHIND, MOST_BETWEEN = 100, 1000

_encode = msgspec.json.Encoder().encode


async def load_thread(db: Db, roster: Roster, actor: Actor, display_id: int, page: Page) -> Thread:
    """A page of the thread, oldest first, if the caller may open it; which one is the contract's rule of `before` and
    `after`.

    Behind `after`, long messages are fewer: who follows a thread asks again from the last one they saw.
    """
    asked = threads.Asked(
        account_id=actor.account_id,
        display_id=display_id,
        member_id=actor.limited_to_user,
        without_internal=page.without_internal,
        before=LARGEST_ID if page.before is None else page.before,
    )
    head, lines = await threads.list_thread(db, asked, _run(page))
    if head is None:
        raise NotFound
    speakers = roster.known(actor.account_id)
    unknown = speakers.without(*_who_speaks(head, lines))
    with_files = [line.id for line in lines if line.has_attachments]
    attachments: dict[int, list[AttachmentSnapshot]] = {}
    if with_files or unknown:
        files, found = await threads.find_hanging(db, actor.account_id, with_files, unknown)
        speakers = roster.learn(actor.account_id, speakers, unknown, found)
        for file in files:
            attachments.setdefault(file.message_id, []).append(file)
    assignee = speakers.people.get(head.assignee_id or 0)
    if head.assignee_id is not None and (assignee is None or not assignee.is_member):
        head = msgspec.structs.replace(head, assignee_id=None)
    await conversations.check_may_open(db, actor, head)
    return Thread(head, lines, speakers, attachments)


def _run(page: Page) -> threads.Run | None:
    if page.after is None:
        return None
    if page.before is None:
        return threads.Run(first=min(page.after + 1, LARGEST_ID), limit=MOST_BEHIND, limit_bytes=MOST_BYTES)
    return threads.Run(first=page.after, limit=MOST_BETWEEN, limit_bytes=MOST_BYTES)


def _who_speaks(head: ThreadHead, lines: Sequence[Line]) -> tuple[set[int], set[int]]:
    """The people and the bots who wrote something or have the conversation."""
    people, bots = {head.assignee_id}, {head.assignee_agent_bot_id}
    for line in lines:
        if line.sender_type == "User":
            people.add(line.sender_id)
        elif line.sender_type == "AgentBot":
            bots.add(line.sender_id)
    return {each for each in people if each is not None}, {each for each in bots if each is not None}


async def load_message(db: Db, conversation: Conversation, message_id: int) -> Message:
    """The conversation's message with this id."""
    return existing(await queries.find_message(db, conversation.account_id, conversation.id, message_id))


async def load_message_for_contact(db: Db, conversation: Conversation, message_id: int) -> Message:
    """The message, if the contact may see it; notes and activities are answered like messages that do not exist."""
    message = await queries.find_message(db, conversation.account_id, conversation.id, message_id)
    if message is None or message.private or message.message_type == ACTIVITY:
        raise NoSuchPage
    return message


async def list_messages_for_contact(db: Db, conversation: Conversation, *, before: int | None) -> list[Message]:
    """The newest 20 the contact may see, or the 20 before an id; oldest first."""
    until = LARGEST_ID if before is None else before
    return await queries.list_public_messages(db, conversation.account_id, conversation.id, before=until)


async def list_recent_for_contact(
    db: Db, conversations: Sequence[Conversation], *, limit: int
) -> dict[int, list[Message]]:
    """The newest messages a contact may see of each of their conversations, oldest first, by database id.

    Long ones are fewer: an answer that holds all of this is kept from growing past what a client can take.
    """
    recent: dict[int, list[Message]] = {conversation.id: [] for conversation in conversations}
    if conversations:
        found = await queries.list_recent_of_each(
            db,
            conversations[0].account_id,
            list(recent),
            limit=limit,
            limit_bytes=MOST_BYTES // len(recent),
            bytes_each=len(_encode(conversations[0].contact())),
        )
        for message in found:
            recent[message.conversation_id].append(message)
    return recent


async def has_files_to_remove(db: Db, account_id: int) -> bool:
    """Whether files of the account that nothing names are still there."""
    return bool(await attachments.list_files_to_remove(db, account_id, limit=1))


async def find_upload(db: Db, account_id: int, upload_id: int) -> Upload | None:
    """The file that was uploaded ahead under this number, or None."""
    found = await uploads.list_uploads(db, account_id, [upload_id])
    return found[0] if found else None


async def list_uploads(db: Db, account_id: int, upload_ids: Sequence[int]) -> dict[int, Upload]:
    """Those of these files that there are, by number; no number, no statement."""
    found = await uploads.list_uploads(db, account_id, upload_ids) if upload_ids else []
    return {upload.id: upload for upload in found}


async def list_messages_by_id(db: Db, account_id: int, message_ids: Sequence[int]) -> dict[int, Message]:
    """Those of these messages that there are; no id, no statement."""
    found = await queries.list_messages_by_id(db, account_id, message_ids) if message_ids else []
    return {message.id: message for message in found}
