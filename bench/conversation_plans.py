"""How PostgreSQL finds conversations by each key of their filter language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import msgspec

from bench.explain import condition, explained
from bench.site import Site
from criachat.conversations.conditions import filter_of_conditions
from criachat.conversations.models import ListFilter, Part
from criachat.conversations.queries.counts import count_statement
from criachat.conversations.queries.lists import few_of, page_statement
from criachat.conversations.queries.narrowing import Asker
from criachat.conversations.schemas import ConditionParams
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Connection, Db, Statements

READ: Final = ("conversation", "marked_counts")
FIND_TEAM: Final = "SELECT min(id) FROM teams WHERE account_id = $1"


class Asked(msgspec.Struct, frozen=True):
    """A filter, and what a reader calls it."""

    name: str
    payload: list[dict[str, Any]]


async def lines(connection: Connection, site: Site) -> list[str]:
    """A line of the table for each filter."""
    team_id = await connection.fetchval(FIND_TEAM, site.account_id)
    actor = Actor(type="user", account_id=site.account_id, id=site.data.agent_ids[0])
    asker = Asker(account_id=site.account_id, user_id=actor.id, limited_to=None)
    told: list[str] = []
    for asked in _filters(site, team_id):
        params = [msgspec.convert(each, ConditionParams) for each in asked.payload]
        filters = await filter_of_conditions(Db(connection, Statements()), actor, params)
        told.append(await _line(connection, asker, asked.name, filters))
    return told


async def _line(connection: Connection, asker: Asker, name: str, filters: ListFilter) -> str:
    sql, values = count_statement(asker, filters)
    row = await connection.fetchrow(sql, *values)
    found = 0 if row is None else row["all_count"]
    part = Part(is_few=found <= few_of(filters))
    page = (
        await explained(connection, *page_statement(asker, filters, part), READ) if found else "0 | 0.0 | not asked for"
    )
    return f"| {name} | {found:,} | {await explained(connection, sql, values, READ)} | {page} |"


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
        yield Asked(f"`{key}` {operator}{shown}", [condition(key, operator, value)])
    is_open = condition("status", "equal_to", "open", joint="and")
    yield Asked("open, and `tier` gold", [is_open, condition("tier", "equal_to", "gold")])
    yield Asked("open, and `labels` vip", [is_open, condition("labels", "equal_to", "vip")])
    yield Asked("open, and `tier` not gold", [is_open, condition("tier", "not_equal_to", "gold")])
    either = condition("tier", "equal_to", "gold", joint="or")
    yield Asked("`tier` gold, or `order` a-1234", [either, condition("order", "equal_to", "a-1234")])
    yield Asked("`tier` gold, or `assignee_id` n", [either, condition("assignee_id", "equal_to", agent_id)])
    yield Asked("`tier` gold, or `labels` vip", [either, condition("labels", "equal_to", "vip")])
    yield Asked("`tier` gold, or `order` not a-1234", [either, condition("order", "not_equal_to", "a-1234")])
    either = condition("assignee_id", "equal_to", agent_id, joint="or")
    yield Asked("`assignee_id` n, or `team_id` n", [either, condition("team_id", "equal_to", team_id)])
