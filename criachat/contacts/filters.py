"""From the filter language of the API to conditions of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, cast

from criachat.contacts.errors import FilterInvalid
from criachat.contacts.models import Comparison, Condition
from criachat.contacts.schemas import ConditionParams
from criachat.custom_attributes import access as custom_attributes
from criachat.custom_attributes.comparing import LONGEST_VALUE, MOST_VALUES, compared, midnight, read_day, read_days_ago
from criachat.custom_attributes.models import Definition
from criachat.kit.db import Db
from criachat.kit.paging import containing

MOST_CONDITIONS: Final = 50
JOINTS: Final = ("and", "or")
UNKNOWN_JOINT: Final = "query_operator must be AND or OR"
Compared = tuple[Comparison, object]
Compare = Callable[[Sequence[str]], Compared]


async def read_conditions(db: Db, account_id: int, payload: Sequence[ConditionParams]) -> tuple[Condition, ...]:
    """The conditions, checked; custom attributes are compared as their definitions say."""
    if len(payload) > MOST_CONDITIONS:
        raise FilterInvalid(f"A filter has {MOST_CONDITIONS} conditions at most")
    custom = (params.attribute_key for params in payload if params.attribute_key not in OPERATORS)
    definitions = await custom_attributes.find_definitions(db, account_id, "contact_attribute", custom)
    last = len(payload) - 1
    return tuple(_condition(params, definitions, is_last=number == last) for number, params in enumerate(payload))


def _condition(params: ConditionParams, definitions: Mapping[str, Definition], *, is_last: bool) -> Condition:
    is_alternative = _is_alternative(params.query_operator, is_last=is_last)
    key, operator, values = params.attribute_key, params.filter_operator, _texts(params.attribute_key, params.values)
    if key in definitions:
        heard = values[:1] if operator in EQUAL else values
        comparison = compared(definitions[key], operator, heard)
        return Condition(attribute=key, comparison="custom", value=comparison, is_alternative=is_alternative)
    allowed = OPERATORS.get(key)
    if allowed is None:
        raise FilterInvalid(f"Contacts cannot be filtered by {key[:100]}")
    compare = allowed.get(operator)
    if compare is None:
        raise FilterInvalid(f"Invalid operator. The allowed operators for {key} are [{','.join(allowed)}].")
    if not values and not operator.endswith("_present"):
        raise FilterInvalid(f"The values of {key} are empty")
    comparison, value = compare(values)
    return Condition(attribute=key, comparison=comparison, value=value, is_alternative=is_alternative)


def _is_alternative(query_operator: str | None, *, is_last: bool) -> bool:
    """Whether the next condition may hold in place of this one; the last is joined to nothing."""
    joint = (query_operator or "").strip().lower()
    if is_last and joint:
        raise FilterInvalid("The last condition has no query_operator" if joint in JOINTS else UNKNOWN_JOINT)
    if not is_last and joint not in JOINTS:
        raise FilterInvalid(UNKNOWN_JOINT)
    return joint == "or"


def _texts(key: str, values: object) -> list[str]:
    """The values as texts, whatever they were sent as; one alone may stand without its list."""
    listed = cast(list[object], values) if isinstance(values, list) else [values]
    shown = [str(value).lower() if isinstance(value, bool) else str(value) for value in listed if value is not None]
    if len(shown) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in shown):
        raise FilterInvalid(f"The values of {key[:100]} are too many or too long")
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


def _day(values: Sequence[str]) -> datetime:
    return midnight(date.fromisoformat(read_day(values[0])))


def _after_day(values: Sequence[str]) -> datetime:
    return midnight(date.fromisoformat(read_day(values[0])), days_later=1)


def _days_ago(values: Sequence[str]) -> datetime:
    return midnight(date.fromisoformat(read_days_ago(values[0])))


def _by(comparison: Comparison, value: Callable[[Sequence[str]], object]) -> Compare:
    return lambda values: (comparison, value(values))


EQUAL: Final[Mapping[str, Compare]] = {"equal_to": _by("is", _text), "not_equal_to": _by("is_not", _text)}
CONTAINING: Final[Mapping[str, Compare]] = {
    "contains": _by("is_like_one", _patterns),
    "does_not_contain": _by("is_like_none", _patterns),
}
TEXT: Final = {**EQUAL, **CONTAINING}
DAYS: Final[Mapping[str, Compare]] = {
    "is_greater_than": _by("is_from", _after_day),
    "is_less_than": _by("is_before", _day),
    "days_before": _by("is_before", _days_ago),
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
