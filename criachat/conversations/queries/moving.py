"""The SQL of conversations that are to belong to another contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from criachat.kit import clock
from criachat.kit.db import Tx

MOVE_TO_CONTACT = """
UPDATE conversations
SET contact_id = $3, version = version + 1, updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND contact_id = $2 AND ($5::bigint[] IS NULL OR id = ANY($5))
RETURNING id
"""
SET_LAST_MESSAGES = """
UPDATE conversations SET last_messages = new.last_messages
FROM unnest($2::bigint[], $3::json[]) AS new (id, last_messages)
WHERE conversations.account_id = $1 AND conversations.id = new.id
"""


async def move_to_contact(
    tx: Tx, account_id: int, conversation_ids: Sequence[int] | None, *, from_id: int, to_id: int
) -> list[int]:
    """Have these conversations of one contact, or all of them, be another's; their database ids."""
    return await tx.fetch_values(MOVE_TO_CONTACT, account_id, from_id, to_id, clock.now(), conversation_ids)


async def set_last_messages(tx: Tx, account_id: int, last_messages: Mapping[int, object]) -> None:
    """Write the newest messages as lists show them, by database id; the caller has moved the versions on already."""
    await tx.execute(SET_LAST_MESSAGES, account_id, list(last_messages), list(last_messages.values()))
