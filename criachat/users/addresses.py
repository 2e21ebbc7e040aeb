"""E-mail addresses of people."""

from __future__ import annotations

from criachat.kit.texts import EMAIL_ADDRESS
from criachat.users.errors import EmailInvalid

LONGEST = 255


def is_address(text: str) -> bool:
    """Whether mail could be sent there."""
    return len(text) <= LONGEST and EMAIL_ADDRESS.fullmatch(text.strip()) is not None


def kept_address(text: str) -> str:
    """The address as it is kept, in small letters; refused when it is none."""
    if not is_address(text):
        raise EmailInvalid
    return text.strip().lower()
