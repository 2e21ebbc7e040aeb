"""The time, in one place, so that tests can hold it still."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_shift = timedelta()


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) + _shift


def unix() -> float:
    """The present moment in seconds since 1970."""
    return time.time() + _shift.total_seconds()


def monotonic() -> float:
    """Seconds that never go back, for measuring how long something took."""
    return time.monotonic() + _shift.total_seconds()


def travel(by: timedelta) -> None:
    """Move the clock of this process forward (or back). For tests and rehearsals."""
    global _shift
    _shift += by


def stand_by() -> None:
    """Be where everybody else's clock is again."""
    global _shift
    _shift = timedelta()
