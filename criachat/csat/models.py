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
