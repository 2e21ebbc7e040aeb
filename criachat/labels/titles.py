"""What a label may be called, and how things are labelled."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

from criachat.labels.errors import TitleBlank, TitleInvalid

SHORTEST = 2
JOINTS = frozenset("-_")
# What one contact or conversation may be labelled with.
LONGEST_LABEL = 255
MOST_LABELS = 200


def normalised(title: str | None) -> str:
    """The title as it is kept: in small letters, and refused when it could not stand behind a # in a text.

    Signs that belong to a letter, such as the vowels of Hindi or Thai, count as letters.
    """
    kept = unicodedata.normalize("NFC", (title or "").strip().lower())
    if not kept:
        raise TitleBlank
    is_word = all(character in JOINTS or _is_of(character, "LNM") for character in kept)
    if len(kept) < SHORTEST or not is_word or not _is_of(kept[0], "LN"):
        raise TitleInvalid
    return kept


def label_titles(labels: str | Iterable[object] | None) -> list[str]:
    """Labels as they are kept where they are put: in small letters, each once; a comma inside one splits it.

    A number is its digits; what is neither is left out.
    """
    wanted = [labels] if isinstance(labels, str) else labels or ()
    texts = (str(label) for label in wanted if isinstance(label, str | int) and not isinstance(label, bool))
    parts = (part.strip().lower() for text in texts for part in text.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def excess_of(titles: Collection[str]) -> str | None:
    """Why one thing cannot have these labels, as they are kept; None when it can."""
    if any(len(title) > LONGEST_LABEL for title in titles):
        return f"Labels are too long (maximum is {LONGEST_LABEL} characters each)"
    return f"Labels are too many (maximum is {MOST_LABELS})" if len(titles) > MOST_LABELS else None


def _is_of(character: str, classes: str) -> bool:
    return unicodedata.category(character)[0] in classes
