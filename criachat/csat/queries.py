"""The SQL of satisfaction surveys."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from criachat.csat.models import Answered, Filters, RatingCount, ReportLine, SurveyAnswer, SurveyResponse
from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.messages.models import Message

# Whoever has left is named no more: a job takes the name away later.
COLUMNS: LiteralString = """
    id, account_id, conversation_id, message_id, rating, feedback_message, contact_id,
    (SELECT user_id FROM account_users WHERE account_id = $1 AND user_id = assigned_agent_id) AS assigned_agent_id,
    created_at, updated_at, csat_review_notes, review_notes_updated_at, review_notes_updated_by_id
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
SELECT $1, conversations.id, $3, conversations.contact_id, account_users.user_id, $4, $5, $6, $6
FROM conversations
LEFT JOIN account_users ON account_users.account_id = $1 AND account_users.user_id = conversations.assignee_id
WHERE conversations.account_id = $1 AND conversations.id = $2
ON CONFLICT (account_id, message_id) DO UPDATE
SET rating = excluded.rating, feedback_message = excluded.feedback_message,
    updated_at = greatest(excluded.updated_at, kept.updated_at + interval '1 millisecond')
RETURNING """
    + COLUMNS
)
SET_CONTACT = "UPDATE csat_survey_responses SET contact_id = $3 WHERE account_id = $1 AND contact_id = $2"
# What is asked for is mostly a period, which an index of all answers by time finds; the rest is looked at one by one.
ASKED_FOR: LiteralString = """
WHERE answers.account_id = $1
  AND ($2::timestamptz IS NULL OR answers.created_at >= $2) AND ($3::timestamptz IS NULL OR answers.created_at < $3)
  AND ($4::bigint[] IS NULL OR answers.assigned_agent_id = ANY($4))
  AND ($5::bigint IS NULL OR conversations.inbox_id = $5) AND ($6::bigint IS NULL OR conversations.team_id = $6)
  AND ($7::integer[] IS NULL OR answers.rating = ANY($7))
"""
FROM_ANSWERS: LiteralString = """
FROM csat_survey_responses AS answers
JOIN conversations ON conversations.account_id = answers.account_id AND conversations.id = answers.conversation_id
"""
ANSWERED: LiteralString = (
    """
SELECT answers.id, answers.account_id, answers.message_id, answers.rating, answers.feedback_message, answers.contact_id,
    answers.assigned_agent_id, answers.csat_review_notes, answers.review_notes_updated_at, answers.created_at,
    conversations.display_id, reviewers.id AS reviewer_id, reviewers.name AS reviewer_name"""
    + FROM_ANSWERS
    + "LEFT JOIN users AS reviewers ON reviewers.id = answers.review_notes_updated_by_id"
    + ASKED_FOR
)
LIST_OLDEST_FIRST: LiteralString = ANSWERED + "ORDER BY answers.created_at, answers.id LIMIT $8 OFFSET $9"
LIST_NEWEST_FIRST: LiteralString = ANSWERED + "ORDER BY answers.created_at DESC, answers.id DESC LIMIT $8 OFFSET $9"
COUNT_RATINGS: LiteralString = (
    "SELECT answers.rating, count(*) AS count" + FROM_ANSWERS + ASKED_FOR + "GROUP BY answers.rating"
)
COUNT_SURVEYS = """
SELECT count(*) FROM messages
WHERE account_id = $1 AND content_type = 'input_csat' AND NOT private
  AND ($2::timestamptz IS NULL OR created_at >= $2) AND ($3::timestamptz IS NULL OR created_at < $3)
"""
LIST_REPORT_LINES: LiteralString = (
    """
SELECT answers.id, answers.rating, answers.feedback_message, answers.created_at, conversations.display_id,
    agents.name AS agent_name, agents.email AS agent_email, contacts.name AS contact_name,
    contacts.email AS contact_email, contacts.phone_number AS contact_phone_number"""
    + FROM_ANSWERS
    + """LEFT JOIN account_users AS members ON members.account_id = answers.account_id
    AND members.user_id = answers.assigned_agent_id
LEFT JOIN users AS agents ON agents.id = members.user_id
LEFT JOIN contacts ON contacts.account_id = answers.account_id AND contacts.id = answers.contact_id"""
    + ASKED_FOR
    + """  AND (answers.created_at, answers.id) > ($8, $9)
ORDER BY answers.created_at, answers.id
LIMIT $10"""
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


async def set_contact(tx: Tx, account_id: int, contact_id: int, to_contact_id: int) -> None:
    """Have the answers of one contact be another's."""
    await tx.execute(SET_CONTACT, account_id, contact_id, to_contact_id)


async def list_page(
    db: Db, account_id: int, filters: Filters, *, is_newest_first: bool, limit: int, offset: int
) -> list[Answered]:
    """One page of the answers that are asked for."""
    sql = LIST_NEWEST_FIRST if is_newest_first else LIST_OLDEST_FIRST
    return await db.fetch_all(Answered, sql, account_id, *_values(filters), limit, offset)


async def count_ratings(db: Db, account_id: int, filters: Filters) -> list[RatingCount]:
    """How often each rating was given among the answers that are asked for."""
    return await db.fetch_all(RatingCount, COUNT_RATINGS, account_id, *_values(filters))


async def count_surveys(db: Db, account_id: int, filters: Filters) -> int:
    """How many surveys were sent in the period."""
    return await db.fetch_value(COUNT_SURVEYS, account_id, filters.since, filters.until)


async def list_report_lines(
    db: Db, account_id: int, filters: Filters, *, after: tuple[datetime, int], limit: int
) -> list[ReportLine]:
    """The next lines of the report, oldest first, behind this moment and id."""
    return await db.fetch_all(ReportLine, LIST_REPORT_LINES, account_id, *_values(filters), *after, limit)


def _values(filters: Filters) -> tuple[object, ...]:
    return (
        filters.since,
        filters.until,
        filters.agent_ids,
        filters.inbox_id,
        filters.team_id,
        filters.ratings,
    )
