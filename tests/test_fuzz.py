"""No request is too strange to be answered; the long form is in tests/faults."""

from __future__ import annotations

import pytest
from fuzzing import fuzzed
from harness import Given


@pytest.mark.timeout(900)
async def test_nothing_that_is_sent_breaks_anything(given: Given) -> None:
    assert await fuzzed(given, calls=1_000) == []
