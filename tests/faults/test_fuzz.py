"""The long form of tests/test_fuzz.py: many more requests for each operation."""

from __future__ import annotations

import pytest
from fuzzing import fuzzed
from harness import Given


@pytest.mark.promise("FZ-1")
async def test_nothing_that_is_sent_breaks_anything(given: Given) -> None:
    assert await fuzzed(given, examples=40) == []
