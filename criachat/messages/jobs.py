"""What messages do later, and by the clock."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import structlog

from criachat.contacts import access as contacts
from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import INCOMING, OUTGOING, MessageSnapshot
from criachat.kit import clock
from criachat.kit.db import Db
from criachat.kit.jobs import JobContext, Jobs
from criachat.kit.mail import MAIL_RETRY, send
from criachat.messages import queries
from criachat.messages.mails import transcript
from criachat.messages.operations import merging, uploads
from criachat.messages.queries import attachments

log = structlog.get_logger()
jobs = Jobs("messages")

BATCH = 500
TRIED_AGAIN_AFTER = timedelta(hours=1)
RUN = 500
# Most mail servers take ten times as much.
MOST_MAIL_BYTES = 2_000_000


class Transcript(msgspec.Struct, frozen=True):
    """Which conversation, by its database id, to send where."""

    account_id: int
    conversation_id: int
    email: str


@jobs.define(retry=MAIL_RETRY)
async def send_transcript(context: JobContext, params: Transcript) -> None:
    """Send what was said in public in a conversation by mail; nothing when it is gone, or no mails are sent here."""
    if context.settings.smtp_url is None:
        log.warning("transcript_not_sent", account_id=params.account_id, reason="no mail server is set")
        return
    async with context.database.reading() as db:
        conversation = await conversations.find_conversation_by_id(db, params.account_id, params.conversation_id)
        if conversation is None:
            return
        said, is_cut = await _said_in_public(db, conversation)
    await send(context.settings, transcript(conversation, said, to=params.email, is_cut=is_cut))


async def _said_in_public(db: Db, conversation: Conversation) -> tuple[list[MessageSnapshot], bool]:
    """What people said, as much of it as a mail takes, and whether that is not all."""
    said: list[MessageSnapshot] = []
    first, size, is_left = 1, 0, True
    while is_left and size < MOST_MAIL_BYTES:
        found = await queries.list_public_run(
            db, conversation.account_id, conversation.id, first=first, limit=RUN, limit_bytes=MOST_MAIL_BYTES
        )
        is_left = bool(found)
        first = found[-1].id + 1 if found else first
        size += sum(len(message.content or "") + 100 for message in found)
        # No mail shows the attributes, which may be longer than all of the text.
        said += [
            msgspec.structs.replace(message.snapshot(conversation), content_attributes={})
            for message in found
            if message.message_type in (INCOMING, OUTGOING)
        ]
    return said, is_left


class Follow(msgspec.Struct, frozen=True):
    """A contact who becomes part of another one."""

    account_id: int
    contact_id: int


@jobs.define(timeout_seconds=3600)
async def follow(context: JobContext, params: Follow) -> None:
    """Move, in batches, what is a contact's who becomes part of another; a second run goes on, or finds nothing."""
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await merging.follow_some(tx, params.account_id, params.contact_id)


@jobs.schedule("* * * * *")
async def have_followed(context: JobContext) -> None:
    """Have those moved who become part of another contact and whom nobody is at."""
    async with context.database.transaction() as tx:
        merges = await contacts.list_merges(tx)
        params = [Follow(each.account_id, each.contact_id) for each in merges]
        await jobs.enqueue_all(
            tx, follow, params, dedupe_keys=[f"{each.account_id}:{each.contact_id}" for each in params]
        )


@jobs.schedule("*/10 * * * *")
async def remove_files(context: JobContext) -> None:
    """Remove the files that nothing names, where there are any; what was removed before is found gone."""
    async with context.database.reading() as db:
        account_ids = await attachments.list_accounts_with_files_to_remove(db)
    for account_id in account_ids:
        await _remove_uploads(context, account_id)
        while await _remove_batch(context, account_id) == BATCH:
            pass


async def _remove_uploads(context: JobContext, account_id: int) -> None:
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await uploads.remove_expired(tx, account_id)


async def _remove_batch(context: JobContext, account_id: int) -> int:
    async with context.database.reading() as db:
        keys = await attachments.list_files_to_remove(db, account_id, limit=BATCH)
    removed = [key for key in keys if await _remove(context, account_id, key)]
    if removed:
        async with context.database.transaction() as tx:
            await attachments.delete_files_to_remove(tx, account_id, removed)
    return len(keys)


async def _remove(context: JobContext, account_id: int, key: str) -> bool:
    """Remove a file; False when it cannot be: it is put behind the others, and is tried again later."""
    try:
        await context.files.delete(key)
    except Exception:
        log.exception("file_not_removed", account_id=account_id, file_key=key)
        async with context.database.transaction() as tx:
            await attachments.set_remove_at(tx, account_id, key, clock.now() + TRIED_AGAIN_AFTER)
        return False
    return True
