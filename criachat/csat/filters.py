"""From what a caller asks for to the answers that are meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from criachat.csat.models import Filters
from criachat.csat.schemas import FilterParams
from criachat.kit.http.binding import id_of
from criachat.kit.times import LAST_SECOND

RATINGS = range(1, 6)
NOBODY = 0


def filters_of(params: FilterParams) -> Filters:
    """Which answers are meant. Half a period is none; ids and ratings that cannot be are those of no answer."""
    since, until = _moment(params.since), _moment(params.until)
    has_period = since is not None and until is not None
    ratings = _numbers(params.rating)
    return Filters(
        since=since if has_period else None,
        until=until if has_period else None,
        agent_ids=_numbers(params.user_ids),
        inbox_id=_number(params.inbox_id),
        team_id=_number(params.team_id),
        ratings=None if ratings is None else [rating for rating in ratings if rating in RATINGS],
    )


def _moment(value: object) -> datetime | None:
    seconds = id_of(str(value).strip())
    return None if seconds is None or seconds > LAST_SECOND else datetime.fromtimestamp(seconds, UTC)


def _number(value: object) -> int | None:
    return None if value in (None, "") else id_of(str(value).strip()) or NOBODY


def _numbers(value: object) -> list[int] | None:
    """One number or several, as numbers or as text."""
    values = cast(list[Any], value) if isinstance(value, list) else [value]
    numbers = [number for number in map(_number, values) if number is not None]
    return numbers or None
