"""When an inbox is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec import UNSET

from criachat.inboxes.errors import TimezoneUnknown, WorkingHoursInvalid
from criachat.inboxes.models import Inbox, WorkingHours
from criachat.inboxes.schemas import DayParams

LAST_HOUR, LAST_MINUTE = 23, 59


def is_open(inbox: Inbox, at: datetime) -> bool:
    """Whether somebody should be there at this moment, by the inbox's own clock; always without working hours."""
    if not inbox.working_hours_enabled:
        return True
    local = at.astimezone(ZoneInfo(inbox.timezone))
    day = inbox.week[local.isoweekday() % 7]
    if day.open_all_day or day.closed_all_day:
        return day.open_all_day
    opens, closes = _minutes(day.open_hour, day.open_minutes), _minutes(day.close_hour, day.close_minutes)
    return opens <= local.hour * 60 + local.minute < closes


def open_seconds(inbox: Inbox, start: datetime, end: datetime) -> float:
    """How many seconds of this time fall into the inbox's working hours; none without working hours.

    As the family counts, a day that is open all day ends at 23:59.
    """
    if not inbox.working_hours_enabled or end <= start:
        return 0.0
    zone, week = ZoneInfo(inbox.timezone), inbox.week
    seconds = 0.0
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        opens, closes = _hours(week[day.isoweekday() % 7], day, zone)
        seconds += max((min(closes, end) - max(opens, start)).total_seconds(), 0.0)
        day += timedelta(days=1)
    return seconds


def _hours(hours: WorkingHours, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when until when it is open on that day, in UTC: there no hour comes twice, and none is left out."""
    if hours.closed_all_day:
        midnight = datetime.combine(day, time(), zone).astimezone(UTC)
        return midnight, midnight
    if hours.open_all_day:
        opens, closes = time(), time(LAST_HOUR, LAST_MINUTE)
    else:
        opens = time(hours.open_hour or 0, hours.open_minutes or 0)
        closes = time(hours.close_hour or 0, hours.close_minutes or 0)
    return datetime.combine(day, opens, zone).astimezone(UTC), datetime.combine(day, closes, zone).astimezone(UTC)


def check_timezone(name: str) -> None:
    """Refuse what is no IANA time zone."""
    if name not in _timezones():
        raise TimezoneUnknown


@cache
def _timezones() -> frozenset[str]:
    # Collected from the files of the system: slow, and the same until the next start.
    return frozenset(available_timezones())


def changed_week(week: Sequence[WorkingHours], sent: Sequence[DayParams]) -> list[WorkingHours]:
    """The week with these days changed; refuses days that make no sense."""
    days = {day.day_of_week: day for day in week}
    for row in sent:
        day = days.get(row.day_of_week)
        if day is None:
            raise WorkingHoursInvalid("Working hours must name days from 0, Sunday, to 6")
        changes = {name: value for name, value in msgspec.structs.asdict(row).items() if value is not UNSET}
        days[day.day_of_week] = _checked(msgspec.structs.replace(day, **changes))
    return [days[number] for number in sorted(days)]


def _checked(day: WorkingHours) -> WorkingHours:
    if day.open_all_day and day.closed_all_day:
        raise WorkingHoursInvalid("Working hours must not be open and closed all day")
    if day.open_all_day:
        return msgspec.structs.replace(day, open_hour=0, open_minutes=0, close_hour=23, close_minutes=59)
    if day.closed_all_day:
        return day
    for hour, minute in ((day.open_hour, day.open_minutes), (day.close_hour, day.close_minutes)):
        if hour is None or minute is None or not (0 <= hour <= LAST_HOUR and 0 <= minute <= LAST_MINUTE):
            raise WorkingHoursInvalid("Working hours must have an hour to 23 and minutes to 59 for both ends of a day")
    if _minutes(day.close_hour, day.close_minutes) <= _minutes(day.open_hour, day.open_minutes):
        raise WorkingHoursInvalid("Working hours must close later than they open")
    return day


def _minutes(hour: int | None, minute: int | None) -> int:
    return (hour or 0) * 60 + (minute or 0)
