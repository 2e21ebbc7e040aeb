"""What was measured, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

EventName = Literal[
    "first_response",
    "reply_time",
    "conversation_resolved",
    "conversation_bot_resolved",
    "conversation_bot_handoff",
    "conversation_opened",
]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be recorded. `event_id` is the event of the log it was measured at."""

    event_id: int
    name: EventName
    value: float
    value_in_business_hours: float
    inbox_id: int
    user_id: int | None
    conversation_id: int
    event_start_time: datetime
    event_end_time: datetime
    created_at: datetime


class ReportingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something recorded. `conversation_id` is the database's."""

    id: int
    account_id: int
    name: EventName
    value: float
    value_in_business_hours: float
    inbox_id: int
    user_id: int | None
    conversation_id: int
    event_start_time: datetime
    event_end_time: datetime
    created_at: datetime


class Mark(msgspec.Struct, frozen=True):
    """When something of this name last ended in a conversation."""

    conversation_id: int
    name: EventName
    event_end_time: datetime


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; None means: whichever. The period is half open."""

    since: datetime
    until: datetime
    inbox_id: int | None = None
    user_id: int | None = None
    name: str | None = None
