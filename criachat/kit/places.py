"""Where the values of a statement stand that is made of literal pieces, such as a list with optional conditions."""

from __future__ import annotations

from typing import LiteralString

# Enough for the account, a page, and as many conditions as a filter may have, each of them with two values.
PLACES: tuple[LiteralString, ...] = (
    *("$0", "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16"),
    *("$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32"),
    *("$33", "$34", "$35", "$36", "$37", "$38", "$39", "$40", "$41", "$42", "$43", "$44", "$45", "$46", "$47", "$48"),
)


def bound(values: list[object], value: object) -> LiteralString:
    """The place of one more value, which joins the others."""
    values.append(value)
    return PLACES[len(values)]
