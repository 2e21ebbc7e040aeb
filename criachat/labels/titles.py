"""What a label may be called."""

from __future__ import annotations

import unicodedata

from criachat.labels.errors import TitleBlank, TitleInvalid

SHORTEST = 2
JOINTS = frozenset("-_")


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


def _is_of(character: str, classes: str) -> bool:
    return unicodedata.category(character)[0] in classes
