"""The event log: what happened, in commit order, appended in the transaction that made it happen.

Ids are taken before commit, so a reader that asks for "id > last" skips slow transactions. Readers here take rows of
older epochs, or with a transaction id below the oldest one still running, in the order `(epoch, xid, id)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar, get_type_hints

import msgspec

from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx

EVENTS_TOPIC = "events"


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that became true. Subclasses name it; fields are only ever added, with a default.

    `changes` maps attribute → [old, new]. `snapshot` is the object as it was at that moment.
    Readers of the log find `id`, `created_at` and `sequence` (the event's place among those of its account) filled in.
    """

    name: ClassVar[str] = ""
    realtime_name: ClassVar[str] = ""

    account_id: int
    id: int = 0
    sequence: int = 0
    created_at: datetime | None = None
    inbox_id: int | None = None
    conversation_id: int | None = None
    message_id: int | None = None
    contact_id: int | None = None
    actor_type: str | None = None
    actor_id: int | None = None
    cause: str | None = None
    changes: dict[str, list[Any]] | None = None


class Record(msgspec.Struct, frozen=True):
    """One row of the log, its event not decoded yet."""

    account_id: int
    id: int
    epoch: int
    xid: int
    name: str
    inbox_id: int | None
    conversation_id: int | None
    message_id: int | None
    contact_id: int | None
    actor_type: str | None
    actor_id: int | None
    cause: str | None
    changes: msgspec.Raw | None
    details: msgspec.Raw | None
    snapshot: msgspec.Raw | None
    created_at: datetime

    @property
    def cursor(self) -> Cursor:
        """Where a reader stands after this one."""
        return Cursor(self.epoch, self.xid, self.id, self.created_at)


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A place in the log; opaque outside. The day lets PostgreSQL skip older partitions."""

    epoch: int
    xid: int
    id: int
    at: datetime

    def is_after(self, other: Cursor) -> bool:
        """Whether this place in the log comes after another."""
        return (self.epoch, self.xid, self.id) > (other.epoch, other.xid, other.id)


HEADER = frozenset(Event.__struct_fields__)
# What a record has of it, under the same name and ready to use.
PLAIN = tuple(HEADER - {"changes", "sequence"})
E_ = TypeVar("E_", bound=Event)
Listener = Callable[[Tx, Sequence[Any]], Awaitable[None]]


class Catalogue:
    """Every kind of event the slices declared, by name."""

    def __init__(self) -> None:
        self.kinds: dict[str, type[Event]] = {}
        self._details: dict[str, tuple[str, ...]] = {}
        self._required: dict[str, tuple[str, ...]] = {}
        # Worked out when first read, because a kind may name types that are declared after it.
        self._types: dict[str, dict[str, Any]] = {}
        self._snapshots: dict[str, msgspec.json.Decoder[Any]] = {}

    def declare(self, name: str, *, realtime: str = "") -> Callable[[type[E_]], type[E_]]:
        """Class decorator: this is the event called `name` on the feed and in webhooks, `realtime` on sockets."""

        def register(kind: type[E_]) -> type[E_]:
            if name in self.kinds:
                raise RuntimeError(f"event {name} is declared twice")
            kind.name = name
            kind.realtime_name = realtime or name.replace("_", ".", 1)
            self.kinds[name] = kind
            own = tuple(field for field in kind.__struct_fields__ if field not in HEADER and field != "snapshot")
            self._details[name] = own
            return kind

        return register

    def details_of(self, event: Event) -> dict[str, object] | None:
        """The fields only this kind has."""
        details = {field: getattr(event, field) for field in self._details[event.name]}
        return {field: value for field, value in details.items() if value is not None} or None

    def event_of(self, record: Record, *, sequence: int = 0) -> Event:
        """The event of a row, its snapshot decoded."""
        kind = self.kinds[record.name]
        # What was None when it was emitted is not in the row.
        values: dict[str, Any] = dict.fromkeys(self._required_of(kind))
        values.update({field: getattr(record, field) for field in PLAIN})
        values["sequence"] = sequence
        values["changes"] = None if record.changes is None else msgspec.json.decode(record.changes)
        if record.details is not None:
            types = self._types_of(kind)
            for field, value in msgspec.json.decode(record.details).items():
                if field in types:
                    values[field] = msgspec.convert(value, types[field])
        if record.snapshot is not None:
            values["snapshot"] = self._snapshot_decoder(kind).decode(record.snapshot)
        return kind(**values)

    def own_fields(self, name: str) -> tuple[str, ...]:
        """The fields only this kind has, the snapshot left out."""
        return self._details[name]

    def _required_of(self, kind: type[Event]) -> tuple[str, ...]:
        required = self._required.get(kind.name)
        if required is None:
            own = self._details[kind.name]
            fields = msgspec.structs.fields(kind)
            required = tuple(field.name for field in fields if field.required and field.name in own)
            self._required[kind.name] = required
        return required

    def _types_of(self, kind: type[Event]) -> dict[str, Any]:
        types = self._types.get(kind.name)
        if types is None:
            types = self._types[kind.name] = get_type_hints(kind)
        return types

    def _snapshot_decoder(self, kind: type[Event]) -> msgspec.json.Decoder[Any]:
        decoder = self._snapshots.get(kind.name)
        if decoder is None:
            decoder = self._snapshots[kind.name] = msgspec.json.Decoder(self._types_of(kind)["snapshot"])
        return decoder


catalogue = Catalogue()
declare = catalogue.declare

# Slices whose hot statement carries its events write this INSERT into a CTE of their own, with the same arrays.
INSERT_EVENTS = """
INSERT INTO events (account_id, epoch, name, inbox_id, conversation_id, message_id, contact_id, actor_type, actor_id,
    cause, changes, details, snapshot, created_at)
