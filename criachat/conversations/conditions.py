"""From the filter language of the API to conditions of a list. Saved views keep the same language.

Conditions are checked before anything is looked for, in the order of the contract: how they are joined, then of each
its operator, its values, and whether there is such an attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, cast

from criachat.conversations.errors import FilterInvalid
from criachat.conversations.models import ColumnComparison, Comparison, Condition, ListFilter
from criachat.conversations.schemas import ConditionParams
from criachat.conversations.snapshots import PRIORITIES, STATUSES
from criachat.custom_attributes import access as custom_attributes
from criachat.custom_attributes.comparing import (
    KINDS,
    LONGEST_VALUE,
    MOST_VALUES,
    OPERATORS,
    compared,
    midnight,
    read_day,
    read_days_ago,
)
from criachat.custom_attributes.models import Definition
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.http.binding import id_of
from criachat.kit.paging import containing
from criachat.labels.titles import label_titles

MOST_CONDITIONS: Final = 20
NO_PRIORITY: Final = -1

Compare = Callable[[str, Sequence[str]], tuple[Comparison, object]]
"""What a column is held against, of the attribute's name and the values that were sent."""


async def filter_of_conditions(db: Db, actor: Actor, payload: Sequence[ConditionParams]) -> ListFilter:
    """What a list shows for which these conditions hold, AND before OR; of every status, unless they name some."""
    if len(payload) > MOST_CONDITIONS:
        raise FilterInvalid(f"A filter has {MOST_CONDITIONS} conditions at most")
    alternatives = [_is_alternative(params, is_last=params is payload[-1]) for params in payload]
    keys = [params.attribute_key for params in payload if params.attribute_key not in ALLOWED]
    definitions = await custom_attributes.find_definitions(db, actor.account_id, "conversation_attribute", keys)
    conditions = tuple(
        _condition(params, definitions, is_alternative=is_alternative)
        for params, is_alternative in zip(payload, alternatives, strict=True)
    )
    return ListFilter(status=_statuses_of(conditions), conditions=conditions)


def _is_alternative(params: ConditionParams, *, is_last: bool) -> bool:
    """Whether the next condition may hold in its place. The last one is joined to nothing."""
    joined_by = params.query_operator
    if joined_by is not None and joined_by != "" and str(joined_by).lower() not in ("and", "or"):
        raise FilterInvalid("Query operator must be either AND or OR")
    if is_last == bool(joined_by):
        raise FilterInvalid(
            "The last condition is joined to nothing: it has no query operator"
            if is_last
            else "Query operator must be either AND or OR on all conditions but the last"
        )
    return str(joined_by).lower() == "or"


def _condition(params: ConditionParams, definitions: Mapping[str, Definition], *, is_alternative: bool) -> Condition:
    key, operator = params.attribute_key, params.filter_operator
    allowed = ALLOWED.get(key)
    if allowed is not None and operator not in allowed:
        raise FilterInvalid(f"Invalid operator. The allowed operators for {key} are [{','.join(allowed)}].")
    values = _texts(key, params.values)
    if not values and operator not in ("is_present", "is_not_present"):
        raise FilterInvalid(f"Invalid value. The values provided for {key[:100]} are invalid")
    if allowed is not None:
        comparison, value = allowed[operator](key, values)
        column = ColumnComparison(key=key, comparison=comparison, value=value)
        return Condition(compared=column, is_alternative=is_alternative)
    definition = definitions.get(key)
    if definition is None:
        names = ",".join(ALLOWED)
        raise FilterInvalid(f"Invalid attribute key - {key[:100]}. The key should be one of [{names}] or a custom one.")
    # Of custom attributes the family checks no operators: whichever it does not know means that they are equal.
    known = operator in OPERATORS[KINDS[definition.attribute_display_type]]
    return Condition(
        compared=compared(definition, operator if known else "equal_to", values), is_alternative=is_alternative
    )


def _statuses_of(conditions: Sequence[Condition]) -> tuple[str, ...] | None:
    """The statuses that the list can show at all, so that others need not be read; None for any."""
    if any(condition.is_alternative for condition in conditions):
        return None
    columns = [each for condition in conditions if isinstance(each := condition.compared, ColumnComparison)]
    of_status = [each for each in columns if each.key == "status"]
    return tuple(name for name in STATUSES if all(_allows(each, name) for each in of_status)) if of_status else None


