"""The SQL of satisfaction surveys."""

from __future__ import annotations

from typing import LiteralString

from criachat.csat.models import SurveyAnswer, SurveyResponse
from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.messages.models import Message

COLUMNS: LiteralString = """
    id, account_id, conversation_id, message_id, rating, feedback_message, contact_id, assigned_agent_id, created_at,
    updated_at, csat_review_notes, review_notes_updated_at, review_notes_updated_by_id
"""
FIND_SURVEY_MESSAGE_ID = """
SELECT id FROM messages
WHERE account_id = $1 AND conversation_id = $2 AND content_type = 'input_csat' AND NOT private
ORDER BY id
LIMIT 1
"""
FIND_RESPONSE: LiteralString = (
    "SELECT " + COLUMNS + "FROM csat_survey_responses WHERE account_id = $1 AND message_id = $2"
)
# Who answers again says something else about the same agent.
SAVE_RESPONSE: LiteralString = (
    """
INSERT INTO csat_survey_responses AS kept (account_id, conversation_id, message_id, contact_id, assigned_agent_id,
    rating, feedback_message, created_at, updated_at)
SELECT $1, conversations.id, $3, conversations.contact_id, conversations.assignee_id, $4, $5, $6, $6
FROM conversations
WHERE conversations.account_id = $1 AND conversations.id = $2
ON CONFLICT (account_id, message_id) DO UPDATE
SET rating = excluded.rating, feedback_message = excluded.feedback_message,
    updated_at = greatest(excluded.updated_at, kept.updated_at + interval '1 millisecond')
RETURNING """
    + COLUMNS
)
IS_ACCOUNT_ACTIVE = "SELECT status = 'active' FROM accounts WHERE id = $1"


async def find_survey_message_id(db: Db, account_id: int, conversation_id: int) -> int | None:
    """The conversation's first message that asks for a rating."""
    return await db.fetch_value(FIND_SURVEY_MESSAGE_ID, account_id, conversation_id)


async def find_response(db: Db, account_id: int, message_id: int) -> SurveyResponse | None:
    """What was answered to this message, or None."""
    return await db.fetch_one_or_none(SurveyResponse, FIND_RESPONSE, account_id, message_id)


async def save_response(tx: Tx, message: Message, answer: SurveyAnswer) -> SurveyResponse:
    """Write the answer to this message, over an earlier one; the assignee of the first answer stays."""
    key = (message.account_id, message.conversation_id, message.id)
    return await tx.fetch_one(SurveyResponse, SAVE_RESPONSE, *key, answer.rating, answer.feedback_message, clock.now())


async def is_account_active(db: Db, account_id: int) -> bool:
    """Whether the account is in use."""
    return bool(await db.fetch_value(IS_ACCOUNT_ACTIVE, account_id))
