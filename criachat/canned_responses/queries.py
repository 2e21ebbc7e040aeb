"""The SQL of canned responses."""

from __future__ import annotations

from criachat.canned_responses.models import CannedResponse
from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.kit.paging import containing

MOST = 5000
# One account's answers are few enough to be looked through: they are found by its part of the key.
LIST_CANNED_RESPONSES = """
SELECT id, account_id, short_code, content, created_at, updated_at
FROM canned_responses
WHERE account_id = $1
ORDER BY short_code
LIMIT 5000
"""
SEARCH_CANNED_RESPONSES = """
SELECT id, account_id, short_code, content, created_at, updated_at
FROM canned_responses
WHERE account_id = $1 AND (short_code ILIKE $2 OR content ILIKE $2)
ORDER BY short_code ILIKE $3 DESC, short_code ILIKE $2 DESC, short_code
LIMIT 5000
"""
LOCK_CANNED_RESPONSE = """
SELECT id, account_id, short_code, content, created_at, updated_at
FROM canned_responses
WHERE account_id = $1 AND id = $2
FOR UPDATE
"""
# Whoever makes one has taken their turn, so that two at once do not both take the last place.
INSERT_CANNED_RESPONSE = """
INSERT INTO canned_responses (account_id, short_code, content, created_at, updated_at)
SELECT $1, $2, $3, $4, $4
WHERE (SELECT count(*) FROM canned_responses WHERE account_id = $1) < $5
ON CONFLICT (account_id, short_code) DO NOTHING
RETURNING id, account_id, short_code, content, created_at, updated_at
"""
SAVE_CANNED_RESPONSE = """
UPDATE canned_responses
SET short_code = $3, content = $4, version = version + 1,
    updated_at = greatest($5, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
  AND NOT EXISTS (
      SELECT FROM canned_responses AS other WHERE other.account_id = $1 AND other.short_code = $3 AND other.id <> $2
  )
RETURNING id, account_id, short_code, content, created_at, updated_at
"""
COUNT_CANNED_RESPONSES = "SELECT count(*) FROM canned_responses WHERE account_id = $1"
DELETE_CANNED_RESPONSE = "DELETE FROM canned_responses WHERE account_id = $1 AND id = $2"


async def list_canned_responses(db: Db, account_id: int, words: str) -> list[CannedResponse]:
    """The account's answers by short code, or those with these words: in front of, in, or not in their short code."""
    if not words:
        return await db.fetch_all(CannedResponse, LIST_CANNED_RESPONSES, account_id)
    anywhere = containing(words)
    return await db.fetch_all(CannedResponse, SEARCH_CANNED_RESPONSES, account_id, anywhere, anywhere[1:])


async def lock_canned_response(tx: Tx, account_id: int, canned_response_id: int) -> CannedResponse | None:
    """The answer, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(CannedResponse, LOCK_CANNED_RESPONSE, account_id, canned_response_id)


async def count_canned_responses(db: Db, account_id: int) -> int:
    """How many answers the account keeps."""
    return await db.fetch_value(COUNT_CANNED_RESPONSES, account_id)


async def insert_canned_response(tx: Tx, account_id: int, *, short_code: str, content: str) -> CannedResponse | None:
    """A new answer; None when the short code is taken, or there are as many as there can be."""
    values = (short_code, content, clock.now(), MOST)
    return await tx.fetch_one_or_none(CannedResponse, INSERT_CANNED_RESPONSE, account_id, *values)


async def save_canned_response(
    tx: Tx, canned_response: CannedResponse, *, short_code: str, content: str
) -> CannedResponse | None:
    """Write what an answer became; None when the short code is taken."""
    key = canned_response.account_id, canned_response.id
    return await tx.fetch_one_or_none(CannedResponse, SAVE_CANNED_RESPONSE, *key, short_code, content, clock.now())


async def delete_canned_response(tx: Tx, canned_response: CannedResponse) -> None:
    """Remove it."""
    await tx.execute(DELETE_CANNED_RESPONSE, canned_response.account_id, canned_response.id)
