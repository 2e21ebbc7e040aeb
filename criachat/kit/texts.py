"""Texts as callers send them: how long they may be, and what they look like."""

from __future__ import annotations

import re
from typing import Annotated, Final

from msgspec import Meta

Short = Annotated[str, Meta(max_length=255)]
Long = Annotated[str, Meta(max_length=20_000)]

# Whether mail arrives there, only mail can tell.
EMAIL_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")
# E.164.
PHONE_NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}")
