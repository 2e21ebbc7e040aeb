from __future__ import annotations

import pytest

from criachat.kit.choices import chosen

COLOURS = ("red", "green", "blue")


@pytest.mark.parametrize(
    ("said", "meant"), [("green", "green"), (1, "green"), ("1", "green"), (0, "red"), ("2", "blue")]
)
def test_a_value_is_said_by_its_name_or_its_number(said: str | int, meant: str) -> None:
    assert chosen(said, COLOURS) == meant


@pytest.mark.parametrize("said", ["yellow", "", "Green", 3, -1, "-1", "9" * 5000, "²", "1.0", 10**30])
def test_what_is_not_among_them_is_nothing(said: str | int) -> None:
    assert chosen(said, COLOURS) is None
