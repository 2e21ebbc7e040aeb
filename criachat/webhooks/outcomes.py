"""What follows from a try: done, again and when, or given up."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Final

from criachat.kit import clock
from criachat.webhooks import schedule
from criachat.webhooks.models import Result, ToSend, Tried, is_webhook
from criachat.webhooks.schedule import Schedule

# What the family's servers write into a message that could not be delivered.
TIMED_OUT: Final = "Timed out reading data from server"
# The same bytes will be too long the next time as well.
HOPELESS: Final = frozenset(("too_large",))


def judge(sent: ToSend, tried: Tried) -> Result:
    """What is to be written down after this try."""
    if tried.is_success:
        return Result(sent=sent, status="delivered", tried=tried)
    plan = schedule.schedule_of(sent.target, is_kept=sent.event_id is not None)
    tries = sent.tries + 1
    now = clock.now()
    wait = None if tried.error_kind in HOPELESS else _wait(plan, tries, tried)
    is_over = wait is None
    return Result(
        sent=sent,
        status="exhausted" if is_over else "pending",
        tried=tried,
        due_at=None if wait is None else now + wait,
        hold_until=None if wait is None else now + schedule.HOLD,
        is_told_failed=sent.is_told_failed or _is_told_failed(sent, plan, tried, is_over=is_over),
    )


def error_of(tried: Tried) -> str:
    """What went wrong, in the words of the family."""
    if tried.error_kind == "timeout":
        return TIMED_OUT
    if tried.status is None:
        return tried.error or "Unknown error"
    try:
        return f"{tried.status} {HTTPStatus(tried.status).phrase}"
    except ValueError:
        return str(tried.status)


def concerns_message(sent: ToSend) -> bool:
    """Whether a message of an API inbox stands or falls with this delivery, or a bot does not answer it."""
    return (
        not is_webhook(sent.target)
        and sent.event_name in ("message_created", "message_updated")
        and sent.message_id is not None
    )


def _wait(plan: Schedule, tries: int, tried: Tried) -> timedelta | None:
    is_impatient = tried.error_kind == "timeout" or tried.status == schedule.TOO_MANY_REQUESTS
    return plan.wait(tries, is_impatient=is_impatient, asked=schedule.retry_after(tried.headers))


def _is_told_failed(sent: ToSend, plan: Schedule, tried: Tried, *, is_over: bool) -> bool:
    if not concerns_message(sent):
        return False
    return is_over or sent.tries + 1 >= plan.head or schedule.is_definite(tried.status)
