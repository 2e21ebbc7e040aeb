"""The SQL of addresses that are told of conversations."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from criachat.kit import clock
from criachat.kit.db import Tx

FIND_ADDRESS = "SELECT id FROM told_addresses WHERE account_id = $1 AND digest = $2 AND told_at > $3"
# Of two who write the same address at once, the second is given the first one's.
KEEP_ADDRESS = """
INSERT INTO told_addresses (account_id, digest, url, created_at, told_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (account_id, digest) DO UPDATE SET told_at = excluded.told_at
RETURNING id
"""
# Across accounts: a schedule looks after all of them.
DELETE_ADDRESSES = """
DELETE FROM told_addresses
WHERE told_at < $1 AND (account_id, id) IN (SELECT account_id, id FROM told_addresses WHERE told_at < $1 LIMIT $2)
"""
# It is noted no more often than this that an address is told of something.
NOTED_EVERY = timedelta(days=1)


async def keep_address(tx: Tx, account_id: int, url: str) -> int:
    """The id of this address in the account, the same each time."""
    digest, now = hashlib.sha256(url.encode()).digest(), clock.now()
    known = await tx.fetch_value(FIND_ADDRESS, account_id, digest, now - NOTED_EVERY)
    return known or await tx.fetch_value(KEEP_ADDRESS, account_id, digest, url, now)


async def delete_addresses(tx: Tx, *, untold_for: timedelta, limit: int) -> int:
    """Forget so many addresses, of whatever account, that were told of nothing for so long; how many there were."""
    return await tx.execute(DELETE_ADDRESSES, clock.now() - untold_for - NOTED_EVERY, limit)
