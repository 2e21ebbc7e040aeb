"""What was measured, on the wire of the Application API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from criachat.kit.times import iso
from criachat.reports.models import EventName, ReportingEvent

PAGE = 25


class FilterParams(msgspec.Struct, kw_only=True):
    """Which of them: `since` (included) and `until` (left out) in unix seconds, and whose. 25 a `page`."""

    since: int | None = None
    until: int | None = None
    inbox_id: int | None = None
    user_id: int | None = None
    name: str | None = None
    page: Any = None


class ReportingEventOut(msgspec.Struct, frozen=True, kw_only=True):
    """A duration in seconds, and what it was measured at. `conversation_id` is not the number people see."""

    id: int
    name: EventName
    value: float
    value_in_business_hours: float
    event_start_time: str
    event_end_time: str
    account_id: int
    inbox_id: int
    user_id: int | None
    conversation_id: int
    created_at: str
    updated_at: str


class MetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are in all."""

    count: int
    current_page: int
    total_pages: int


class ReportingEventsOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of them."""

    payload: list[ReportingEventOut]
    meta: MetaOut


def reporting_event_out(event: ReportingEvent) -> ReportingEventOut:
    """One of them; it was never changed since it was recorded."""
    recorded_at = iso(event.created_at)
    return ReportingEventOut(
        id=event.id,
        name=event.name,
        value=event.value,
        value_in_business_hours=event.value_in_business_hours,
        event_start_time=iso(event.event_start_time),
        event_end_time=iso(event.event_end_time),
        account_id=event.account_id,
        inbox_id=event.inbox_id,
        user_id=event.user_id,
        conversation_id=event.conversation_id,
        created_at=recorded_at,
        updated_at=recorded_at,
    )


def page_out(found: Sequence[ReportingEvent], *, count: int, page: int) -> ReportingEventsOut:
    """A page with its place among the others."""
    meta = MetaOut(count=count, current_page=page, total_pages=-(-count // PAGE))
    return ReportingEventsOut(payload=[reporting_event_out(each) for each in found], meta=meta)
