"""Why an answer to a survey is not taken."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Unprocessable


class RatingInvalid(Invalid):
    """Rating must be a whole number from 1 to 5"""

    attributes = ("rating",)


class FeedbackInvalid(Invalid):
    """Feedback message must be text of 20000 characters at most"""

    attributes = ("feedback_message",)


class AnswerMissing(Invalid):
    """Submitted values must hold a csat_survey_response"""

    attributes = ("submitted_values",)


class SurveyClosed(Unprocessable):
    """You cannot update the CSAT survey after 14 days"""


class PeriodMissing(Unprocessable):
    """param is missing or the value is empty: since and until"""
