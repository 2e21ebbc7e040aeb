"""Show how PostgreSQL finds what each key of the filter language asks for, among 250,000 conversations.

`python -m bench.plans FOLDER` keeps the account in this folder (the one an earlier run of `bench --data` left will do)
and writes docs/performance/filters.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, LiteralString

import msgspec
import uvloop

from bench.dataset import BUSY_MESSAGES, Size
from bench.running import LARGE
from bench.server import TREE, start
from bench.site import Site, connection_to, settle_once
from criachat.conversations.conditions import filter_of_conditions
from criachat.conversations.models import ListFilter, Part
from criachat.conversations.queries.counts import count_statement
from criachat.conversations.queries.lists import few_of, page_statement
from criachat.conversations.queries.narrowing import Asker
from criachat.conversations.schemas import ConditionParams
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Connection, Db, Statements
from criachat.kit.logs import configure_logs

PAGE: Final = TREE / "docs" / "performance" / "filters.md"
RUNS: Final = 3
DEFINE: Final = """
INSERT INTO custom_attribute_definitions (account_id, attribute_model, attribute_key, attribute_display_name,
    attribute_display_type, created_at, updated_at)
SELECT $1, model, key, key, kind, now(), now()
FROM (VALUES ('conversation_attribute', 'tier', 'text'), ('conversation_attribute', 'order', 'text'),
    ('conversation_attribute', 'amount', 'number'), ('conversation_attribute', 'due', 'date'),
    ('contact_attribute', 'plan', 'text'), ('contact_attribute', 'customer', 'text')) AS defined (model, key, kind)
ON CONFLICT DO NOTHING
"""
FIND_TEAM: Final = "SELECT min(id) FROM teams WHERE account_id = $1"
HEAD: Final = """\
# How filters are found

Written by `python -m bench.plans`: what each key of `POST /conversations/filter` makes PostgreSQL do in an account of
{conversations} conversations. A page is the first 25; *rows* are the conversations (or lines of their sums) that were
read for it, wanted or not, and times are the best of {runs}, planned and run, without the way to the client. The counts
are asked first: an empty page is not looked for, and a short list is read whole and sorted. Where no index has what is
asked for, all conversations of the account are counted through; an index for each key would cost every message that is
written more than these filters take.

| Conditions | Found | Counts: rows | ms | by | Page: rows | ms | by |
| --- | --: | --: | --: | --- | --: | --: | --- |
"""


class Asked(msgspec.Struct, frozen=True):
    """A filter, and what a reader calls it."""

    name: str
    payload: list[dict[str, Any]]


class Plan(msgspec.Struct, frozen=True):
    """What one statement cost."""

    rows: int
    milliseconds: float
    ways: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rows:,} | {self.milliseconds:.1f} | {', '.join(self.ways)}"


def main() -> None:
    """Fill, ask, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.plans", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--conversations", type=int, default=Size().conversations)
    chosen = parser.parse_args()
    configure_logs("warning")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    busy = Size().busy
    # One message each but for the busy ones: no filter looks at more.
    size = Size(conversations=chosen.conversations, messages=chosen.conversations + busy * (BUSY_MESSAGES - 1))
    PAGE.write_text(uvloop.run(_page(chosen.folder, size)), "utf-8")


async def _page(folder: Path, size: Size) -> str:
    server = await start(folder / LARGE)
    try:
        site = await settle_once(server, size, lambda _done, _of: None)
        async with connection_to(server) as connection:
            lines = await _lines(connection, site)
    finally:
        await server.stop()
    return HEAD.format(conversations=f"{site.data.conversations:,}", runs=RUNS) + "\n".join(lines) + "\n"


async def _lines(connection: Connection, site: Site) -> list[str]:
    await connection.execute("SET statement_timeout = 0")
    await connection.execute(DEFINE, site.account_id)
    team_id = await connection.fetchval(FIND_TEAM, site.account_id)
    actor = Actor(type="user", account_id=site.account_id, id=site.data.agent_ids[0])
    asker = Asker(account_id=site.account_id, user_id=actor.id, limited_to=None)
    lines: list[str] = []
    for asked in _filters(site, team_id):
        params = [msgspec.convert(each, ConditionParams) for each in asked.payload]
        filters = await filter_of_conditions(Db(connection, Statements()), actor, params)
        lines.append(await _line(connection, asker, asked.name, filters))
    return lines


async def _line(connection: Connection, asker: Asker, name: str, filters: ListFilter) -> str:
    sql, values = count_statement(asker, filters)
    row = await connection.fetchrow(sql, *values)
    found = 0 if row is None else row["all_count"]
    part = Part(is_few=found <= few_of(filters))
    page = await _plan(connection, *page_statement(asker, filters, part)) if found else "0 | 0.0 | not asked for"
    return f"| {name} | {found:,} | {await _plan(connection, sql, values)} | {page} |"


