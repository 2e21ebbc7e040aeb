"""Safe retries: a write that carries an `Idempotency-Key` is done once, and answered the same each time.

A key belongs to its caller, with what their token may do, and to method and path. Its answer is kept, sealed, in the
transaction of the write itself: either both are there or neither. Only answers of 2xx are kept; a refusal rolls back
and releases the key.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, cast

import msgspec

from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import TRY_AGAIN, Database, Tx
from criachat.kit.errors import Conflict, Unprocessable
from criachat.kit.http.answers import Answer, Headers, Stream
from criachat.kit.http.request import Request
from criachat.kit.http.uploads import Upload
from criachat.kit.tokens import Keyring

WAIT_SECONDS = 2.0
PAUSE_SECONDS = 0.05
MOST_LOST = 3
KEPT = timedelta(hours=72)
LARGEST_KEPT_BYTES = 256 * 1024
LONGEST_KEY = 255
# Strangers are told apart by the key alone: who guesses it is given what another was answered, a credential perhaps.
SHORTEST_KEY_OF_STRANGERS = 16
# What is sealed is text, an answer may be anything: in this encoding each byte is one character.
BYTES = "latin-1"
TOO_LARGE_TO_KEEP = b'{"status":"done","detail":"the answer was too large to keep; the write was made once"}'

# The lock is tried, never waited for; a row that was committed between this statement's snapshot and the lock is
# caught by the primary key when the answer is kept.
LOCK_AND_FIND = """
SELECT pg_try_advisory_xact_lock($2) AS is_mine, kept.fingerprint, kept.status, kept.answer
FROM (SELECT 1) AS always
LEFT JOIN idempotency_keys AS kept ON kept.key = $1 AND kept.created_at > $3
"""
KEEP_ANSWER = """
INSERT INTO idempotency_keys (key, fingerprint, status, answer, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (key) DO UPDATE
SET fingerprint = excluded.fingerprint, status = excluded.status, answer = excluded.answer,
    created_at = excluded.created_at
WHERE idempotency_keys.created_at <= $6
RETURNING true
"""
DELETE_OLD_KEYS = """
DELETE FROM idempotency_keys
WHERE key IN (SELECT key FROM idempotency_keys WHERE created_at <= $1 ORDER BY created_at LIMIT $2)
"""


class KeyReused(Unprocessable):
    """This Idempotency-Key was used with other parameters"""


class KeyTooLong(Unprocessable):
    """An Idempotency-Key has 1 to 255 printable characters"""


class KeyTooShort(Unprocessable):
    """An Idempotency-Key of somebody nobody knows yet has 16 characters or more"""


class StillRunning(Conflict):
    """A request with the same Idempotency-Key is still running; try again shortly"""


class Taken(Exception):
    """Somebody else kept an answer under this key while we worked."""


class Slot(msgspec.Struct, frozen=True):
    """One key of one caller: where its answer is kept, and what the request was."""

    key: bytes
    lock: int
    fingerprint: bytes


class Found(msgspec.Struct, frozen=True):
    """Whether the key is ours now, and what was kept under it."""

    is_mine: bool
    fingerprint: bytes | None
    status: int | None
    answer: bytes | None


class Head(msgspec.Struct, frozen=True, array_like=True):
    """What goes before the body of an answer: the line before it where it is kept."""

    content_type: str
    headers: Headers


Run = Callable[[Tx], Awaitable[Answer | Stream]]


class Idempotency:
    """Keeps answers and gives them again."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def slot(self, key: str, *, actor: Actor, request: Request, bag: Mapping[str, Any]) -> Slot:
        """The slot of a request; raises when the key is not usable."""
        if not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
            raise KeyTooLong
        if actor.id is None and len(key) < SHORTEST_KEY_OF_STRANGERS:
            raise KeyTooShort
        # Somebody's narrow token is not given what their wider one was answered: that may be a token itself.
        scopes = "".join(f":{scope}" for scope in sorted(actor.scopes))
        caller = f"{actor.type}:{actor.id}:{actor.account_id}:{actor.contact_inbox_id}{scopes}"
        text = "\n".join((caller, request.method, request.path.rstrip("/"), key))
        digest = hashlib.sha256(text.encode()).digest()
        return Slot(digest, int.from_bytes(digest[:8], "big", signed=True), await fingerprint(bag))

    async def answer(self, slot: Slot, run: Run) -> Answer | Stream:
        """The kept answer, or the answer of `run`, kept in the transaction it is given."""
        deadline = clock.monotonic() + WAIT_SECONDS
        lost = 0
        while True:
            try:
                answer = await self._try(slot, run)
            except Taken:
                answer = None
            except TRY_AGAIN:
                lost += 1
                # What fails whenever it is tried lost no race: it is told as it would be without a key.
                if lost >= MOST_LOST and clock.monotonic() >= deadline:
                    raise
                answer = None
            if answer is not None:
                return answer
            if clock.monotonic() >= deadline:
                raise StillRunning
            await asyncio.sleep(PAUSE_SECONDS)

    async def _try(self, slot: Slot, run: Run) -> Answer | Stream | None:
        async with self._database.transaction() as tx:
            await tx.begin()
            now = clock.now()
            found = await tx.fetch_one(Found, LOCK_AND_FIND, slot.key, slot.lock, now - KEPT)
            if found.answer is not None:
                return self._replayed(slot, found)
            if not found.is_mine:
                return None
            answer = await run(tx)
            if isinstance(answer, Stream) or not 200 <= answer.status < 300:
                return answer
            kept = await tx.fetch_value(
                KEEP_ANSWER, slot.key, slot.fingerprint, answer.status, self._sealed(slot, answer), now, now - KEPT
            )
            if not kept:
                raise Taken
            return answer

    def _sealed(self, slot: Slot, answer: Answer) -> bytes:
        if len(cast(bytes, answer.body)) > LARGEST_KEPT_BYTES:
            answer = Answer(status=answer.status, body=TOO_LARGE_TO_KEEP)
        head = msgspec.json.encode(Head(answer.content_type, answer.headers))
        return self._keyring.seal(b"\n".join((head, cast(bytes, answer.body))).decode(BYTES), context=slot.key.hex())

    def _replayed(self, slot: Slot, found: Found) -> Answer:
        if found.fingerprint != slot.fingerprint:
            raise KeyReused
        kept = self._keyring.open(cast(bytes, found.answer), context=slot.key.hex()).encode(BYTES)
        text, _, body = kept.partition(b"\n")
        head = msgspec.json.decode(text, type=Head)
        return Answer(
            status=found.status or 200,
            body=body,
            headers=(*head.headers, ("Idempotent-Replayed", "true")),
            content_type=head.content_type,
        )


async def fingerprint(bag: Mapping[str, Any]) -> bytes:
    """SHA-256 of the parameters in a fixed order; files count by their content, so another boundary changes nothing."""
    return hashlib.sha256(msgspec.json.encode(await _plain(bag), order="deterministic")).digest()


async def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): await _plain(inner) for key, inner in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [await _plain(inner) for inner in cast(list[Any], value)]
    if isinstance(value, Upload):
        return {"filename": value.filename, "sha256": (await value.digest()).hex()}
    return value


async def prune(database: Database, *, batch: int = 5000) -> int:
    """Forget keys older than 72 hours, in batches; how many went."""
    gone = 0
    while True:
        async with database.transaction() as tx:
            count = await tx.execute(DELETE_OLD_KEYS, clock.now() - KEPT, batch)
        gone += count
        if count < batch:
            return gone
