"""Custom attributes in the filter languages of contacts and conversations: what is compared with what, and how in SQL.

What is stored was never held against its definition. So nothing is cast that cannot be: a value of another kind than
its definition says is as good as none. Days compare as their texts, which have the order of the days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, LiteralString, assert_never

import msgspec

from criachat.custom_attributes.errors import ComparisonInvalid
from criachat.custom_attributes.models import Definition, DisplayType
from criachat.kit import clock
from criachat.kit.paging import containing
from criachat.kit.places import bound

Kind = Literal["text", "number", "date", "boolean"]
Comparison = Literal[
    "is", "is_not", "is_like_one", "is_like_none", "is_greater", "is_less", "is_present", "is_not_present"
]
Read = Callable[[str], Any]

# Of every condition of a filter, on a custom attribute or not: each value is held against each row.
MOST_VALUES: Final = 500
LONGEST_VALUE: Final = 1000
MOST_DAYS: Final = 100_000
LONGEST_NUMBER: Final = 40
KINDS: Final[Mapping[DisplayType, Kind]] = {
    "text": "text",
    "link": "text",
    "list": "text",
    "number": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "checkbox": "boolean",
}
EQUALITY: Final[Mapping[str, Comparison]] = {"equal_to": "is", "not_equal_to": "is_not"}
ORDER: Final[Mapping[str, Comparison]] = {"is_greater_than": "is_greater", "is_less_than": "is_less"}
PRESENCE: Final[Mapping[str, Comparison]] = {"is_present": "is_present", "is_not_present": "is_not_present"}
OPERATORS: Final[Mapping[Kind, Mapping[str, Comparison]]] = {
    "text": {**EQUALITY, "contains": "is_like_one", "does_not_contain": "is_like_none", **PRESENCE},
    "number": {**EQUALITY, **ORDER, **PRESENCE},
    "date": {**EQUALITY, **ORDER, "days_before": "is_less", **PRESENCE},
    "boolean": {**EQUALITY, **PRESENCE},
}


# What stands between what is stored and the values, and what is true where nothing of that kind is stored.
COMPARED: Final[Mapping[Comparison, tuple[LiteralString, LiteralString]]] = {
    "is": (" = ANY (", "false"),
    "is_not": (" <> ALL (", "true"),
    "is_like_one": (" LIKE ANY (", "false"),
    "is_like_none": (" NOT LIKE ALL (", "false"),
    "is_greater": (" > ALL (", "false"),
    "is_less": (" < ALL (", "false"),
}


class AttributeComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A custom attribute held against values; of which kind they are, its definition says."""

    key: str
    kind: Kind
    comparison: Comparison
    values: list[Any]


def compared(definition: Definition, operator: str, values: Sequence[str]) -> AttributeComparison:
    """The comparison a condition asks for; refused when attributes of this type cannot be compared so.

    Equal to any of the values, or to none; greater or less than the first. Presence needs no value.
    """
    kind = KINDS[definition.attribute_display_type]
    name = definition.attribute_key[:100]
    comparison = OPERATORS[kind].get(operator)
    if comparison is None:
        raise ComparisonInvalid(
            f"Invalid operator. The allowed operators for {name} are [{','.join(OPERATORS[kind])}]."
        )
    if comparison in ("is_present", "is_not_present"):
        return AttributeComparison(key=definition.attribute_key, kind=kind, comparison=comparison, values=[])
    if not values:
        raise ComparisonInvalid(f"The values of {name} are empty")
    read = read_days_ago if operator == "days_before" else _reader(kind, comparison)
    heard = values[:1] if comparison in ("is_greater", "is_less") else values
    return AttributeComparison(
        key=definition.attribute_key, kind=kind, comparison=comparison, values=[read(value) for value in heard]
    )


def comparison_sql(wanted: AttributeComparison, column: LiteralString, values: list[object]) -> LiteralString:
    """The comparison as a condition on this `jsonb` column, never null; what it binds joins the values."""
    found: LiteralString = "(" + column + " ->> " + bound(values, wanted.key) + "::text)"
    if wanted.comparison == "is_present":
        return "coalesce(" + found + ", '') <> ''"
    if wanted.comparison == "is_not_present":
        return "coalesce(" + found + ", '') = ''"
    between, if_nothing_is_stored = COMPARED[wanted.comparison]
    place = bound(values, wanted.values) + ("::numeric[])" if wanted.kind == "number" else "::text[])")
    return "coalesce(" + _stored(wanted.kind, found) + between + place + ", " + if_nothing_is_stored + ")"


def read_day(text: str) -> str:
    """The day of a text like 2026-01-31, a time behind it left out."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError as failure:
        raise ComparisonInvalid(f"{text[:100]} is no day like 2026-01-31") from failure


def read_days_ago(text: str) -> str:
    """The day so many days ago, by UTC."""
    number = text.strip()
    if not (number.isascii() and number.isdigit()) or len(number) > len(str(MOST_DAYS)) or int(number) > MOST_DAYS:
        raise ComparisonInvalid(f"{number[:100]} is no number of days")
    return (clock.now().astimezone(UTC).date() - timedelta(days=int(number))).isoformat()


def midnight(day: date, *, days_later: int = 0) -> datetime:
    """The beginning of a day in Greenwich; there is none after the last one there is."""
    try:
        return datetime.combine(day + timedelta(days=days_later), time(), UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def read_truth(text: str) -> str:
    """`true` or `false`, in small letters."""
    if text.strip().lower() not in ("true", "false"):
        raise ComparisonInvalid(f"{text[:100]} is neither true nor false")
    return text.strip().lower()


def read_number(text: str) -> Decimal:
    """A number as people write it, without an exponent."""
    digits = text.strip().removeprefix("-").replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()) or len(digits) > LONGEST_NUMBER:
        raise ComparisonInvalid(f"{text[:100]} is no number")
    return Decimal(text.strip())


def _reader(kind: Kind, comparison: Comparison) -> Read:
    match kind:
        case "text" if comparison in ("is_like_one", "is_like_none"):
            return lambda text: containing(text.strip().lower())
        case "text":
            return str.lower
        case "number":
            return read_number
        case "date":
            return read_day
        case "boolean":
            return read_truth
        case _:
            assert_never(kind)


def _stored(kind: Kind, found: LiteralString) -> LiteralString:
    """What is stored, as its definition says; null when it is of another kind."""
    match kind:
        case "text" | "boolean":
            return "lower" + found
        case "number":
            return "CASE WHEN " + found + " ~ '^ *-?[0-9]{1,40}([.][0-9]{1,40})? *$' THEN " + found + "::numeric END"
        case "date":
            return (
                "CASE WHEN " + found + " ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' THEN left(" + found + ', 10) COLLATE "C" END'
            )
        case _:
            assert_never(kind)
