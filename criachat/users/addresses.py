"""E-mail addresses of people."""

from __future__ import annotations

import re
from typing import Final

from criachat.users.errors import EmailInvalid

LONGEST: Final = 255
# Without what has a meaning in the lines of a mail: what is sent to "a,b@example.com" arrives at another's.
WRITABLE: Final = re.compile(r"[^@\s()<>\[\],;:\\\"]+@[^@\s()<>\[\],;:\\\"]+")


def is_address(text: str) -> bool:
    """Whether mail could be sent there."""
    return len(text) <= LONGEST and WRITABLE.fullmatch(text.strip()) is not None


def kept_address(text: str) -> str:
    """The address as it is kept, in small letters; refused when it is none."""
    if not is_address(text):
        raise EmailInvalid
    return text.strip().lower()
