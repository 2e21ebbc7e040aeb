"""What conversations do later, and by the clock."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import structlog

from criachat.contacts import access as contacts
from criachat.contacts import operations as contact_operations
from criachat.conversations import access
from criachat.conversations.models import Wanted
from criachat.conversations.operations import bulk
from criachat.conversations.operations.deleting import remove_some_of_inbox
from criachat.conversations.operations.describing import retag
from criachat.conversations.operations.leaving import let_go_of_some
from criachat.conversations.operations.status import wake
from criachat.conversations.operations.telling import forget_some_addresses
from criachat.conversations.queries import leaving, writes
from criachat.kit.db import Tx
from criachat.kit.errors import Refused
from criachat.kit.jobs import JobContext, Jobs
from criachat.users import access as users

log = structlog.get_logger()
jobs = Jobs("conversations")

# What is left over is due again five minutes later.
MOST_DUE = 10_000
A_DAY = timedelta(days=1)


class Retag(msgspec.Struct, frozen=True):
    """A label that has another title now."""

    account_id: int
    previous: str
    current: str
    cause: str


@jobs.define(timeout_seconds=3600)
async def retag_conversations(context: JobContext, params: Retag) -> None:
    """Tag anew, in batches, what has the label under its previous title; a second run finds nothing left."""
    is_done = False
    while not is_done:
        async with context.database.transaction() as tx:
            is_done = not await retag(
                tx, params.account_id, previous=params.previous, current=params.current, cause=params.cause
            )


class LetGo(msgspec.Struct, frozen=True):
    """An account from which a member, a team, a bot or a contact has gone."""

    account_id: int


@jobs.define(timeout_seconds=3600)
async def let_go(context: JobContext, params: LetGo) -> None:
    """Take who has left out of conversations, in batches, and conversations away whose contact has left.

    A second run finds nobody left, or goes on.
    """
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await let_go_of_some(tx, params.account_id)


async def let_go_later(tx: Tx, account_id: int) -> None:
    """Have who has left taken out of conversations, once however often it is asked for."""
    await jobs.enqueue(tx, let_go, LetGo(account_id), dedupe_key=str(account_id))


@jobs.schedule("* * * * *")
async def let_go_of_leavers(context: JobContext) -> None:
    """Have those taken out of conversations of whom nobody said that they left, and whose job is gone."""
    async with context.database.transaction() as tx:
        for account_id in await leaving.list_accounts_left(tx):
            await let_go_later(tx, account_id)


class RemoveConversations(msgspec.Struct, frozen=True):
    """An inbox that was deleted."""

    account_id: int
    inbox_id: int


@jobs.define(timeout_seconds=3600)
async def remove_conversations(context: JobContext, params: RemoveConversations) -> None:
    """Remove, in batches, the conversations of an inbox; a second run finds none left, or goes on."""
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await remove_some_of_inbox(tx, params.account_id, params.inbox_id)


class Wake(msgspec.Struct, frozen=True):
    """A snoozed conversation whose time has come, by its database id."""

    account_id: int
    conversation_id: int


@jobs.define()
async def open_one(context: JobContext, params: Wake) -> None:
    """Open a snoozed conversation whose time has come; a second run finds it open."""
    async with context.database.transaction() as tx:
        await wake(tx, params.account_id, params.conversation_id)


@jobs.schedule("*/5 * * * *")
async def open_snoozed(context: JobContext) -> None:
    """Have snoozed conversations opened whose time has come, however long ago that was.

    Each has a job of its own: one that cannot be opened is tried again alone, and keeps none of the others asleep.
    """
    async with context.database.transaction() as tx:
        due = await writes.list_due_snoozed(tx, limit=MOST_DUE)
        keys = [f"{place.account_id}:{place.id}" for place in due]
        await jobs.enqueue_all(tx, open_one, [Wake(place.account_id, place.id) for place in due], dedupe_keys=keys)


class ChangeConversation(msgspec.Struct, frozen=True):
    """What a person wants one of many conversations, by its number, to be."""

    account_id: int
    user_id: int
    display_id: int
    wanted: Wanted


@jobs.define()
async def change_conversation(context: JobContext, params: ChangeConversation) -> None:
    """Make a conversation what somebody wants many to be, if they may; a second run finds nothing to change."""
    try:
        async with context.database.transaction() as tx:
            actor = await users.find_actor(tx, params.account_id, params.user_id)
            if actor is not None:
                conversation = await access.load_conversation(tx, actor, params.display_id)
                await bulk.change(tx, conversation, params.wanted, actor=actor)
    except Refused as refusal:
        log.info(
            "bulk_change_refused",
            account_id=params.account_id,
            display_id=params.display_id,
            refusal=type(refusal).__name__,
        )


class ChangeContact(msgspec.Struct, frozen=True):
    """What a person wants of one of many contacts: that they are gone, or have these labels too."""

    account_id: int
    user_id: int
    contact_id: int
    is_gone: bool
    labels: list[str]


@jobs.define()
async def change_contact(context: JobContext, params: ChangeContact) -> None:
    """Remove or label one of many contacts; a second run finds nothing to change."""
    try:
        async with context.database.transaction() as tx:
            actor = await users.find_actor(tx, params.account_id, params.user_id)
            if actor is None:
                return
            if params.is_gone:
                contact = await contacts.load_contact_to_delete(tx, actor, params.contact_id)
                await contact_operations.remove_contact(tx, contact, actor=actor)
            elif params.labels:
                contact = await contacts.load_contact_to_change(tx, actor, params.contact_id)
                labels = [*contact.labels, *params.labels]
                await contact_operations.set_labels(tx, contact, labels, actor=actor)
    except Refused as refusal:
        log.info(
            "bulk_change_refused",
            account_id=params.account_id,
            contact_id=params.contact_id,
            refusal=type(refusal).__name__,
        )


@jobs.schedule("51 4 * * *")
async def forget_addresses(context: JobContext) -> None:
    """Forget addresses that macros had told, once no delivery to them is kept that could be sent again."""
    settings = context.settings
    untold_for = A_DAY * (max(settings.attempt_retention_days, settings.payload_retention_days) + 1)
    is_left = True
    while is_left:
        async with context.database.transaction() as tx:
            is_left = await forget_some_addresses(tx, untold_for=untold_for)


@jobs.schedule("*/10 * * * *")
async def fold_counts(context: JobContext) -> None:
    """Add the differences behind the lists' counts up, so that summing them stays cheap."""
    async with context.database.reading() as db:
        account_ids = await writes.list_accounts_to_fold(db)
    for account_id in account_ids:
        async with context.database.transaction() as tx:
            await writes.fold_counts(tx, account_id)
