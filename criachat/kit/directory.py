"""Finds things without an account in hand: an inbox's public identifier, a pubsub token, a conversation's uuid."""

from __future__ import annotations

import msgspec

from criachat.kit.db import Db, Tx

INSERT_ENTRY = "INSERT INTO directory (kind, key, account_id, object_id) VALUES ($1, $2, $3, $4)"
FIND_ENTRY = "SELECT account_id, object_id FROM directory WHERE kind = $1 AND key = $2"
DELETE_ENTRIES = "DELETE FROM directory WHERE account_id = $1 AND kind = $2 AND object_id = $3"

DELETE_ENTRIES_OF_ACCOUNT = "DELETE FROM directory WHERE account_id = $1"


class Entry(msgspec.Struct, frozen=True):
    """Whose it is, and which."""

    account_id: int
    object_id: int


async def register(tx: Tx, kind: str, key: str, account_id: int, object_id: int) -> None:
    """Have the key lead to this object; keys of one kind are unique in the installation."""
    await tx.execute(INSERT_ENTRY, kind, key, account_id, object_id)


async def find(db: Db, kind: str, key: str) -> Entry | None:
    """What the key leads to, or None."""
    return await db.fetch_one_or_none(Entry, FIND_ENTRY, kind, key)


async def forget(tx: Tx, kind: str, account_id: int, object_id: int) -> None:
    """Have no key of this kind lead to the object any more."""
    await tx.execute(DELETE_ENTRIES, account_id, kind, object_id)


async def forget_all(tx: Tx, account_id: int) -> None:
    """Have no key lead into the account any more."""
    await tx.execute(DELETE_ENTRIES_OF_ACCOUNT, account_id)
