"""The installation's key belongs to its database: another key could open nothing that is sealed in it."""

from __future__ import annotations

from criachat.kit.db import Connection, Tx
from criachat.kit.tokens import Keyring

REMEMBER_KEY = "INSERT INTO installation (key_fingerprint) VALUES ($1) ON CONFLICT DO NOTHING"
FIND_KEY = "SELECT key_fingerprint FROM installation"
HOLD = "SELECT key_fingerprint FROM installation FOR UPDATE"
RENEW_KEY = "UPDATE installation SET key_fingerprint = $1 WHERE key_fingerprint = ANY($2)"


class AnotherKey(Exception):
    """The database was set up with a key that we do not have; the text says what to do."""


async def check_key(connection: Connection, keyring: Keyring) -> None:
    """Remember the key on first use, follow its rotation, refuse any other."""
    await connection.execute(REMEMBER_KEY, keyring.fingerprint())
    known = await connection.fetchval(FIND_KEY)
    if known == keyring.fingerprint():
        return
    if known not in keyring.fingerprints():
        raise AnotherKey(
            "This database was set up with another installation key. Put the right one first in CRIACHAT_SECRET_KEY "
            "(keys are separated by commas, older ones behind it), or restore installation.key in the data directory "
            "from your backup."
        )
    await connection.execute(RENEW_KEY, keyring.fingerprint(), keyring.fingerprints())


async def hold(tx: Tx) -> None:
    """Be the only one, until the transaction ends, who does what is done once for an installation."""
    await tx.execute(HOLD)
