"""When an inbox is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from criachat.inboxes.errors import TimezoneUnknown, WorkingHoursInvalid
from criachat.inboxes.models import Inbox, WorkingHours

SUNDAY, SATURDAY = 0, 6
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


def check_timezone(name: str) -> None:
    """Refuse what is no IANA time zone."""
    if name not in available_timezones():
        raise TimezoneUnknown


def changed_week(week: Sequence[WorkingHours], rows: Sequence[Mapping[str, object]]) -> list[WorkingHours]:
    """The week with these days replaced; refuses days that make no sense."""
    days = {day.day_of_week: day for day in week}
    for row in rows:
        try:
            day = msgspec.convert(row, WorkingHours, strict=False)
        except msgspec.ValidationError as failure:
            raise WorkingHoursInvalid from failure
        days[day.day_of_week] = _checked(day)
    return [days[number] for number in sorted(days)]


def _checked(day: WorkingHours) -> WorkingHours:
    if not SUNDAY <= day.day_of_week <= SATURDAY or (day.open_all_day and day.closed_all_day):
        raise WorkingHoursInvalid
    if day.open_all_day:
        return msgspec.structs.replace(day, open_hour=0, open_minutes=0, close_hour=23, close_minutes=59)
    if day.closed_all_day:
        return day
    for hour, minute in ((day.open_hour, day.open_minutes), (day.close_hour, day.close_minutes)):
        if hour is None or minute is None or not (0 <= hour <= LAST_HOUR and 0 <= minute <= LAST_MINUTE):
            raise WorkingHoursInvalid
    if _minutes(day.close_hour, day.close_minutes) <= _minutes(day.open_hour, day.open_minutes):
        raise WorkingHoursInvalid("Working hours must close later than they open")
    return day


def _minutes(hour: int | None, minute: int | None) -> int:
    return (hour or 0) * 60 + (minute or 0)