def _filters(site: Site, team_id: int) -> Iterator[Asked]:
    """A filter for each key and kind of comparison."""
    agent_id, inbox_id = site.data.agent_ids[1], min(site.inboxes)
    lately = (clock.now() - timedelta(days=7)).date().isoformat()
    longer = (clock.now() - timedelta(days=80)).date().isoformat()
    for key, operator, value in (
        ("status", "equal_to", "open"),
        ("status", "not_equal_to", "open"),
        ("assignee_id", "equal_to", agent_id),
        ("assignee_id", "not_equal_to", agent_id),
        ("assignee_id", "is_not_present", None),
        ("inbox_id", "equal_to", inbox_id),
        ("team_id", "equal_to", team_id),
        ("team_id", "is_present", None),
        ("campaign_id", "equal_to", 7),
        ("campaign_id", "not_equal_to", 7),
        ("campaign_id", "is_present", None),
        ("campaign_id", "is_not_present", None),
        ("priority", "equal_to", "urgent"),
        ("priority", "not_equal_to", "urgent"),
        ("display_id", "equal_to", 1_234),
        ("display_id", "not_equal_to", 1_234),
        ("display_id", "contains", "1234"),
        ("display_id", "does_not_contain", "1234"),
        ("display_id", "contains", "12"),
        ("labels", "equal_to", "vip"),
        ("labels", "not_equal_to", "vip"),
        ("labels", "is_present", None),
        ("labels", "is_not_present", None),
        ("browser_language", "equal_to", "pt"),
        ("browser_language", "not_equal_to", "en"),
        ("conversation_language", "equal_to", "pt"),
        ("referer", "equal_to", "https://shop.example/offer"),
        ("referer", "contains", "offer"),
        ("referer", "does_not_contain", "cart"),
        ("mail_subject", "equal_to", "Invoice 400"),
        ("mail_subject", "contains", "invoice"),
        ("created_at", "is_greater_than", lately),
        ("created_at", "is_less_than", longer),
        ("last_activity_at", "is_greater_than", lately),
        ("last_activity_at", "is_less_than", longer),
        ("order", "equal_to", "a-1234"),
        ("order", "not_equal_to", "a-1234"),
        ("order", "contains", "1234"),
        ("tier", "equal_to", "gold"),
        ("tier", "not_equal_to", "gold"),
        ("tier", "contains", "ol"),
        ("tier", "does_not_contain", "ol"),
        ("tier", "is_present", None),
        ("tier", "is_not_present", None),
        ("amount", "equal_to", 500),
        ("amount", "is_greater_than", 980),
        ("due", "equal_to", lately),
        ("due", "days_before", 7),
    ):
        shown = "" if value is None else f" {'n' if isinstance(value, int) else value}"
        yield Asked(f"`{key}` {operator}{shown}", [_condition(key, operator, value)])
    is_open = _condition("status", "equal_to", "open", joint="and")
    yield Asked("open, and `tier` gold", [is_open, _condition("tier", "equal_to", "gold")])
    yield Asked("open, and `labels` vip", [is_open, _condition("labels", "equal_to", "vip")])
    yield Asked("open, and `tier` not gold", [is_open, _condition("tier", "not_equal_to", "gold")])
    either = _condition("tier", "equal_to", "gold", joint="or")
    yield Asked("`tier` gold, or `order` a-1234", [either, _condition("order", "equal_to", "a-1234")])
    yield Asked("`tier` gold, or `assignee_id` n", [either, _condition("assignee_id", "equal_to", agent_id)])
    yield Asked("`tier` gold, or `labels` vip", [either, _condition("labels", "equal_to", "vip")])
    yield Asked("`tier` gold, or `order` not a-1234", [either, _condition("order", "not_equal_to", "a-1234")])
    either = _condition("assignee_id", "equal_to", agent_id, joint="or")
    yield Asked("`assignee_id` n, or `team_id` n", [either, _condition("team_id", "equal_to", team_id)])


def _condition(key: str, operator: str, value: Any, *, joint: str | None = None) -> dict[str, Any]:
    values = [] if value is None else [value]
    return {"attribute_key": key, "filter_operator": operator, "values": values, "query_operator": joint}


async def _plan(connection: Connection, sql: LiteralString, values: Sequence[object]) -> Plan:
    """The best of some runs, each planned for its values."""
    tried = [await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + sql, *values) for _ in range(RUNS)]
    found = [json.loads(bytes(text))[0] for text in tried]
    best = min(found, key=lambda each: each["Execution Time"])
    read = [node for node in _nodes(best["Plan"]) if _reads(node)]
    ways = sorted({str(node.get("Index Name") or node["Node Type"]) for node in read})
    return Plan(sum(map(_rows, read)), best["Planning Time"] + best["Execution Time"], tuple(ways))


def _reads(node: dict[str, Any]) -> bool:
    """Whether a node reads conversations, or their sums, other than the page's own rows by their key."""
    place = str(node.get("Relation Name") or node.get("Index Name") or "")
    return place.startswith(("conversation", "marked_counts"))


def _rows(node: dict[str, Any]) -> int:
    if node["Node Type"] == "Bitmap Index Scan":
        return 0
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + left_out) * node["Actual Loops"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)


if __name__ == "__main__":
    main()
