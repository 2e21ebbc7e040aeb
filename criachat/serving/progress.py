"""How far a long command is: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sized
from typing import Final, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)
WIDTH: Final = 30


class Countable(Sized, Protocol[T_co]):
    """Something that is gone through once, and knows how long it is."""

    def __iter__(self) -> Iterator[T_co]: ...


def progress(items: Countable[T_co], name: str) -> Iterator[T_co]:
    """The items, with a bar on standard error that shows how many of them are done."""
    total = len(items)
    is_shown = sys.stderr.isatty() and total > 0
    for done, item in enumerate(items, 1):
        yield item
        if is_shown:
            filled = WIDTH * done // total
            sys.stderr.write(f"\r{'━' * filled}{'╌' * (WIDTH - filled)} {done}/{total} {name}")
            sys.stderr.flush()
    if is_shown:
        sys.stderr.write("\n")
