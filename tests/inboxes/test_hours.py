"""How much of a time falls into an inbox's working hours. Local times are São Paulo's unless another zone is named."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from harness import Given

from criachat.inboxes import access
from criachat.inboxes.hours import open_seconds
from criachat.inboxes.models import Inbox

HOUR = 3600
ALL_DAYS = range(7)


async def inbox_with(given: Given, **fields: Any) -> Inbox:
    """An inbox with these hours, as listeners find it."""
    wanted: dict[str, Any] = {"working_hours_enabled": True, "timezone": "America/Sao_Paulo", **fields}
    made = await given.inbox(**wanted)
    async with given.world.parts.database.reading() as db:
        inbox = await access.find_inbox(db, given.account_id, made["id"])
    assert inbox is not None
    return inbox


def seconds(inbox: Inbox, start: str, end: str) -> float:
    zone = ZoneInfo(inbox.timezone)
    return open_seconds(inbox, *(datetime.fromisoformat(each).replace(tzinfo=zone) for each in (start, end)))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-02-02 08:00", "2026-02-02 09:00", 0),
        ("2026-02-02 08:30", "2026-02-02 09:30", HOUR / 2),
        ("2026-02-02 10:00", "2026-02-02 10:00:01.500", 1.5),
        ("2026-02-02 16:00", "2026-02-03 10:00", 2 * HOUR),
        ("2026-02-06 16:00", "2026-02-09 10:00", 2 * HOUR),
        ("2026-02-07 00:00", "2026-02-08 23:59", 0),
        ("2026-02-02 00:00", "2026-02-09 00:00", 144_000),
        ("2026-02-02 00:00", "2027-02-01 00:00", 52 * 144_000),
        ("2026-02-02 10:00", "2026-02-02 09:00", 0),
    ],
)
async def test_weekdays_from_nine_to_five(given: Given, start: str, end: str, expected: float) -> None:
    inbox = await inbox_with(given)

    assert seconds(inbox, start, end) == expected


async def test_without_working_hours_there_are_none(given: Given) -> None:
    inbox = await inbox_with(given, working_hours_enabled=False)

    assert seconds(inbox, "2026-02-02 00:00", "2026-02-09 00:00") == 0


async def test_a_day_that_is_open_all_day_ends_a_minute_early(given: Given) -> None:
    days = [{"day_of_week": day, "open_all_day": True, "closed_all_day": False} for day in ALL_DAYS]
    inbox = await inbox_with(given, working_hours=days)

    assert seconds(inbox, "2026-02-02 00:00", "2026-02-04 00:00") == 2 * (24 * HOUR - 60)


async def test_an_inbox_closed_every_day_has_none(given: Given) -> None:
    days = [{"day_of_week": day, "open_all_day": False, "closed_all_day": True} for day in ALL_DAYS]
    inbox = await inbox_with(given, working_hours=days)

    assert seconds(inbox, "2026-02-02 00:00", "2026-02-09 00:00") == 0


async def test_hours_that_a_clock_skips_or_repeats_count_as_they_pass(given: Given) -> None:
    sunday = {"day_of_week": 0, "open_all_day": False, "closed_all_day": False}
    hours = {**sunday, "open_hour": 0, "open_minutes": 0, "close_hour": 12, "close_minutes": 0}
    inbox = msgspec.structs.replace(await inbox_with(given, working_hours=[hours]), timezone="Europe/Berlin")

    assert seconds(inbox, "2026-03-29 00:00", "2026-03-29 23:00") == 11 * HOUR
    assert seconds(inbox, "2026-10-25 00:00", "2026-10-25 23:00") == 13 * HOUR