SELECT $1, (SELECT epoch FROM event_epoch), new.*, $12
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::text[],
    $10::json[], $11::json[], $13::json[]) AS new (name, inbox_id, conversation_id, message_id, contact_id,
    actor_type, actor_id, cause, changes, details, snapshot)
"""


# The same for events of many accounts, each row with its own.
INSERT_EVENTS_OF_ACCOUNTS = """
INSERT INTO events (account_id, name, inbox_id, conversation_id, message_id, contact_id, actor_type, actor_id, cause,
    changes, details, snapshot, epoch, created_at)
SELECT new.*, (SELECT epoch FROM event_epoch), $13
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[],
    $9::text[], $10::json[], $11::json[], $12::json[]) AS new (account_id, name, inbox_id, conversation_id, message_id,
    contact_id, actor_type, actor_id, cause, changes, details, snapshot)
"""


async def emit(tx: Tx, *events: Event) -> None:
    """Append to the log, in this transaction. All events of one call belong to one account."""
    if not events:
        return
    values = event_values(tx, events)
    await tx.execute(INSERT_EVENTS, events[0].account_id, *values[:10], clock.now(), values[10])


async def emit_in_accounts(tx: Tx, events: Sequence[Event]) -> None:
    """Append to the log, in this transaction, what is about many accounts."""
    if events:
        values = event_values(tx, events)
        await tx.execute(INSERT_EVENTS_OF_ACCOUNTS, [event.account_id for event in events], *values, clock.now())


def event_values(tx: Tx, events: Sequence[Event]) -> list[list[Any]]:
    """The eleven arrays a statement unnests to append these events, for slices that write and emit in one trip.

    Order: name, inbox_id, conversation_id, message_id, contact_id, actor_type, actor_id, cause, changes, details,
    snapshot. Also notes that the log has news, so that its readers are woken after commit.
    """
    for event in events:
        tx.wake(EVENTS_TOPIC, str(event.account_id))
        _tell(tx.told, event)
    return [
        [event.name for event in events],
        [event.inbox_id for event in events],
        [event.conversation_id for event in events],
        [event.message_id for event in events],
        [event.contact_id for event in events],
        [event.actor_type for event in events],
        [event.actor_id for event in events],
        [event.cause for event in events],
        [event.changes or None for event in events],
        [catalogue.details_of(event) for event in events],
        [getattr(event, "snapshot", None) for event in events],
    ]


def _tell(told: dict[str, int], event: Event) -> None:
    """Note the ids for the request's log line."""
    for field in ("inbox_id", "conversation_id", "message_id", "contact_id"):
        value = getattr(event, field)
        if value is not None:
            told.setdefault(field, value)


