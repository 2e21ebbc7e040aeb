"""What is made from the code says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from criachat.kit.actors import AGENT
from criachat.kit.http.routes import Routes
from criachat.serving.compatibility import FAMILY, doors, family
from criachat.serving.compatibility import page as compatibility_page
from criachat.serving.documents import NoPlace, write, written
from criachat.slices import ROUTES

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
    for page in ("events.md", "settings.md", "api.md", "compatibility.md"):
        (tmp_path / page).write_text("# Nothing to fill in")

    with pytest.raises(NoPlace, match=r"events\.md has no lines"):
        write(tmp_path)


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for path in (DOCS / "decisions").glob("*.md"):
        assert path.read_text().startswith(f"# {int(path.name[:4])}. ")


def test_each_endpoint_of_the_family_is_told_with_its_state() -> None:
    ours = Routes("/api/v1/accounts/{account_id}", tag="Labels", scope="labels")

    @ours.get("/labels", actors=AGENT)
    @ours.update("/labels/{label_id}", actors=AGENT)
    @ours.post("/labels/{label_id}/paint", actors=AGENT)
    async def answer() -> None: ...

    expected = family(
        "# What it is\n== Labels\n: /api/v1/accounts/{account_id}\nA GET /labels | list\n"
        "A PATCH|PUT /labels/{id} | change\nB POST /labels | create\nC DELETE /labels/{id} | remove\n"
    )

    told = compatibility_page(expected, ours.endpoints).splitlines()

    assert "| A | 2 | 2 | 0 | 0 |" in told
    assert "| B | 1 | 0 | 1 | 0 |" in told
    assert "| A | GET | `/api/v1/accounts/{account_id}/labels` | list | **works** |" in told
    assert "| A | PATCH PUT | `/api/v1/accounts/{account_id}/labels/{id}` | change | **works** |" in told
    assert "| B | POST | `/api/v1/accounts/{account_id}/labels` | create | not yet |" in told
    assert "| C | DELETE | `/api/v1/accounts/{account_id}/labels/{id}` | remove | left out |" in told
    assert told[-1] == "| POST | `/api/v1/accounts/{account_id}/labels/{label_id}/paint` | Labels |"


def test_the_family_has_each_endpoint_once_and_spells_it_as_we_do() -> None:
    expected = [door for each in family(FAMILY.read_text()) for door in doors(each.methods, each.path)]
    served = {door for routes in ROUTES for each in routes.endpoints for door in doors(each.methods, each.path)}

    assert len(expected) == len(set(expected)) > 400
    # One path of each surface: a misspelt prefix would make all of it look as if nothing worked.
    assert ("GET", "/api/v1/accounts/{}/conversations/{}/messages") in served & set(expected)
    assert ("PUT", "/public/api/v1/csat_survey/{}") in served & set(expected)
