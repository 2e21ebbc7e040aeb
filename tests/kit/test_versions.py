from __future__ import annotations

import pytest

from criachat.kit.errors import PreconditionFailed
from criachat.kit.http.versions import etag, expected


@pytest.mark.parametrize("if_match", [None, "", "*", '"7"', 'W/"7"', '"3", "7"', ' "7" ', '"x",*'])
def test_a_change_meant_for_this_version_or_any_goes_on(if_match: str | None) -> None:
    expected(if_match).check(7)


@pytest.mark.parametrize("if_match", ['"6"', '"77"', "7", '"seven"', 'W/"6"', '"6", "8"', "\u00ff" * 8000])
def test_a_change_meant_for_another_version_is_refused(if_match: str) -> None:
    with pytest.raises(PreconditionFailed):
        expected(if_match).check(7)


def test_the_tag_of_a_version_is_quoted() -> None:
    assert etag(7) == '"7"'
