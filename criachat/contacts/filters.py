"""From the filter language of the API to conditions of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Any, Final, cast

from criachat.contacts.errors import FilterInvalid
from criachat.contacts.models import Comparison, Condition
from criachat.contacts.schemas import ConditionParams
from criachat.kit import clock
from criachat.kit.paging import containing

MOST_CONDITIONS: Final = 15
MOST_DAYS: Final = 100_000
Compared = tuple[Comparison, object]
Compare = Callable[[Sequence[str]], Compared]


def conditions_of(payload: Sequence[ConditionParams]) -> tuple[Condition, ...]:
    """The conditions, checked; the last one is joined to nothing, whatever it says."""
    if len(payload) > MOST_CONDITIONS:
        raise FilterInvalid(f"A filter has {MOST_CONDITIONS} conditions at most")
    last = len(payload) - 1
    return tuple(_condition(params, is_last=number == last) for number, params in enumerate(payload))


def _condition(params: ConditionParams, *, is_last: bool) -> Condition:
    key = params.attribute_key
    allowed = OPERATORS.get(key)
    if allowed is None:
        raise FilterInvalid(f"Contacts cannot be filtered by {key[:100]}")
    compare = allowed.get(params.filter_operator)
    if compare is None:
        raise FilterInvalid(f"Invalid operator. The allowed operators for {key} are [{','.join(allowed)}].")
    values = _texts(params.values)
    if not values and not params.filter_operator.endswith("_present"):
        raise FilterInvalid(f"The values of {key} are empty")
    comparison, value = compare(values)
    joined_by = (params.query_operator or "").lower()
    if joined_by not in ("and", "or") and not is_last:
        raise FilterInvalid("query_operator must be AND or OR")
    return Condition(attribute=key, comparison=comparison, value=value, is_alternative=joined_by == "or")


def _texts(values: object) -> list[str]:
    """The values as texts, whatever they were sent as; one alone may stand without its list."""
    listed = cast(list[object], values) if isinstance(values, list) else [values]
    shown = [str(value).lower() if isinstance(value, bool) else str(value) for value in listed if value is not None]
    return [value for value in shown if value]


def _text(values: Sequence[str]) -> str:
    return values[0].lower()


def _phone_number(values: Sequence[str]) -> str:
    """Bridges send numbers without their plus sign."""
    return "+" + values[0].strip().removeprefix("+")


def _patterns(values: Sequence[str]) -> list[str]:
    return [containing(value.lower()) for value in values]


def _label(values: Sequence[str]) -> list[str]:
    return [values[0].strip().lower()]


def _is_true(values: Sequence[str]) -> bool:
    if values[0].lower() not in ("true", "false"):
        raise FilterInvalid("The value of blocked must be true or false")
    return values[0].lower() == "true"


def _day(values: Sequence[str]) -> date:
    """A day; a time behind it says nothing."""
    try:
        return date.fromisoformat(values[0].strip()[:10])
    except ValueError as failure:
        raise FilterInvalid(f"{values[0][:100]} is no day like 2026-01-31") from failure


def _days_ago(values: Sequence[str]) -> date:
    text = values[0].strip()
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MOST_DAYS)) or int(text) > MOST_DAYS:
        raise FilterInvalid(f"{text[:100]} is no number of days")
    return clock.now().astimezone(UTC).date() - timedelta(days=int(text))


def _by(comparison: Comparison, value: Callable[[Sequence[str]], object]) -> Compare:
    return lambda values: (comparison, value(values))


EQUAL: Final[Mapping[str, Compare]] = {"equal_to": _by("is", _text), "not_equal_to": _by("is_not", _text)}
CONTAINING: Final[Mapping[str, Compare]] = {
    "contains": _by("is_like_one", _patterns),
    "does_not_contain": _by("is_like_none", _patterns),
}
TEXT: Final = {**EQUAL, **CONTAINING}
DAYS: Final[Mapping[str, Compare]] = {
    "is_greater_than": _by("is_greater", _day),
    "is_less_than": _by("is_less", _day),
    "days_before": _by("is_less", _days_ago),
}
OPERATORS: Final[Mapping[str, Mapping[str, Compare]]] = {
    "name": TEXT,
    "email": TEXT,
    "identifier": EQUAL,
    "phone_number": {
        "equal_to": _by("is", _phone_number),
        "not_equal_to": _by("is_not", _phone_number),
        **CONTAINING,
        # Nothing but the beginning of a phone number has a plus sign.
        "starts_with": _by("is_like_one", lambda values: [containing(_phone_number(values))]),
    },
    "country_code": EQUAL,
    "city": TEXT,
    "company": TEXT,
    "labels": {
        "equal_to": _by("has", _label),
        "not_equal_to": _by("has_not", _label),
        "is_present": _by("is_not", lambda _: cast(list[Any], [])),
        "is_not_present": _by("is", lambda _: cast(list[Any], [])),
    },
    "created_at": DAYS,
    "last_activity_at": DAYS,
    "blocked": {"equal_to": _by("is", _is_true), "not_equal_to": _by("is_not", _is_true)},
}
