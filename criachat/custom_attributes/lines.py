"""Where filters find who may be meant: the lines that are kept of attributes, beside the rows that have them.

A line has its attribute, its value, in small letters or as it was written, and its number when it is one. What is said
of a line here is true of every row for which the comparison is true, and perhaps of others: the row itself is compared
again. So values may be cut, and days be held against texts that only begin like one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, LiteralString, assert_never

import msgspec

from criachat.custom_attributes.comparing import AttributeComparison
from criachat.kit.places import bound

# As in the migration that keeps the lines.
LONGEST_KEY: Final = 255
LONGEST_LINE: Final = 200
# What small letters are the database knows; lines are ordered by their bytes.
TEXT: Final[LiteralString] = 'value COLLATE "default" '
IS_CUT: Final[LiteralString] = " OR char_length(value) = 200)"

Condition = Callable[[list[object]], LiteralString]
"""A condition on a line; what it binds joins the values."""


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of all for whom a comparison holds; `is_opposite`: of all for whom it does not.

    The lower the rank, the fewer they usually are.
    """

    attribute: str
    condition: Condition
    rank: int
    is_opposite: bool = False


def lines_of(wanted: AttributeComparison) -> Lines | None:
    """Those of a custom attribute; None when it has a key of which no lines are kept."""
    if len(wanted.key) > LONGEST_KEY:
        return None
    attribute = "custom." + wanted.key
    match wanted.comparison:
        case "is" | "is_not":
            condition = _among_days if wanted.kind == "date" else _equal
            is_opposite = wanted.comparison == "is_not"
            return Lines(attribute=attribute, condition=condition(wanted), rank=0, is_opposite=is_opposite)
        case "is_greater":
            return Lines(attribute=attribute, condition=_beyond(wanted, " > "), rank=1)
        case "is_less":
            return Lines(attribute=attribute, condition=_beyond(wanted, " < "), rank=1)
        case "is_like_one":
            return like_one(attribute, wanted.values)
        case "is_like_none":
            return like_none(attribute, wanted.values)
        case "is_present" | "is_not_present":
            is_opposite = wanted.comparison == "is_not_present"
            return Lines(attribute=attribute, condition=lambda _: "value > ''", rank=3, is_opposite=is_opposite)
        case _:
            assert_never(wanted.comparison)


def equal(attribute: str, values: Sequence[str], *, is_opposite: bool = False) -> Lines:
    """Those with one of these values, written like the lines."""
    return Lines(attribute=attribute, condition=_one_of(values), rank=0, is_opposite=is_opposite)


def unequal(attribute: str, values: Sequence[str]) -> Lines:
    """Those with another value than these; what is cut may be another, however it begins."""
    short = [value for value in values if len(value) < LONGEST_LINE]
    return Lines(
        attribute=attribute, condition=lambda places: "value <> ALL (" + bound(places, short) + "::text[])", rank=3
    )


def like_one(attribute: str, patterns: Sequence[str], *, like: LiteralString = "LIKE") -> Lines:
    """Those whose value is like one of the patterns, in small letters unless they are compared otherwise."""
    return Lines(
        attribute=attribute,
        condition=lambda places: "(" + TEXT + like + " ANY (" + bound(places, patterns) + "::text[])" + IS_CUT,
        rank=2,
    )


def like_none(attribute: str, patterns: Sequence[str], *, unlike: LiteralString = "NOT LIKE") -> Lines:
    """Those whose value is like none of the patterns: if the whole is not, then what is left of it is not either."""
    return Lines(
        attribute=attribute,
        condition=lambda places: TEXT + unlike + " ALL (" + bound(places, patterns) + "::text[])",
        rank=3,
    )


def _one_of(values: Sequence[Any]) -> Condition:
    cut = [value[:LONGEST_LINE] for value in values]
    return lambda places: "value = ANY (" + bound(places, cut) + "::text[])"


def _equal(wanted: AttributeComparison) -> Condition:
    if wanted.kind == "number":
        return lambda places: "number = ANY (" + bound(places, wanted.values) + "::numeric[])"
    return _one_of(wanted.values)


def _among_days(wanted: AttributeComparison) -> Condition:
    """Texts that begin with one of the days: they stand between the first and what comes after the last."""
    first, last = min(wanted.values), max(wanted.values)
    behind = last[:-1] + chr(ord(last[-1]) + 1)

    def condition(places: list[object]) -> LiteralString:
        sql: LiteralString = "value >= " + bound(places, first) + "::text AND value < " + bound(places, behind)
        return sql + "::text AND left(value, 10) = ANY (" + bound(places, wanted.values) + "::text[])"

    return condition


def _beyond(wanted: AttributeComparison, operator: LiteralString) -> Condition:
    """Less or greater than the one value: a day with a time behind it is greater than the day alone."""
    if wanted.kind == "number":
        return lambda places: "number" + operator + bound(places, wanted.values[0]) + "::numeric"
    return lambda places: "value" + operator + bound(places, wanted.values[0]) + "::text"
