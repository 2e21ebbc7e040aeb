"""Texts as callers send them: how long they may be, and what they look like."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta

Short = Annotated[str, Meta(max_length=255)]
Long = Annotated[str, Meta(max_length=20_000)]

# Whether mail arrives there, only mail can tell.
EMAIL_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")
# E.164.
PHONE_NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}")


def told_url(url: str) -> str:
    """Scheme, host and path of a URL, for logs that people read.

    What else stands in it often is a secret: a digest says whether it is the same.
    """
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    told = f"{parts.scheme}://{host}{parts.path}"
    hidden = "\n".join((userinfo, parts.query, parts.fragment))
    return f"{told}#{hashlib.sha256(hidden.encode()).hexdigest()[:8]}" if hidden.strip() else told
