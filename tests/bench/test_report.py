"""docs/performance.md says what was measured, no more and no less."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest

from bench import plots, report, results
from bench.load import Outcome
from bench.pgbench import Yardstick
from bench.results import Figure, NothingCame, Result, Series, load_of, spread_of
from bench.server import Cpu

RATE = Figure(name="Share of the yardstick", value=28, unit="%", at_least=35)
LATENCY = Figure(name="p99 at 300/s", value=61.3, unit="ms", at_most=80)
SIZE = Figure(name="Size of a frame", value=1.5, unit="kB")


def outcome(*latencies: float, **failures: int) -> Outcome:
    return Outcome(
        seconds=2, latencies=latencies, answered=len(latencies), failures=failures, client_cpu_seconds=0.0001
    )


def test_the_page_and_its_pictures_are_what_the_results_say() -> None:
    for path, text in report.pages(results.kept()).items():
        assert path.read_text("utf-8") == text, f"{path.name} is old: run `python -m bench --docs`"


def test_a_promise_is_shown_with_what_was_measured_and_by_how_much_it_is_missed() -> None:
    shown = report.summary([Result(id="LD-1", work="Writing", figures=[RATE, LATENCY, SIZE])])

    assert shown.splitlines()[2:] == [
        "| LD-1 | Share of the yardstick | 28 % | ≥ 35 % | **missed** by 20% |",
        "| LD-1 | p99 at 300/s | 61.3 ms | ≤ 80 ms | met |",
    ]


def test_a_load_is_shown_beside_its_yardstick() -> None:
    yardstick = Yardstick(name="pgbench write.sql", rate=10, milliseconds=1)
    load = load_of("closed loop", outcome(0.001, 0.002, 0.3, late=2), spent=Cpu(0.003, 0.006), yardstick=yardstick)

    shown = report.loads([Result(id="LD-1", work="Writing", figures=[], loads=[load])])

    assert shown.splitlines()[2] == (
        "| LD-1 | closed loop | 2 | 10 | 15% | 2.0 | 300 | 300 | 300 | 2 |  | 1,000 | 2,000 | 20 |  |"
    )


@pytest.mark.parametrize(
    ("figure", "is_met", "missed_by"),
    [
        (RATE, False, 0.2),
        (LATENCY, True, 0),
        (SIZE, None, 0),
        (Figure(name="Lost", value=1, at_most=0), False, math.inf),
    ],
)
def test_a_figure_knows_whether_it_keeps_its_promise(figure: Figure, *, is_met: bool | None, missed_by: float) -> None:
    assert figure.is_met is is_met
    assert figure.missed_by == pytest.approx(missed_by)


def test_where_nothing_came_there_is_nothing_to_show() -> None:
    with pytest.raises(NothingCame, match="503"):
        load_of("closed loop", outcome(**{"503": 7}), spent=Cpu(0, 0))
    with pytest.raises(NothingCame):
        spread_of("to the socket", [], missing=3)


def test_ids_are_shown_in_the_order_people_count() -> None:
    ids = ["LD-10", "WH-6", "LD-1b", "LD-2", "LD-1"]

    assert sorted(ids, key=results.place) == ["LD-1", "LD-1b", "LD-2", "LD-10", "WH-6"]


def test_a_longer_latency_stands_further_right_and_every_picture_can_be_read() -> None:
    load = load_of("closed loop", outcome(*(number / 1000 for number in range(1, 101))), spent=Cpu(1, 1))
    picture = plots.latencies([Result(id="LD-1", work="Writing", figures=[], loads=[load])])
    memory = plots.course(Series(name="Memory", unit="MB", points=[(0, 100), (60, 300)]), bound=400)

    drawn = ET.fromstring(picture)  # noqa: S314
    half, p95 = (float(line.get("x1", 0)) for line in drawn.iter() if line.get("class") == "half")
    (line,) = (each.get("points", "") for each in ET.fromstring(memory).iter() if each.get("class") == "line")  # noqa: S314
    (start, first), (end, last) = (map(float, point.split(",")) for point in line.split())

    assert 0 < half < p95 < plots.WIDTH
    assert start < end
    assert last < first
