"""The addresses that are told to people, receivers and apps."""

from __future__ import annotations

import pytest

from criachat.kit.settings import Settings
from criachat.serving.address import url_at


@pytest.mark.parametrize(
    ("host", "base_url", "told"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:3000"),
        ("::1", None, "http://[::1]:3000"),
        ("0.0.0.0", None, "http://localhost:3000"),  # noqa: S104 - told of, not listened on
        ("0.0.0.0", "https://chat.example/", "https://chat.example"),  # noqa: S104 - likewise
    ],
)
def test_what_was_set_is_told_or_where_we_can_be_reached(host: str, base_url: str | None, told: str) -> None:
    assert url_at(host, 3000, Settings(base_url=base_url)) == told