def by(actor: Actor) -> dict[str, Any]:
    """The `actor_type` and `actor_id` of an event this caller causes."""
    return {"actor_type": actor.type, "actor_id": actor.id}


class Listeners:
    """A slice's answers to events. Each is handed its batch, in commit order, and may run twice."""

    def __init__(self, slice_name: str) -> None:
        self.slice_name = slice_name
        self.entries: list[Entry] = []

    def on(self, *kinds: type[Event]) -> Callable[[Listener], Listener]:
        """Have this function answer these kinds of event."""

        def register(listener: Listener) -> Listener:
            names = frozenset(kind.name for kind in kinds)
            self.entries.append(Entry(f"{self.slice_name}.{listener.__name__}", names, listener))  # pyright: ignore[reportAttributeAccessIssue]
            return listener

        return register


class Entry(msgspec.Struct, frozen=True):
    """One listener: its name, what it hears, and the function."""

    name: str
    hears: frozenset[str]
    answer: Listener


# The account stands outside the comparison: inside it, PostgreSQL starts at the account's first event, and compares its
# way to the cursor through all of them. The epoch is asked for, not given: epochs are all the same, so that PostgreSQL,
# knowing it, expects nothing behind any cursor, and sorts all that is there before it takes the first.
LIST_AFTER = """
SELECT account_id, id, epoch, xid, name, inbox_id, conversation_id, message_id, contact_id, actor_type, actor_id,
    cause, changes, details, snapshot, created_at
FROM events
WHERE account_id = $1
  AND (epoch, xid, id) > ((SELECT $2::integer), $3::xid8, $4)
  AND created_at >= $5::timestamptz - interval '1 day'
  AND (epoch < (SELECT epoch FROM event_epoch) OR xid < pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY epoch, xid, id
LIMIT $6
"""
# Settled rows come first in this order, so the first that is not settled ends what may be told.
LIST_NEWS = """
SELECT account_id, id, epoch, xid, name, inbox_id, conversation_id, message_id, contact_id, actor_type, actor_id,
    cause, changes, details, snapshot, created_at,
    (epoch < (SELECT epoch FROM event_epoch) OR xid < pg_snapshot_xmin(pg_current_snapshot())) AS is_settled
FROM events
WHERE account_id = $1
  AND (epoch, xid, id) > ((SELECT $2::integer), $3::xid8, $4)
  AND created_at >= $5::timestamptz - interval '1 day'
ORDER BY epoch, xid, id
LIMIT $6
"""
FIND_PRESENT = """
SELECT (SELECT epoch FROM event_epoch) AS epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xid, 0::bigint AS id,
    $1::timestamptz AS at
"""


async def list_after(db: Db, account_id: int, cursor: Cursor, *, limit: int) -> list[Record]:
    """What this account's log holds past the cursor, in order and without gaps."""
    return await db.fetch_all(Record, LIST_AFTER, account_id, cursor.epoch, cursor.xid, cursor.id, cursor.at, limit)


class NewsRecord(Record, frozen=True):
    """A row of the log, and whether no earlier one can appear any more."""

    is_settled: bool


class News(msgspec.Struct, frozen=True):
    """What a reader finds past its cursor.

    There `is_more` when the limit cut it off; more `is_coming` when events are written that a slower transaction may
    still precede: nobody wakes the reader once that has ended, so it looks again in a few milliseconds.
    """

    records: list[NewsRecord]
    is_more: bool
    is_coming: bool


async def list_news(db: Db, account_id: int, cursor: Cursor, *, limit: int) -> News:
    """Like `list_after`, for readers that want to know when to look again."""
    values = (cursor.epoch, cursor.xid, cursor.id, cursor.at, limit)
    rows = await db.fetch_all(NewsRecord, LIST_NEWS, account_id, *values)
    settled = [row for row in rows if row.is_settled]
    return News(settled, is_more=len(settled) == limit, is_coming=len(settled) < len(rows))


async def present(db: Db) -> Cursor:
    """The place in the log before which everything is settled: where a newcomer starts."""
    return await db.fetch_one(Cursor, FIND_PRESENT, clock.now())
