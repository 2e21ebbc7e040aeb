"""Answering a survey."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any, cast

import msgspec

from criachat.conversations.models import Conversation
from criachat.csat import queries
from criachat.csat.errors import AnswerMissing, FeedbackInvalid, RatingInvalid, SurveyClosed
from criachat.csat.models import Survey, SurveyAnswer
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.messages.models import Message
from criachat.messages.operations.changing import submit_values

OPEN_FOR = timedelta(days=14)
LONGEST_FEEDBACK = 20_000


async def answer_survey(
    tx: Tx, conversation: Conversation, message: Message, submitted_values: object, *, actor: Actor
) -> Survey:
    """Keep the contact's answer: in the message, where the team sees it, and counted as a response.

    Whoever answers again overwrites the answer, for two weeks.
    """
    answer = read_answer(submitted_values)
    if clock.now().astimezone(UTC).date() - message.created_at.astimezone(UTC).date() > OPEN_FOR:
        raise SurveyClosed
    values = {"csat_survey_response": msgspec.to_builtins(answer)}
    changed, after = await submit_values(tx, conversation, message.id, values, actor=actor)
    response = await queries.save_response(tx, changed, answer)
    return Survey(conversation=after, message=changed, response=response)


def read_answer(submitted_values: object) -> SurveyAnswer:
    """What was sent, as an answer; a refusal that names what is wrong with it."""
    values = cast(dict[str, Any], submitted_values) if isinstance(submitted_values, dict) else {}
    answer = values.get("csat_survey_response")
    if not isinstance(answer, dict):
        raise AnswerMissing
    fields = cast(dict[str, Any], answer)
    feedback = fields.get("feedback_message")
    if feedback is not None and (not isinstance(feedback, str) or len(feedback) > LONGEST_FEEDBACK):
        raise FeedbackInvalid
    return SurveyAnswer(_rating(fields.get("rating")), feedback)


def _rating(value: object) -> int:
    """A form sends it as text."""
    text = value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
    if text not in ("1", "2", "3", "4", "5"):
        raise RatingInvalid
    return int(text)
