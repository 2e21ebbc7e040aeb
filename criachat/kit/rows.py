"""From PostgreSQL's records to structs.

Values handed over in order cost a twentieth of what values handed over by name do. So a struct that is read often is
not `kw_only`; its fields may stand in any order, since the columns are brought into it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


class Shape(Generic[Row]):
    """How the records of one statement become structs of one kind; learned from the first record."""

    __slots__ = ("_kind", "make")

    def __init__(self, kind: type[Row]) -> None:
        self._kind = kind
        self.make: Callable[[Any], Row] = self._learn

    def _learn(self, record: Any) -> Row:
        self.make = _maker(self._kind, tuple(record.keys()))
        return self.make(record)


@lru_cache(maxsize=4096)
def shape_of(kind: type[Row], _statement: str) -> Shape[Row]:
    """The shape of what this statement returns, the same one each time."""
    return Shape(kind)


def _maker(kind: Any, columns: Sequence[str]) -> Callable[[Any], Any]:
    first: tuple[str, ...] = kind.__match_args__[: len(columns)]
    if first == columns:
        return lambda record: kind(*record)
    if set(first) == set(columns):
        in_order = itemgetter(*map(columns.index, first))
        return lambda record: kind(*in_order(record))
    # A struct finds the field of a name by its address first.
    names = tuple(map(sys.intern, columns))
    return lambda record: kind(**dict(zip(names, record, strict=True)))
