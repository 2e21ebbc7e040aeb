"""What `make quick` runs."""

from __future__ import annotations

import pytest
from touched import ALWAYS, ROOT, standing_for


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("criachat/labels/operations.py", ["tests/contract/test_labels.py", "tests/labels"]),
        (
            "criachat/conversations/operations/leaving.py",
            ["tests/contract/test_conversations.py", "tests/conversations"],
        ),
        ("criachat/kit/relay/sweeping.py", ["tests/kit/test_relay.py"]),
        ("criachat/kit/http/app.py", ["tests/kit/http"]),
        ("criachat/kit/db.py", ["tests/kit"]),
        ("tests/labels/test_routes.py", ["tests/labels/test_routes.py"]),
        ("tests/kit/http/conftest.py", ["tests/kit/http"]),
        ("examples/gone.py", ["tests/examples"]),
        ("pyproject.toml", ["tests/test_packaging.py"]),
        ("tests/labels/test_that_was_taken_away.py", []),
        ("criachat/main.py", []),
        ("tests/harness.py", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_was_touched_has_its_tests(path: str, tests: list[str]) -> None:
    assert set(standing_for([path])) == {*tests, *ALWAYS}


def test_no_test_is_named_twice() -> None:
    touched = ["tests/labels/test_routes.py", "criachat/labels/queries.py", "tests/labels/conftest.py"]

    assert standing_for(touched) == ["tests/contract/test_labels.py", "tests/labels", *ALWAYS]


def test_every_slice_has_standing_for_its_own() -> None:
    slices = {path.parent.name for path in (ROOT / "criachat").glob("*/__init__.py")} - {"migrations"}

    assert {name for name in slices if not (ROOT / "tests" / name).is_dir()} == set()