def _allows(comparison: ColumnComparison, status: str) -> bool:
    return (status in cast(list[str], comparison.value)) == (comparison.comparison == "is_one")


def _texts(key: str, values: object) -> list[str]:
    """The values as texts, whatever they were sent as; one alone may stand without its list."""
    listed = cast(list[object], values) if isinstance(values, list) else [values]
    shown = [str(value).lower() if isinstance(value, bool) else str(value) for value in listed if value is not None]
    is_plain = all(isinstance(value, str | int | float | None) for value in listed)
    if not is_plain or len(shown) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in shown):
        raise FilterInvalid(f"Invalid value. The values provided for {key[:100]} are invalid")
    return [value for value in shown if value.strip()]


def _by(comparison: Comparison, read: Callable[[Sequence[str]], object]) -> Compare:
    return lambda _, values: (comparison, read(values))


def _ids(comparison: Comparison) -> Compare:
    def read(key: str, values: Sequence[str]) -> tuple[Comparison, object]:
        numbers = [id_of(value.strip()) for value in values]
        if None in numbers:
            raise FilterInvalid(f"Invalid value. {key} takes numbers")
        return comparison, numbers

    return read


def _statuses(values: Sequence[str]) -> list[str]:
    return [*STATUSES] if "all" in values else [*values]


def _priorities(values: Sequence[str]) -> list[int]:
    """By their numbers; one that does not exist is that of none."""
    return [PRIORITIES.index(value) if value in PRIORITIES else NO_PRIORITY for value in values]


def _patterns(values: Sequence[str]) -> list[str]:
    return [containing(value.strip()) for value in values]


def _after_day(values: Sequence[str]) -> datetime:
    return midnight(date.fromisoformat(read_day(values[0])), days_later=1)


def _day(values: Sequence[str]) -> datetime:
    return midnight(date.fromisoformat(read_day(values[0])))


def _days_ago(values: Sequence[str]) -> datetime:
    return midnight(date.fromisoformat(read_days_ago(values[0])))


def _nothing(_: Sequence[str]) -> None:
    return None


PRESENCE: Final[Mapping[str, Compare]] = {
    "is_present": _by("is_set", _nothing),
    "is_not_present": _by("is_not_set", _nothing),
}
IDS: Final[Mapping[str, Compare]] = {"equal_to": _ids("is_one"), "not_equal_to": _ids("is_none"), **PRESENCE}
EQUAL: Final[Mapping[str, Compare]] = {"equal_to": _by("is_one", list), "not_equal_to": _by("is_none", list)}
CONTAINING: Final[Mapping[str, Compare]] = {
    "contains": _by("is_like_one", _patterns),
    "does_not_contain": _by("is_like_none", _patterns),
}
DAYS: Final[Mapping[str, Compare]] = {
    "is_greater_than": _by("is_from", _after_day),
    "is_less_than": _by("is_before", _day),
    "days_before": _by("is_before", _days_ago),
}
ALLOWED: Final[Mapping[str, Mapping[str, Compare]]] = {
    "status": {"equal_to": _by("is_one", _statuses), "not_equal_to": _by("is_none", _statuses)},
    "assignee_id": IDS,
    "inbox_id": IDS,
    "team_id": IDS,
    "campaign_id": IDS,
    "priority": {"equal_to": _by("is_one", _priorities), "not_equal_to": _by("is_none", _priorities)},
    "display_id": {"equal_to": _ids("is_one"), "not_equal_to": _ids("is_none"), **CONTAINING},
    "labels": {
        "equal_to": _by("has_one", cast(Any, label_titles)),
        "not_equal_to": _by("has_none", cast(Any, label_titles)),
        "is_present": _by("has_any", _nothing),
        "is_not_present": _by("has_nothing", _nothing),
    },
    "browser_language": EQUAL,
    "conversation_language": EQUAL,
    "referer": {**EQUAL, **CONTAINING},
    "mail_subject": {**EQUAL, **CONTAINING},
    "created_at": DAYS,
    "last_activity_at": DAYS,
}
