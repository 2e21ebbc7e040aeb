"""Lists of conversations are planned once for each connection, because planning a page takes longer than reading it."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Given, World

from bench.dataset import Size, fill
from criachat.conversations.models import ListFilter, Part
from criachat.conversations.queries.lists import list_page
from criachat.conversations.queries.narrowing import Asker
from criachat.kit.db import Db, Statements

SIZE = Size(conversations=4_000, messages=4_000, agents=3, busy=0)
# The first five calls of a statement are planned for their values; from then on PostgreSQL compares.
FIRST_CALLS, CALLS = 5, 9
COUNT_PLANS = """
SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%WITH page AS MATERIALIZED (%'
    AND statement NOT LIKE '%pg_prepared_statements%'
"""
FIND_TEAM = "SELECT min(id) FROM teams WHERE account_id = $1"


@pytest.fixture(scope="module")
async def large(world: World) -> tuple[Given, dict[str, Any]]:
    """An account with enough conversations for it to matter how they are found, and what to filter by."""
    given = await Given.in_new_account(world)
    inbox = await given.inbox("App")
    connection = await world.parts.database.connect()
    loaded = await fill(connection, given.account_id, [inbox["id"]], size=SIZE)
    team_id = await connection.fetchval(FIND_TEAM, given.account_id)
    await connection.close()
    return given, {"inbox_id": inbox["id"], "team_id": team_id, "agent_id": loaded.agent_ids[0]}


@pytest.mark.parametrize(
    ("status", "names", "limited", "sort"),
    [
        (("open",), (), False, ""),
        (None, (), False, ""),
        (("open", "pending"), (), False, "created_at_asc"),
        (("open",), ("inbox_id",), False, ""),
        (("open",), ("team_id",), False, ""),
        (("open",), (), True, ""),
    ],
)
async def test_a_page_is_planned_once_wherever_it_begins(
    large: tuple[Given, dict[str, Any]], status: tuple[str, ...] | None, names: tuple[str, ...], limited: Any, sort: str
) -> None:
    given, known = large
    filters = ListFilter(status=status, **{name: known[name] for name in names})
    limited_to = known["agent_id"] if limited else None
    asker = Asker(account_id=given.account_id, user_id=known["agent_id"], limited_to=limited_to)
    connection = await given.world.parts.database.connect()
    db = Db(connection, Statements())

    pages = [await list_page(db, asker, filters, Part(sort=sort, offset=50 + number)) for number in range(CALLS)]
    plans = await connection.fetch(COUNT_PLANS)
    await connection.close()

    assert all(len(page) == 25 for page in pages)
    assert [tuple(each) for each in plans] == [(CALLS - FIRST_CALLS, FIRST_CALLS)]
