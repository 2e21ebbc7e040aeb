"""Times as the wire has them: unix seconds, unix seconds with a fraction, ISO 8601 with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

# The driver takes the first and the last moment of the calendar for -infinity and infinity, and gives no times back.
FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
# The same in whole seconds since 1970: the end of the year 9999.
LAST_SECOND: Final = 253_402_300_799


def utc(moment: datetime) -> datetime:
    """The same moment in UTC, where one without a zone is already; an OverflowError for one that cannot be kept."""
    there = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not FIRST < there < LAST:
        raise OverflowError("the first and the last moment of the calendar stand for no time")
    return there


def unix(moment: datetime | None) -> int:
    """Whole seconds since 1970; 0 for never."""
    return 0 if moment is None else int(moment.timestamp())


def unix_float(moment: datetime) -> float:
    """Seconds since 1970 with their fraction."""
    return moment.timestamp()


def iso(moment: datetime) -> str:
    """`2026-02-03T04:05:06.789Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat("T", "milliseconds").removesuffix("+00:00") + "Z"


def iso_or_none(moment: datetime | None) -> str | None:
    """The same, None for never."""
    return None if moment is None else iso(moment)
