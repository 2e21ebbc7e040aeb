"""What a run tells of itself while it goes on: a line for each measurement, and the step it is at."""

from __future__ import annotations

import sys
import time
from typing import TextIO

BAR = 24
# Where nobody watches, a line for each tenth of a long step is enough.
TENTHS = 10


class Progress:
    """Written to standard error, so that what a script wants stays alone on standard output."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._is_watched = stream.isatty()
        self._began = time.monotonic()
        self._has_open_line = False
        self._tenth = 0

    def say(self, text: str) -> None:
        """A line that stays."""
        self._wipe()
        print(f"{self._clock()}  {text}", file=self._stream, flush=True)

    def step(self, text: str) -> None:
        """What is being done now; the next step takes its place."""
        self._tenth = 0
        if self._is_watched:
            self._wipe()
            print(f"{self._clock()}    {text} …", end="", file=self._stream, flush=True)
            self._has_open_line = True
        else:
            print(f"{self._clock()}    {text}", file=self._stream, flush=True)

    def bar(self, text: str, done: float, of: float) -> None:
        """How far a long step has come."""
        share = min(1.0, done / of) if of else 1.0
        if self._is_watched:
            self._wipe()
            full = round(BAR * share)
            bar = "█" * full + "░" * (BAR - full)
            print(f"{self._clock()}    {text} {bar} {share:4.0%}", end="", file=self._stream, flush=True)
            self._has_open_line = True
        elif int(share * TENTHS) > self._tenth:
            self._tenth = int(share * TENTHS)
            print(f"{self._clock()}    {text} {share:.0%}", file=self._stream, flush=True)

    def _wipe(self) -> None:
        if self._has_open_line:
            print("\r\x1b[K", end="", file=self._stream)
            self._has_open_line = False

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._began)
        return f"{seconds // 60:2}:{seconds % 60:02}"
