"""Events that a listener could not take: kept with their body, tried again, shown to people, and in nobody's way."""

from __future__ import annotations

import traceback
from datetime import datetime, timedelta
from typing import Any, Final, get_type_hints

import msgspec
import structlog

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.kit.events import EVENTS_TOPIC, Record

log = structlog.get_logger()

# Three days altogether. After that a failure waits for somebody to replay it.
WAITS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 20 * 3600)
)
LONGEST_ERROR: Final = 4000
FIELDS: Final = get_type_hints(Record)
UNREAD: Final = frozenset({"changes", "details", "snapshot"})

INSERT_FAILURE = """
INSERT INTO event_failures (account_id, event_id, listener, event, contact_id, error, due_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (account_id, event_id, listener) DO NOTHING
"""
# Across accounts: the relay takes what is due of whichever account nobody works on.
CLAIM_DUE = """
SELECT account_id, id
FROM (SELECT account_id, id FROM event_failures WHERE due_at <= $1 ORDER BY due_at LIMIT 32) AS due
WHERE pg_try_advisory_xact_lock($2, hashint8(account_id))
LIMIT 1
"""
FIND_DUE = """
SELECT account_id, id, listener, event, tries FROM event_failures WHERE account_id = $1 AND id = $2 AND due_at <= $3
"""
SET_FAILED_AGAIN = """
UPDATE event_failures SET tries = tries + 1, error = $3, due_at = $4 WHERE account_id = $1 AND id = $2
"""
SET_DUE = "UPDATE event_failures SET due_at = $3 WHERE account_id = $1 AND id = $2"
DELETE_FAILURE = "DELETE FROM event_failures WHERE account_id = $1 AND id = $2"
# Across accounts: without an account named, operators see everybody's.
LIST_FAILURES = """
SELECT account_id, id, event_id, event -> 'record' ->> 'name' AS event_name, listener, error, tries, due_at, created_at
FROM event_failures
WHERE $1::bigint IS NULL OR account_id = $1
ORDER BY account_id, id
LIMIT $2
"""


class Failure(msgspec.Struct, frozen=True):
    """An event one listener could not take. Without `due_at` it is not tried again by itself."""

    account_id: int
    id: int
    event_id: int
    event_name: str
    listener: str
    error: str
    tries: int
    due_at: datetime | None
    created_at: datetime


class Kept(msgspec.Struct, frozen=True):
    """The body of a failure: the row of the log, not decoded, so that what cannot be read today can be tomorrow."""

    sequence: int
    record: Record


class _Body(msgspec.Struct, frozen=True):
    """The same, as far as it is decoded first."""

    sequence: int
    record: dict[str, msgspec.Raw]


class Claimed(msgspec.Struct, frozen=True):
    """Where a failure that is due is found."""

    account_id: int
    id: int


class Due(msgspec.Struct, frozen=True):
    """A failure whose time has come."""

    account_id: int
    id: int
    listener: str
    event: msgspec.Raw
    tries: int

    @property
    def kept(self) -> Kept:
        """The event as it stood in the log."""
        body = msgspec.json.decode(self.event, type=_Body)
        values = {name: _value_of(name, raw) for name, raw in body.record.items()}
        return Kept(body.sequence, Record(**values))


async def list_failures(db: Db, *, account_id: int | None = None, limit: int = 100) -> list[Failure]:
    """What could not be handed over and still waits, of one account or of all, oldest first."""
    return await db.fetch_all(Failure, LIST_FAILURES, account_id, limit)


async def replay_failure(tx: Tx, account_id: int, failure_id: int) -> bool:
    """Have the relay try it again now, also after it gave up; False when there is no such failure any more."""
    tx.wake(EVENTS_TOPIC, str(account_id))
    return await tx.execute(SET_DUE, account_id, failure_id, clock.now()) == 1


async def discard_failure(tx: Tx, account_id: int, failure_id: int) -> bool:
    """Give it up for good: the listener never hears of this event; False when there is no such failure any more."""
    return await tx.execute(DELETE_FAILURE, account_id, failure_id) == 1


async def keep_failure(tx: Tx, kept: Kept, listener: str, failure: Exception) -> None:
    """Set an event aside for this listener."""
    now = clock.now()
    record = kept.record
    tell("listener_failed", record, listener, failure)
    await tx.execute(
        INSERT_FAILURE,
        record.account_id,
        record.id,
        listener,
        kept,
        record.contact_id,
        describe(failure),
        now + WAITS[0],
        now,
    )


async def claim_due(tx: Tx, lock: int) -> Due | None:
    """The next failure to try again, its account locked until the transaction ends."""
    now = clock.now()
    claimed = await tx.fetch_one_or_none(Claimed, CLAIM_DUE, now, lock)
    if claimed is None:
        return None
    # Asked again behind the lock: whoever held it a moment ago may have dealt with this one.
    return await tx.fetch_one_or_none(Due, FIND_DUE, claimed.account_id, claimed.id, now)


async def failed_again(tx: Tx, due: Due, failure: Exception) -> None:
    """Wait longer, or give up."""
    wait = WAITS[due.tries] if due.tries < len(WAITS) else None
    tell("listener_failed_again" if wait else "listener_given_up", due.kept.record, due.listener, failure)
    due_at = clock.now() + wait if wait else None
    await tx.execute(SET_FAILED_AGAIN, due.account_id, due.id, describe(failure), due_at)


async def succeeded(tx: Tx, due: Due) -> None:
    """Forget a failure whose event was taken."""
    await tx.execute(DELETE_FAILURE, due.account_id, due.id)


def _value_of(field: str, raw: msgspec.Raw) -> Any:
    if field in UNREAD:
        return None if bytes(raw) == b"null" else raw
    return msgspec.json.decode(raw, type=FIELDS[field])


def describe(failure: Exception) -> str:
    """What a developer needs to see; kept in the account's own rows, because it may quote what people wrote."""
    return "".join(traceback.format_exception(failure))[-LONGEST_ERROR:].replace("\0", "")


def tell(what: str, record: Record, listener: str, failure: Exception) -> None:
    """Log it without its text."""
    log.error(
        what,
        listener=listener,
        failure=type(failure).__name__,
        account_id=record.account_id,
        event_id=record.id,
        event_name=record.name,
        conversation_id=record.conversation_id,
    )
