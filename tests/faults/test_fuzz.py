"""The long form of tests/test_fuzz.py: many more requests for each operation."""

from __future__ import annotations

import pytest
from fuzzing import fuzzed
from harness import Given
from site_of_faults import scaled


@pytest.mark.promise("FZ-1")
@pytest.mark.timeout(3600)
async def test_nothing_that_is_sent_breaks_anything(given: Given) -> None:
    assert await fuzzed(given, calls=scaled(20_000)) == []
