"""When a delivery that failed is tried again, and when it is given up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from criachat.kit import clock
from criachat.webhooks.models import is_address, is_webhook

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE

JITTER: Final = 0.2
PATIENT_SECONDS: Final = 60
LONGEST_WAIT: Final = timedelta(hours=24)
HOLD: Final = timedelta(seconds=60)
TOO_MANY_REQUESTS: Final = 429
GONE: Final = 410
# The receiver may say something else a moment later, although these are called the client's fault.
NOT_DEFINITE: Final = frozenset((408, 409, 423, 425, TOO_MANY_REQUESTS))


class Schedule(msgspec.Struct, frozen=True):
    """Seconds to wait before each try, the first included. The `head` is how many of them decide quickly."""

    waits: tuple[int, ...]
    head: int

    def wait(self, tries: int, *, is_impatient: bool, asked: timedelta | None) -> timedelta | None:
        """How long to wait after this many tries; None when that was the last.

        `is_impatient` says that the receiver was too slow or told us to slow down; `asked` is what it asked for.
        """
        if tries >= len(self.waits):
            return None
        seconds = self.waits[tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
        if is_impatient:
            seconds = max(seconds, PATIENT_SECONDS)
        wait = timedelta(seconds=seconds)
        return wait if asked is None else max(wait, min(asked, LONGEST_WAIT))


TAIL: Final = (30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
ACCOUNT_WEBHOOK: Final = Schedule((0, 5, 5 * MINUTE, *TAIL), head=3)
# People wait for what these carry, so a short trouble of the receiver costs seconds instead of minutes.
QUICK: Final = Schedule((0, 2, 10, 30, 2 * MINUTE, 10 * MINUTE, *TAIL), head=6)
ONCE: Final = Schedule((0,), head=1)


def schedule_of(target: str, *, is_kept: bool) -> Schedule:
    """The schedule for this target; what no log keeps (typing, samples) is worth one try."""
    if not is_kept:
        return ONCE
    return ACCOUNT_WEBHOOK if is_webhook(target) or is_address(target) else QUICK


def is_definite(status: int | None) -> bool:
    """Whether the receiver refused this very request, so that the same again will hardly help."""
    return status is not None and 400 <= status < 500 and status not in NOT_DEFINITE


def retry_after(headers: Sequence[tuple[str, str]]) -> timedelta | None:
    """What the receiver asked us to wait, in seconds or as a date; None when it did not, or not in earnest."""
    text = next((value.strip() for name, value in headers if name.lower() == "retry-after"), "")
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(_aware(moment) - clock.now(), timedelta())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
