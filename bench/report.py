"""docs/performance.md: its prose is written by hand, its tables and pictures are what bench/results says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import plots
from bench.results import Figure, Load, Result

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
PICTURES = DOCS / "performance"
BLOCK = re.compile(r"(<!-- measured: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
MEMORY = "LD-9"


def pages(results: Sequence[Result]) -> dict[Path, str]:
    """Every file that the results decide, with what is to stand in it."""
    blocks = {
        "summary": summary(results),
        "loads": loads(results),
        "arrivals": arrivals(results),
        "ground": ground(results),
    }
    text = BLOCK.sub(lambda found: f"{found[1]}{blocks[found[2]]}\n{found[3]}", PAGE.read_text("utf-8"))
    made = {PAGE: text, PICTURES / "latencies.svg": plots.latencies(results)}
    for result in results:
        if result.id == MEMORY:
            bound = next(each.at_most for each in result.figures if each.name.startswith("After"))
            made[PICTURES / "memory.svg"] = plots.course(result.series[0], bound=bound or 0)
    return made


def write(results: Sequence[Result]) -> None:
    """Write them."""
    PICTURES.mkdir(exist_ok=True)
    for path, text in pages(results).items():
        path.write_text(text, "utf-8")


def summary(results: Iterable[Result]) -> str:
    """A line for each promise: what was measured, what was promised, and by how much it is missed."""
    rows: list[tuple[str, ...]] = []
    for result in results:
        for figure in result.figures:
            if figure.is_met is not None:
                rows.append((result.id, figure.name, value(figure), bounds(figure), verdict(figure)))
    return table(("Id", "Figure", "Measured", "Promised", ""), rows)


def loads(results: Iterable[Result]) -> str:
    """A line for each load: its rate beside that of its yardstick, its latencies, and what a request cost whom."""
    head = ("Id", "Load", "Per second", "Yardstick", "Ratio", "p50", "p95", "p99", "Longest", "Errors", "Statements")
    costs = ("Application µs", "PostgreSQL µs", "Client µs", "Memory MB")
    return table((*head, *costs), [(result.id, *_load(load)) for result in results for load in result.loads])


def arrivals(results: Iterable[Result]) -> str:
    """A line for what arrives by itself, and the figures that nothing was promised about."""
    spreads = [
        (
            result.id,
            each.name,
            f"{each.count:,}",
            str(each.missing),
            *_milliseconds(each.p50, each.p95, each.p99, each.longest),
        )
        for result in results
        for each in result.spreads
    ]
    others = [
        (result.id, figure.name, value(figure))
        for result in results
        for figure in result.figures
        if figure.is_met is None
    ]
    first = table(("Id", "What", "Came", "Missing", "p50", "p95", "p99", "Longest"), spreads)
    return f"{first}\n\n{table(('Id', 'Figure', 'Measured'), others)}"


def ground(results: Iterable[Result]) -> str:
    """What each was measured on."""
    rows = [
        (result.id, result.data_set, result.commit, result.at.partition("T")[0], result.machine, _settings(result))
        for result in results
    ]
    return table(("Id", "Data set", "Commit", "Day", "Machine", "Settings"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def value(figure: Figure) -> str:
    """The number with its unit, as exact as it can be trusted."""
    number = figure.value
    digits = 0 if number >= 100 or number == int(number) else 1 if number >= 10 else 2
    return f"{number:,.{digits}f} {figure.unit}".strip()


def bounds(figure: Figure) -> str:
    """What was promised."""
    at_least = [] if figure.at_least is None else [f"≥ {figure.at_least:g} {figure.unit}".strip()]
    at_most = [] if figure.at_most is None else [f"≤ {figure.at_most:g} {figure.unit}".strip()]
    return ", ".join(at_least + at_most)


def verdict(figure: Figure) -> str:
    """Met, or missed by how much."""
    if figure.is_met:
        return "met"
    return f"**missed** by {figure.missed_by:.0%}" if figure.missed_by < 1 else "**missed**"


def _load(load: Load) -> tuple[str, ...]:
    return (
        load.name,
        f"{load.rate:,.0f}",
        f"{load.yardstick.rate:,.0f}" if load.yardstick else "",
        f"{load.ratio:.0%}" if load.ratio is not None else "",
        *_milliseconds(load.p50, load.p95, load.p99, load.longest),
        str(load.errors),
        *(f"{each:,.0f}" if each is not None else "" for each in _costs(load)),
    )


def _costs(load: Load) -> tuple[float | None, ...]:
    return (
        load.statements,
        load.application_microseconds,
        load.database_microseconds,
        load.client_microseconds,
        load.memory_mb,
    )


def _milliseconds(*values: float) -> tuple[str, ...]:
    return tuple(f"{each:,.1f}" if each < 100 else f"{each:,.0f}" for each in values)


def _settings(result: Result) -> str:
    return "; ".join(f"{name} {chosen}" for name, chosen in result.settings.items())
