"""From what a caller asks for to what is meant."""

from __future__ import annotations

from datetime import UTC, datetime

from criachat.kit.times import LAST_SECOND
from criachat.reports.errors import PeriodInvalid
from criachat.reports.models import Filters
from criachat.reports.schemas import FilterParams


def filters_of(params: FilterParams) -> Filters:
    """Which of them are meant; refuses moments that no calendar has."""
    return Filters(
        since=_moment(0 if params.since is None else params.since),
        until=_moment(LAST_SECOND if params.until is None else params.until),
        inbox_id=params.inbox_id,
        user_id=params.user_id,
        name=params.name or None,
    )


def _moment(seconds: int) -> datetime:
    if not 0 <= seconds <= LAST_SECOND:
        raise PeriodInvalid
    return datetime.fromtimestamp(seconds, UTC)
