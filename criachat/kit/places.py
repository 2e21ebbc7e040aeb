"""Where the values of a statement stand that is made of literal pieces, such as a list with optional conditions."""

from __future__ import annotations

from typing import Final, LiteralString

DIGITS: Final[tuple[LiteralString, ...]] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
# From $0, which no value has, to $999: a filter of fifty conditions takes some 300.
PLACES: Final[tuple[LiteralString, ...]] = (
    *("$" + ones for ones in DIGITS),
    *("$" + tens + ones for tens in DIGITS[1:] for ones in DIGITS),
    *("$" + hundreds + tens + ones for hundreds in DIGITS[1:] for tens in DIGITS for ones in DIGITS),
)


def bound(values: list[object], value: object) -> LiteralString:
    """The place of one more value, which joins the others."""
    values.append(value)
    return PLACES[len(values)]
