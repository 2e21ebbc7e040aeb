"""Answers to surveys on the wire of the Application API."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.contacts.models import Contact
from criachat.contacts.schemas import ContactOut, contact_out
from criachat.csat.models import Answered
from criachat.kit.times import unix
from criachat.users.models import Colleague
from criachat.users.schemas import AgentOut, agent_out
from criachat.users.shown import Shown


class FilterParams(msgspec.Struct, kw_only=True):
    """Which answers; `since` and `until` in unix seconds, both or neither. `sort` is `created_at` or `-created_at`."""

    since: Any = None
    until: Any = None
    user_ids: Any = None
    inbox_id: Any = None
    team_id: Any = None
    rating: Any = None
    sort: str | None = None
    page: Any = None


class ReviewerOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever noted something of an answer."""

    id: int
    name: str


class AnswerOut(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; whoever is missing has no key. `conversation_id` is the number people see."""

    id: int
    rating: int
    feedback_message: str | None
    csat_review_notes: str | None
    review_notes_updated_at: int | None
    review_notes_updated_by: ReviewerOut | UnsetType = UNSET
    account_id: int
    message_id: int
    contact: ContactOut | UnsetType = UNSET
    conversation_id: int
    assigned_agent: AgentOut | UnsetType = UNSET
    created_at: int


class MetricsOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many answers there are, how often each rating was given, and how many surveys were sent in the period."""

    total_count: int
    ratings_count: dict[str, int]
    total_sent_messages_count: int


def answer_out(answered: Answered, shown: Shown, *, contact: Contact | None, agent: Colleague | None) -> AnswerOut:
    """An answer with whoever gave it, and whoever it is about."""
    notes_at = answered.review_notes_updated_at
    reviewer = UNSET
    if answered.reviewer_id is not None:
        reviewer = ReviewerOut(id=answered.reviewer_id, name=answered.reviewer_name or "")
    return AnswerOut(
        id=answered.id,
        rating=answered.rating,
        feedback_message=answered.feedback_message,
        csat_review_notes=answered.csat_review_notes,
        review_notes_updated_at=None if notes_at is None else unix(notes_at),
        review_notes_updated_by=reviewer,
        account_id=answered.account_id,
        message_id=answered.message_id,
        contact=UNSET if contact is None else contact_out(contact, shown),
        conversation_id=answered.display_id,
        assigned_agent=UNSET if agent is None else agent_out(agent, shown),
        created_at=unix(answered.created_at),
    )
