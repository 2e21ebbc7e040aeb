"""Surveys and their answers."""

from __future__ import annotations

from datetime import datetime

import msgspec

from criachat.conversations.models import Conversation
from criachat.messages.models import Message


class SurveyResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What the contact answered, as a row."""

    id: int
    account_id: int
    conversation_id: int
    message_id: int
    rating: int
    feedback_message: str | None
    contact_id: int
    assigned_agent_id: int | None
    created_at: datetime
    updated_at: datetime
    csat_review_notes: str | None
    review_notes_updated_at: datetime | None
    review_notes_updated_by_id: int | None


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """The message that asks, where it stands, and what was answered up to now."""

    conversation: Conversation
    message: Message
    response: SurveyResponse | None


class SurveyAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a contact answers, checked."""

    rating: int
    feedback_message: str | None = None


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which answers are asked for; None means: whichever. The period is half open."""

    since: datetime | None = None
    until: datetime | None = None
    agent_ids: list[int] | None = None
    inbox_id: int | None = None
    team_id: int | None = None
    ratings: list[int] | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as lists show it, with the number of its conversation, and who noted something of it."""

    id: int
    account_id: int
    message_id: int
    rating: int
    feedback_message: str | None
    contact_id: int
    assigned_agent_id: int | None
    csat_review_notes: str | None
    review_notes_updated_at: datetime | None
    created_at: datetime
    display_id: int
    reviewer_id: int | None
    reviewer_name: str | None


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as a line of the report, with the names in it."""

    id: int
    rating: int
    feedback_message: str | None
    created_at: datetime
    display_id: int
    agent_name: str | None
    agent_email: str | None
    contact_name: str | None
    contact_email: str | None
    contact_phone_number: str | None


class RatingCount(msgspec.Struct, frozen=True):
    """How often a rating was given."""

    rating: int
    count: int
