"""What is made from the code says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from criachat.serving.documents import NoPlace, write, written

DOCS = Path(__file__).parents[2] / "docs"


def test_the_made_parts_of_the_pages_are_up_to_date() -> None:
    stale = [path.name for path, text in written(DOCS) if path.read_text() != text]

    assert stale == [], "run `make docs`"


def test_what_people_wrote_around_the_made_part_stays(tmp_path: Path) -> None:
    for page in DOCS.glob("*.md"):
        (tmp_path / page.name).write_text(page.read_text().replace("| `CRIACHAT_PORT` |", "| `CRIACHAT_HARBOUR` |"))

    changed = write(tmp_path)

    assert [path.name for path in changed] == ["settings.md"]
    assert (tmp_path / "settings.md").read_text() == (DOCS / "settings.md").read_text()


def test_a_page_without_a_place_for_it_is_named(tmp_path: Path) -> None:
    for page in ("events.md", "settings.md", "api.md"):
        (tmp_path / page).write_text("# Nothing to fill in")

    with pytest.raises(NoPlace, match=r"events\.md has no lines"):
        write(tmp_path)


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for path in (DOCS / "decisions").glob("*.md"):
        assert path.read_text().startswith(f"# {int(path.name[:4])}. ")
