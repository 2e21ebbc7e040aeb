"""The examples of the API's description are true today, and there is one of each endpoint."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fitting import Fitting
from harness import BASE_URL, Api, World
from recording import APART, FIRST_ID, repeatable

from criachat.kit import clock
from criachat.kit.http.examples import Example, Examples, name_of, read_examples
from criachat.kit.tokens import PERSON, make_access_token, uuid4
from criachat.main import EXAMPLES

ROOT = Path(__file__).parents[2]
# The description and its page would be examples of themselves.
WITHOUT = {"GET /openapi.json", "GET /docs"}
LABELS = "POST /api/v1/accounts/{account_id}/labels"
RECORDED_AGAIN = ("tests/contract/test_labels.py", "tests/contract/test_canned_responses.py")


@pytest.fixture(scope="module")
def examples() -> Examples:
    return read_examples(EXAMPLES)


def test_each_endpoint_has_an_example(world: World, examples: Examples) -> None:
    served = {name_of(bound.endpoint) for bound in world.parts.http.bounds}

    assert served - set(examples) == WITHOUT, "run `make examples`"
    assert set(examples) <= served, "run `make examples`"


def test_each_example_fits_its_endpoint_of_today(world: World, examples: Examples) -> None:
    fitting = Fitting(world.parts.http.bounds)

    misfits = {name: fitting.misfits(name, example) for name, example in examples.items()}

    assert {name: found for name, found in misfits.items() if found} == {}, "run `make examples`"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"path": {"account_id": "x"}}, 'path account_id: "x" is not of type "integer"'),
        ({"query": {"page": 1}}, "query page: False schema does not allow 1"),
        ({"body": {"title": ["vip"]}}, "body: "),
        ({"body": {"title": "vip", "colour": "red"}}, "body: "),
        ({"body_type": "multipart/form-data"}, "body: False schema does not allow"),
        ({"answer": {"id": 1}}, 'answer: "title" is a required property'),
        ({"answer_type": "text/csv"}, "answer: False schema does not allow"),
    ],
)
def test_an_example_that_fits_no_more_is_found(
    world: World, examples: Examples, change: dict[str, Any], told: str
) -> None:
    stale = msgspec.structs.replace(examples[LABELS], **change)

    misfits = Fitting(world.parts.http.bounds).misfits(LABELS, stale)

    assert misfits
    assert misfits[0].startswith(told)


def test_nothing_of_where_and_when_it_was_recorded_is_left_in_them() -> None:
    def run(at: timedelta, ids: int) -> Example:
        moment = clock.now() + at
        return Example(
            test="tests/x.py::test_x",
            path={"account_id": FIRST_ID + ids},
            body={"token": make_access_token(PERSON), "at": moment.timestamp(), "email": f"rosa{ids}@example.net"},
            status=200,
            answer={
                "id": FIRST_ID + APART + ids,
                "link": f"{BASE_URL}/accounts/{FIRST_ID + ids}/labels/{FIRST_ID + APART + ids}",
                "uuid": uuid4(),
                "created_at": moment.isoformat().replace("+00:00", "Z"),
                "due": (moment + timedelta(days=1)).isoformat(),
                "long": "x" * (400 + ids),
                "list": [{"id": FIRST_ID + ids}] * ids,
            },
        )

    first, second = repeatable(run(timedelta(), 2)), repeatable(run(timedelta(seconds=2), 71))

    assert first == second
    assert first.path == {"account_id": 1}
    assert first.body == {"token": "cria_pat_…", "at": 1772461800.0, "email": "rosa@example.net"}
    assert first.answer["link"] == "https://chat.example.com/accounts/1/labels/1"
    assert (first.answer["created_at"][:16], first.answer["due"][:16]) == ("2026-03-02T14:30", "2026-03-03T14:30")
    assert (len(first.answer["long"]), first.answer["list"]) == (301, [{"id": 1}])


# Another server is started for it.
@pytest.mark.timeout(400)
def test_recording_again_gives_the_same(examples: Examples, tmp_path: Path) -> None:
    file = tmp_path / "examples.json"
    command = [sys.executable, "-m", "pytest", "-q", "--record-examples", str(file), *RECORDED_AGAIN]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603

    assert run.returncode == 0, run.stdout
    again = read_examples(file)
    of_these = {name: each for name, each in examples.items() if each.test.startswith(RECORDED_AGAIN)}
    assert LABELS in of_these
    assert {name: again.get(name) for name in of_these} == of_these, "run `make examples`"


async def test_they_stand_in_the_description_and_on_its_page(api: Api, examples: Examples) -> None:
    example = examples[LABELS]

    described = (await api.get("/openapi.json")).json
    page = (await api.get("/docs")).body.decode()

    operation = described["paths"]["/api/v1/accounts/{account_id}/labels"]["post"]
    assert operation["parameters"][0]["example"] == example.path["account_id"]
    assert operation["requestBody"]["content"]["application/json"]["example"] == example.body
    assert operation["responses"]["200"]["content"]["application/json"]["example"] == example.answer
    assert f"POST /api/v1/accounts/{example.path['account_id']}/labels\n\n{{" in page
    assert page.count("<summary>Example</summary>") == len(examples)
