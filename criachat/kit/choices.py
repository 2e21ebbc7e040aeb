"""Values of a closed set, as clients say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=str)


def chosen(said: str | int, names: Sequence[Name]) -> Name | None:
    """The one of these names that was said, by itself or by its number; None when there is no such."""
    text = str(said)
    if text.isascii() and text.isdigit():
        text = names[int(text)] if len(text) < 4 and int(text) < len(names) else ""
    return next((name for name in names if name == text), None)
