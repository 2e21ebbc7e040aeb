"""The SQL of contacts who are gone and of whom something is left."""

from __future__ import annotations

from criachat.contacts.models import StandIn
from criachat.kit import clock
from criachat.kit.db import Tx

# Whom others remove at the moment is passed over.
LOCK_LEFT = """
SELECT contact_id FROM named_contacts WHERE account_id = $1 AND left_at IS NOT NULL
ORDER BY contact_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# Somebody who never was, and has left: nobody finds who they are, nor what is theirs, until it is removed.
STAND_IN = """
WITH nobody AS (
    INSERT INTO named_contacts (account_id, contact_id, left_at) VALUES ($1, nextval('contacts_id_seq'), $3)
    RETURNING contact_id
)
INSERT INTO contact_inboxes (account_id, contact_id, inbox_id, source_id, pubsub_token, created_at, updated_at)
SELECT $1, contact_id, $2, 'left-' || gen_random_uuid(), 'left-' || gen_random_uuid(), $3, $3 FROM nobody
RETURNING contact_id, id
"""
DELETE_SESSIONS_OF_LEFT = """
DELETE FROM contact_inboxes
WHERE account_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM contact_inboxes WHERE account_id = $1 AND contact_id = $2 ORDER BY id LIMIT $3
))
"""
FORGET_LEFT = "DELETE FROM named_contacts WHERE account_id = $1 AND contact_id = $2 AND left_at IS NOT NULL"


async def lock_left(tx: Tx, account_id: int) -> int | None:
    """A contact who is gone and of whom something is left, for this transaction alone; None when there is none."""
    return await tx.fetch_value(LOCK_LEFT, account_id)


async def delete_sessions_of_left(tx: Tx, account_id: int, contact_id: int, *, limit: int) -> int:
    """Remove so many sessions of a contact who is gone; how many there were."""
    return await tx.execute(DELETE_SESSIONS_OF_LEFT, account_id, contact_id, limit)


async def forget_left(tx: Tx, account_id: int, contact_id: int) -> None:
    """Remove what stood for a contact who is gone, and the last that was theirs."""
    await tx.execute(FORGET_LEFT, account_id, contact_id)


async def insert_stand_in(tx: Tx, account_id: int, inbox_id: int) -> StandIn:
    """A session in the inbox that nothing leads to."""
    return await tx.fetch_one(StandIn, STAND_IN, account_id, inbox_id, clock.now())
