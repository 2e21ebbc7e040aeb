"""Pages by number, and patterns for words, as all lists read them."""

from __future__ import annotations

LAST_PAGE = 100_000
LONGEST_NUMBER = 12


def page_of(value: object) -> int:
    """The page that was asked for; junk, nothing and negative numbers are the first."""
    text = str(value).strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER else 1
    return min(max(number, 1), LAST_PAGE)


def told_page(value: str | int | None) -> str | int:
    """The page as lists tell it: what was sent, in the form in which it was sent; the first when nothing was."""
    return 1 if value is None else value


def containing(words: str) -> str:
    """A pattern for texts that contain these words, whatever signs are in them."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
