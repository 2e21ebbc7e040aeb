"""The SQL of addresses that are told of conversations."""

from __future__ import annotations

import hashlib

from criachat.kit import clock
from criachat.kit.db import Tx

FIND_ADDRESS = "SELECT id FROM told_addresses WHERE account_id = $1 AND digest = $2"
# Of two who write the same address at once, the second is given the first one's.
INSERT_ADDRESS = """
INSERT INTO told_addresses (account_id, digest, url, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, digest) DO UPDATE SET url = excluded.url
RETURNING id
"""


async def keep_address(tx: Tx, account_id: int, url: str) -> int:
    """The id of this address in the account, the same each time."""
    digest = hashlib.sha256(url.encode()).digest()
    known = await tx.fetch_value(FIND_ADDRESS, account_id, digest)
    return known or await tx.fetch_value(INSERT_ADDRESS, account_id, digest, url, clock.now())
