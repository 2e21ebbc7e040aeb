"""What PostgreSQL does for a statement: what it reads, by which indexes, and how long that takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, LiteralString

import msgspec

from criachat.kit.db import Connection

RUNS: Final = 3


class Plan(msgspec.Struct, frozen=True):
    """What one statement cost."""

    rows: int
    milliseconds: float
    ways: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rows:,} | {self.milliseconds:.1f} | {', '.join(self.ways)}"


async def explained(connection: Connection, sql: LiteralString, values: Sequence[object], of: tuple[str, ...]) -> Plan:
    """The best of some runs, each planned for its values: what it reads of tables whose names begin like these."""
    tried = [await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + sql, *values) for _ in range(RUNS)]
    found = [json.loads(bytes(text))[0] for text in tried]
    best = min(found, key=lambda each: each["Execution Time"])
    read = [node for node in _nodes(best["Plan"]) if _reads(node, of)]
    ways = sorted({_way(node) for node in read})
    return Plan(sum(map(_rows, read)), best["Planning Time"] + best["Execution Time"], tuple(ways))


def _reads(node: dict[str, Any], of: tuple[str, ...]) -> bool:
    """Whether a node reads conversations, contacts, or what is kept beside them."""
    place = str(node.get("Relation Name") or node.get("Index Name") or "")
    return place.startswith(of)


def _way(node: dict[str, Any]) -> str:
    return str(node.get("Index Name") or f"{node['Node Type']} of {node['Relation Name']}")


def _rows(node: dict[str, Any]) -> int:
    if node["Node Type"] == "Bitmap Index Scan":
        return 0
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + left_out) * node["Actual Loops"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)


def condition(key: str, operator: str, value: Any, *, joint: str | None = None) -> dict[str, Any]:
    """A condition of a filter, as callers send it."""
    values = [] if value is None else [value]
    return {"attribute_key": key, "filter_operator": operator, "values": values, "query_operator": joint}
