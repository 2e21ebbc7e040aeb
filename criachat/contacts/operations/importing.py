"""Taking in a file of contacts, a batch of rows at a time: each in one transaction with how far the file has come, so
that whoever goes on after a crash neither leaves out a row nor takes one in twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from criachat.contacts.events import ContactUpdated
from criachat.contacts.matching import Matched, Person, Row, match
from criachat.contacts.models import Contact, Details
from criachat.contacts.operations import columns_of, contact_event
from criachat.contacts.queries import transfers
from criachat.contacts.transfers import Counts, Import
from criachat.kit.actors import Actor, system
from criachat.kit.db import Tx, changed
from criachat.kit.errors import Conflict
from criachat.kit.events import emit
from criachat.kit.upkeep import keep_file, remove_file_later


async def receive(tx: Tx, *, actor: Actor, file_key: str, delimiter: str) -> Import:
    """Have a file, stored already, wait to be taken in."""
    await keep_file(tx, file_key)
    return await transfers.insert_import(
        tx, actor.account_id, user_id=actor.user_id, file_key=file_key, delimiter=delimiter
    )


async def take_in(tx: Tx, wanted: Import, rows: Sequence[Row], *, read_bytes: int) -> bool:
    """Take in the next rows of a file; False when somebody else has gone on with it.

    Contacts that are new are not told of, however many there are; changed ones are.
    """
    now = await transfers.lock_import(tx, wanted.account_id, wanted.id)
    if now is None or now.status != "running" or now.read_bytes != wanted.read_bytes:
        return False
    matched = match(rows, await transfers.lock_meant(tx, wanted.account_id, [row.details for row in rows]))
    created = await _create(tx, wanted, [each.details for each in matched.people if each.before is None])
    updated = await _change(tx, wanted, [each for each in matched.people if each.is_changed])
    if matched.rejects:
        await transfers.insert_rejects(tx, wanted, matched.rejects)
    await transfers.advance_import(tx, wanted, _counts(rows, matched, created, updated), read_bytes=read_bytes)
    return True


async def end(tx: Tx, wanted: Import, *, error: str | None = None) -> bool:
    """Be done with a file, which goes; False when that was so already."""
    ended = await transfers.end_import(tx, wanted, error=error)
    if ended is None:
        return False
    for key in (wanted.file_key, ended.withdrawn_key):
        if key is not None:
            await remove_file_later(tx, key)
    return True


async def withdraw_files(tx: Tx, account_id: int, *, gone_at: datetime) -> None:
    """Show nobody the files any more in which somebody may stand who is gone since then."""
    for key in await transfers.withdraw(tx, account_id, sent_before=gone_at):
        await remove_file_later(tx, key)


async def _create(tx: Tx, wanted: Import, details: Sequence[Details]) -> int:
    if not details:
        return 0
    created = await transfers.insert_contacts(tx, wanted.account_id, details)
    if created < len(details):
        # Somebody made one of them a moment ago: the batch begins anew, and finds them.
        raise Conflict
    return created


async def _change(tx: Tx, wanted: Import, people: Sequence[Person]) -> int:
    before = {each.before.id: each.before for each in people if each.before is not None}
    if not before:
        return 0
    pairs: list[tuple[Contact, Details]] = [(each.before, each.details) for each in people if each.before is not None]
    after = await transfers.save_contacts(tx, wanted.account_id, pairs)
    actor = _actor(wanted)
    told = [
        contact_event(
            ContactUpdated, each, actor, changes=changed(columns_of(before[each.id]), columns_of(each)), cause=None
        )
        for each in after
    ]
    await emit(tx, *told)
    return len(after)


def _actor(wanted: Import) -> Actor:
    if wanted.user_id is None:
        return system(wanted.account_id)
    return Actor(type="user", account_id=wanted.account_id, id=wanted.user_id)


def _counts(rows: Sequence[Row], matched: Matched, created: int, updated: int) -> Counts:
    return Counts(processed=len(rows), created=created, updated=updated, rejected=len(matched.rejects))
