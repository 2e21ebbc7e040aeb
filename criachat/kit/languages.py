"""The languages the product writes sentences in."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "pt_BR"]

ENGLISH: Final = "en"
PORTUGUESE: Final = "pt_BR"


def language_of(locale: str) -> Language:
    """The language for people of this locale: Portuguese for all who speak it, English for everybody else."""
    return PORTUGUESE if locale.lower().replace("-", "_").partition("_")[0] == "pt" else ENGLISH
