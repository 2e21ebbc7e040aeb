"""LD-4: searches among very many messages, and how PostgreSQL goes about them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, LiteralString, cast
from urllib.parse import quote

import msgspec

from bench.inside import statements_of
from bench.load import request
from bench.measuring.measurement import Measurement
from bench.measuring.requests import at_rate
from bench.results import Figure, Result
from bench.running import Bench
from bench.site import Site, connection_to
from bench.speech import ORDER_EVERY, order, vocabulary
from criachat.kit.db import Connection
from criachat.search import queries

WORK = "Messages, contacts and conversations are searched for what is common, what is rare, and what is not there"
SEARCHES_PER_SECOND = 10
PREPARED = 2_000
# Each of these holds a row for everything that was ever said or for everybody who said it.
LARGE_TABLES = frozenset(("messages", "message_words", "contacts", "contact_words", "conversations"))

_chance = random.Random(11)  # noqa: S311 - the same searches each time


async def measure_searches(bench: Bench) -> Result:
    """LD-4."""
    ground = await bench.ground()
    site = ground.site
    statements = await statements_of(ground.server, "GET", f"{site.path}/search?q=rosa", token=site.token)
    load = await at_rate(bench, ground, searches(site), SEARCHES_PER_SECOND)
    async with connection_to(ground.server) as connection:
        scanned = await sequential_scans(connection, site.account_id)
    return Result(
        id="LD-4",
        work=WORK,
        figures=[
            Figure(name=f"p95 at {SEARCHES_PER_SECOND}/s", value=load.p95, unit="ms", at_most=200),
            Figure(name="Large tables read from end to end", value=len(scanned), at_most=0),
            Figure(name="Statements of a search for everything", value=statements, at_most=6),
            Figure(name="Requests not answered well", value=load.errors, at_most=0),
        ],
        loads=[load],
        data_set=str(site.data),
    )


def searches(site: Site) -> Iterator[bytes]:
    """Searches of every kind: common and rare words, parts of numbers, people, and what nobody said."""
    words = vocabulary()
    headers = {"api_access_token": site.token}
    kinds = (
        lambda: ("messages", _chance.choice(words[:50])),
        lambda: ("messages", _chance.choice(words[300:3000])),
        lambda: ("messages", _chance.choice(words[-3000:])),
        lambda: ("messages", order(ORDER_EVERY * _chance.randrange(site.data.messages // ORDER_EVERY))),
        lambda: ("messages", f"zzq{_chance.randrange(1000)}yy"),
        lambda: ("contacts", f"rosa{_chance.randrange(site.data.conversations)}@"),
        lambda: ("conversations", str(_chance.randrange(site.data.conversations))),
    )
    asked = [kinds[number % len(kinds)]() for number in range(PREPARED)]
    paths = [f"{site.path}/search/{kind}?q={quote(words)}" for kind, words in asked]
    return cycle([request("GET", path, headers=headers) for path in paths])


async def sequential_scans(connection: Connection, account_id: int) -> list[str]:
    """The large tables that PostgreSQL would read from end to end for some search."""
    pattern, page = "%zzq1yy%", (15, 0, True)
    # The first member of the account stands for every agent.
    asked: Sequence[tuple[LiteralString, tuple[object, ...]]] = (
        (queries.LIST_MESSAGES, (queries.oldest(),)),
        (queries.LIST_SEEN_MESSAGES, (queries.oldest(), 1)),
        (queries.LIST_CONVERSATIONS, (None,)),
        (queries.LIST_SEEN_CONVERSATIONS, (None, 1)),
        (queries.LIST_CONTACTS, ()),
    )
    found: list[str] = []
    for sql, values in asked:
        plan = await connection.fetchval("EXPLAIN (FORMAT JSON) " + sql, account_id, pattern, *page, *values)
        found += _scanned(msgspec.json.decode(plan))
    return found


def _scanned(plan: Any) -> list[str]:
    """The large tables below this part of a plan that are read from end to end."""
    if isinstance(plan, list):
        return [table for part in cast(list[Any], plan) for table in _scanned(part)]
    if not isinstance(plan, dict):
        return []
    node = cast(dict[str, Any], plan)
    table = node.get("Relation Name")
    own = [str(table)] if node.get("Node Type") == "Seq Scan" and table in LARGE_TABLES else []
    return own + [each for value in node.values() for each in _scanned(value)]


MEASUREMENTS = (Measurement("LD-4", WORK, measure_searches),)
