from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from criachat.kit.cursors import BadCursor, cursor_text, read_cursor
from criachat.kit.events import Cursor

CURSOR = Cursor(1, 7_412, 9_001, datetime(2026, 3, 2, 12, tzinfo=UTC))


def test_a_cursor_comes_back_as_it_was_given() -> None:
    assert read_cursor(cursor_text(CURSOR)) == CURSOR


def test_a_cursor_needs_no_quoting_in_a_url() -> None:
    assert cursor_text(CURSOR).replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("position", range(0, 44, 7))
def test_a_mistyped_cursor_is_refused(position: int) -> None:
    text = cursor_text(CURSOR)
    position = min(position, len(text) - 2)
    wrong = "A" if text[position] != "A" else "B"

    with pytest.raises(BadCursor):
        read_cursor(text[:position] + wrong + text[position + 1 :])


@given(st.text())
def test_what_we_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        read_cursor(text)
