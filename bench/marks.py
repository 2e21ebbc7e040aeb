"""Messages that carry a number, so that they are recognised where they arrive: in webhooks and on sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator

MARK = b"bench-mark-"
DIGITS = 8


def mark_in(text: bytes) -> int | None:
    """The number of the message this tells of; None when it tells of none of ours."""
    at = text.find(MARK)
    if at < 0:
        return None
    return int(text[at + len(MARK) : at + len(MARK) + DIGITS])


class Marked:
    """Requests whose bodies carry a mark, and when each was handed to the load client.

    That moment is before the commit: what is measured from it is never less than the time since the commit.
    """

    def __init__(self, requests: Iterator[bytes], first: int) -> None:
        self._requests = requests
        self._next = first
        self.sent_at: dict[int, float] = {}

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        request = next(self._requests)
        self.sent_at[self._next] = time.monotonic()
        mark, self._next = self._next, self._next + 1
        return request.replace(BLANK, b"%0*d" % (DIGITS, mark))


BLANK = b"#" * DIGITS
BLANK_CONTENT = MARK.decode() + BLANK.decode()
