"""The two pictures of docs/performance.md, as SVG that a diff can show."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.results import Result, Series

WIDTH = 760
LABELS = 250
RIGHT = 20
ROW = 26
TOP = 30
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#57606a}.name{fill:#24292f}.grid{stroke:#d0d7de}"
    ".span{stroke:#54aeff;stroke-width:8}.tail{stroke:#b6e3ff;stroke-width:8}.half{stroke:#0550ae;stroke-width:3}"
    ".line{fill:none;stroke:#0550ae;stroke-width:2}.bound{stroke:#cf222e;stroke-dasharray:4 3}"
    "@media(prefers-color-scheme:dark){text{fill:#9198a1}.name{fill:#f0f6fc}.grid{stroke:#3d444d}}"
)
HEIGHT = 220
LEFT = 50
MINUTE = 60


def latencies(results: Sequence[Result]) -> str:
    """Median, p95, p99 and the longest of every load, in milliseconds; each step to the right is ten times as long."""
    rows = [
        (f"{result.id} {each.name}", (each.p50, each.p95, each.p99, each.longest))
        for result in results
        for each in (*result.loads, *result.spreads)
    ]
    last = math.ceil(math.log10(max((values[-1] for _, values in rows), default=10)))

    def x(milliseconds: float) -> float:
        share = (math.log10(max(milliseconds, 0.1)) + 1) / (last + 1)
        return LABELS + share * (WIDTH - LABELS - RIGHT)

    height = TOP + ROW * len(rows) + 8
    drawn: list[str] = []
    for power in range(-1, last + 1):
        at = x(10**power)
        drawn.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 8}" y2="{height}"/>')
        drawn.append(f'<text x="{at:.1f}" y="14" text-anchor="middle">{10**power:g} ms</text>')
    for number, (name, (p50, p95, p99, longest)) in enumerate(rows):
        y = TOP + ROW * number + ROW / 2
        drawn.append(f'<text class="name" x="0" y="{y + 4:.1f}">{name}</text>')
        drawn.append(f'<line class="tail" x1="{x(p99):.1f}" x2="{x(longest):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<line class="span" x1="{x(p50):.1f}" x2="{x(p99):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        for mark in (p50, p95):
            drawn.append(
                f'<line class="half" x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{y - 7:.1f}" y2="{y + 7:.1f}"/>'
            )
    return _svg(height, drawn)


def course(series: Series, *, bound: float) -> str:
    """How a value went on over the minutes, below the bound it was promised to keep."""
    seconds = max((second for second, _ in series.points), default=1) or 1
    top = 1.1 * max(bound, *(value for _, value in series.points))

    def x(second: float) -> float:
        return LEFT + second / seconds * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - 24 - value / top * (HEIGHT - 44)

    drawn: list[str] = []
    for value in (0.0, bound / 2, bound):
        kind = "bound" if value == bound else "grid"
        drawn.append(f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    drawn.append(f'<text x="0" y="12">{series.unit}</text>')
    drawn.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">0</text>')
    drawn.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{seconds / MINUTE:.0f} min</text>')
    points = " ".join(f"{x(second):.1f},{y(value):.1f}" for second, value in series.points)
    drawn.append(f'<polyline class="line" points="{points}"/>')
    return _svg(HEIGHT, drawn)


def _svg(height: float, drawn: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *drawn, "</svg>", ""])
