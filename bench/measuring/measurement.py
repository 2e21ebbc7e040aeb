"""What a measurement is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from bench.results import Result
from bench.running import Bench


class Measurement(msgspec.Struct, frozen=True):
    """One promise and the function that looks whether it is kept."""

    id: str
    work: str
    measure: Callable[[Bench], Awaitable[Result]]
