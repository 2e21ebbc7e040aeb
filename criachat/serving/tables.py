"""Tables for people who read a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as what stands in them; the last one as long as it likes."""
    lines = [list(head), *([_line(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=True)), line[-1]]).rstrip()
        for line in lines
    )


def moment(at: datetime | None) -> str:
    """A time to the second, or that there is none."""
    return "never" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _line(cell: str) -> str:
    """One line, without what would move the cursor of a terminal."""
    return "".join(character if character.isprintable() else " " for character in cell)
