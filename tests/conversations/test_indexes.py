"""How PostgreSQL reads lists where there are many conversations: a page, not everything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Any, LiteralString, cast

import pytest
from harness import World

from criachat.conversations.conditions import filter_of_conditions
from criachat.conversations.models import ListFilter, Part
from criachat.conversations.queries import lists
from criachat.conversations.queries.conditions import conditions_sql
from criachat.conversations.queries.counts import count_statement
from criachat.conversations.queries.narrowing import Asker
from criachat.conversations.schemas import ConditionParams
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Connection, Database, Db, Statements
from criachat.main import prepare_database

# Of 30,000 conversations, 27,000 of them resolved, a page touches this many at most, in the table and its indexes. The
# day they end in is counted from its beginning, so that whatever the time, a thousand of them are 21 days old.
FEW = 1_500
AGENT = 7
CALLER = Actor(type="user", account_id=1, id=AGENT)
FILL = """
INSERT INTO accounts (id, name, features, created_at, updated_at) VALUES (1, 'Loja Azul', '{}', now(), now());
INSERT INTO users (id, name, email, pubsub_token, created_at, updated_at)
SELECT id, 'Ana', id || '@example.com', id, now(), now() FROM generate_series(1, 20) AS id;
INSERT INTO account_users (account_id, user_id, created_at, updated_at) SELECT 1, id, now(), now() FROM users;
INSERT INTO teams (account_id, id, name, created_at, updated_at)
SELECT 1, id, id, now(), now() FROM generate_series(1, 5) AS id;
INSERT INTO inboxes (account_id, id, channel_id, channel_type, name, working_hours, created_at, updated_at)
SELECT 1, id, id, 'Channel::Api', id, '[]', now(), now() FROM generate_series(1, 10) AS id;
INSERT INTO inbox_members (account_id, inbox_id, user_id, created_at)
SELECT 1, id, 7, now() FROM inboxes WHERE id < 4;
INSERT INTO contacts (account_id, id, name, created_at, updated_at)
SELECT 1, id, id, now(), now() FROM generate_series(1, 10000) AS id;
INSERT INTO contact_inboxes (account_id, id, contact_id, inbox_id, source_id, pubsub_token, created_at, updated_at)
SELECT 1, id, id, 1 + id % 10, id, id, now(), now() FROM contacts;
ALTER TABLE conversations DISABLE TRIGGER USER;
INSERT INTO conversations (account_id, display_id, inbox_id, contact_id, contact_inbox_id, status, priority,
    assignee_id, team_id, labels, first_reply_created_at, waiting_since, last_activity_at, created_at, updated_at,
    campaign_id, custom_attributes, additional_attributes)
SELECT 1, number, contact_inboxes.inbox_id, contact_inboxes.id, contact_inboxes.id,
    CASE WHEN number > 3000 THEN 'resolved' ELSE (ARRAY['open', 'pending', 'snoozed'])[1 + number % 3] END,
    CASE WHEN number % 7 = 0 THEN number / 7 % 4 END, CASE WHEN number % 13 < 8 THEN 1 + number / 13 % 20 END,
    CASE WHEN number % 4 = 0 THEN 1 + number / 4 % 5 END,
    CASE WHEN number % 200 = 1 THEN '{vip}'::text[] WHEN number % 9 = 1 THEN '{envio,atraso}' ELSE '{}' END,
    CASE WHEN number > 3000 OR number % 11 > 1 THEN heard END,
    CASE WHEN number <= 3000 AND number % 2 = 0 THEN heard END,
    heard, heard - interval '1 day', heard, CASE WHEN number % 300 = 0 THEN 7 END,
    jsonb_build_object('order', 'A-' || number) || CASE WHEN number % 300 = 1
        THEN jsonb_build_object('tier', 'Gold', 'amount', number % 7, 'due', '2026-01-0' || 1 + number % 9)
            || '{"paid": true}'
        ELSE '{}' END,
    CASE WHEN number % 300 = 2
        THEN jsonb_build_object('browser_language', 'pt', 'conversation_language', 'pt', 'referer', 'https://loja.example')
            || jsonb_build_object('mail_subject', 'Pedido ' || number)
        ELSE '{}' END
FROM generate_series(1, 30000) AS number
JOIN contact_inboxes ON contact_inboxes.account_id = 1 AND contact_inboxes.id = 1 + number % 10000,
    LATERAL (
        SELECT date_trunc('day', now(), 'UTC') + interval '200 minutes' - number * interval '1 minute' AS heard
    ) AS moment;
ALTER TABLE conversations ENABLE TRIGGER USER;
INSERT INTO conversation_attributes (account_id, conversation_id, attribute, value, number)
SELECT account_id, id, line.* FROM conversations CROSS JOIN LATERAL lines_of(conversations) AS line;
INSERT INTO conversation_counts (account_id, inbox_id, status, team_id, assignee_id, difference)
SELECT account_id, inbox_id, status, team_id, assignee_id, count(*) FROM conversations GROUP BY 1, 2, 3, 4, 5;
INSERT INTO marked_counts (account_id, mark, inbox_id, status, team_id, assignee_id, difference)
SELECT account_id, mark, inbox_id, status, team_id, assignee_id, count(*)
FROM conversations CROSS JOIN LATERAL marks_of(priority, labels) AS mark GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO custom_attribute_definitions (account_id, attribute_model, attribute_key, attribute_display_name,
    attribute_display_type, created_at, updated_at)
SELECT 1, 'conversation_attribute', key, key, kind, now(), now()
FROM (VALUES ('order', 'text'), ('tier', 'text'), ('amount', 'number'), ('due', 'date'), ('paid', 'checkbox'))
    AS defined (key, kind);
INSERT INTO conversation_participants (account_id, conversation_id, user_id, created_at)
SELECT account_id, id, assignee_id, now() FROM conversations WHERE assignee_id IS NOT NULL;
INSERT INTO mentions (account_id, conversation_id, user_id, mentioned_at)
SELECT account_id, id, 7, now() FROM conversations WHERE id % 500 = 0;
ANALYZE conversations, contacts, contact_inboxes, inbox_members, conversation_participants, mentions,
    conversation_attributes, conversation_counts, marked_counts;
"""
FILTERS: dict[str, dict[str, Any]] = {
    "me": {"assignee": "me"},
    "unassigned": {"assignee": "unassigned"},
    "assigned": {"assignee": "assigned"},
    "inbox": {"inbox_id": 3},
    "team": {"team_id": 2},
    "a rare label": {"labels": ("vip",)},
    "mention": {"kind": "mention"},
    "participating": {"kind": "participating"},
    "unattended": {"kind": "unattended"},
    "session": {"source_id": "77"},
    "contact": {"contact_id": 77, "status": None},
}


Asked = tuple[str, str, str]
# What each key is asked for, wherever an index, or a sum, tells.
ASKED: tuple[Asked, ...] = (
    *((key, "equal_to", "pt") for key in ("browser_language", "conversation_language")),
    *((key, "not_equal_to", "en") for key in ("browser_language", "conversation_language")),
    *((key, operator, "PEDIDO 2") for key in ("referer", "mail_subject") for operator in ("equal_to", "contains")),
    *((key, "not_equal_to", "PEDIDO 2") for key in ("referer", "mail_subject")),
    *((key, "does_not_contain", "PEDIDO 2") for key in ("referer", "mail_subject")),
    *(("campaign_id", operator, "7") for operator in ("equal_to", "not_equal_to", "is_present", "is_not_present")),
    *(("priority", operator, "urgent") for operator in ("equal_to", "not_equal_to")),
    *(("display_id", operator, "1234") for operator in ("equal_to", "not_equal_to", "contains", "does_not_contain")),
    *(("display_id", operator, "012") for operator in ("contains", "does_not_contain")),
    *(("labels", operator, "vip") for operator in ("equal_to", "not_equal_to", "is_present", "is_not_present")),
    *(("order", operator, "a-1234") for operator in ("equal_to", "not_equal_to")),
    *(("tier", operator, "gold") for operator in ("equal_to", "not_equal_to", "contains", "does_not_contain")),
    *((key, operator, "1") for key in ("tier", "amount", "due") for operator in ("is_present", "is_not_present")),
    *(("amount", operator, "3") for operator in ("equal_to", "not_equal_to", "is_greater_than", "is_less_than")),
    *(("due", operator, "2026-01-03") for operator in ("equal_to", "not_equal_to", "is_greater_than", "is_less_than")),
    ("due", "days_before", "1"),
    *(("paid", operator, "true") for operator in ("equal_to", "not_equal_to")),
)
ORDER, OPEN, VIP = ("order", "equal_to", "a-1234"), ("status", "equal_to", "open"), ("labels", "equal_to", "vip")
MIXED: tuple[tuple[Asked | str, ...], ...] = (
    (OPEN, "and", ORDER),
    (OPEN, "and", ("tier", "not_equal_to", "gold")),
    (OPEN, "and", VIP),
    (OPEN, "or", ORDER),
    (VIP, "or", ORDER),
    (ORDER, "or", ("campaign_id", "equal_to", "7"), "and", OPEN),
    (("tier", "is_present", ""), "and", ORDER, "or", ("mail_subject", "contains", "77")),
    (("assignee_id", "is_not_present", ""), "or", OPEN, "and", ("due", "is_present", ""), "or", ORDER),
)


@pytest.fixture(scope="module")
async def connection(world: World) -> AsyncIterator[Connection]:
    """A database of its own with many conversations."""
    own = await world.parts.database.connect()
    await own.execute("CREATE DATABASE many_conversations")
    url = world.parts.database.url.replace("/criachat?", "/many_conversations?")
    await prepare_database(url, world.keyring)
    connection = await Database(url).connect()
    await connection.execute(FILL)
    yield connection
    await connection.close()
    await own.execute("DROP DATABASE many_conversations WITH (FORCE)")
    await own.close()


@pytest.fixture(params=["administrator", "agent"])
def asker(request: pytest.FixtureRequest) -> Asker:
    return Asker(account_id=1, user_id=AGENT, limited_to=AGENT if request.param == "agent" else None)


@pytest.fixture(params=["custom", "generic"])
async def plans(request: pytest.FixtureRequest, connection: Connection) -> None:
    """Statements are planned for their values, as at first, or for whichever, as from then on."""
    await connection.execute(f"SET plan_cache_mode = force_{request.param}_plan")


async def touched(
    connection: Connection, asker: Asker, filters: ListFilter, sort: str = "", *, is_few: bool = False
) -> int:
    """How many conversations are read for a page, wanted or not; none of them by reading the whole table."""
    statement = lists.page_statement(asker, filters, Part(sort=sort, is_few=is_few))
    read = await conversations_read(connection, *statement)
    assert read
    return sum(map(rows, read))


async def conversations_read(
    connection: Connection, sql: LiteralString, values: Sequence[object]
) -> list[dict[str, Any]]:
    """What a statement does to read conversations; it never reads the whole table."""
    await connection.execute("PREPARE statement AS " + sql)
    execute = f"EXECUTE statement ({', '.join(map(literal, values))})"
    plan = await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + execute)
    await connection.execute("DEALLOCATE statement")
    found = [node for node in nodes(json.loads(bytes(plan))[0]["Plan"]) if node.get("Relation Name") == "conversations"]
    assert "Seq Scan" not in {node["Node Type"] for node in found}
    return found


def literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "'{" + ",".join(f'"{each}"' for each in cast(Sequence[object], value)) + "}'"
    return "NULL" if value is None else f"'{value}'"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def rows(node: dict[str, Any]) -> int:
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + left_out) * node["Actual Loops"])


@pytest.mark.usefixtures("plans")
async def test_every_order_of_every_status_reads_a_page(connection: Connection, asker: Asker) -> None:
    statuses: tuple[tuple[str, ...] | None, ...] = (("open",), ("resolved",), ("open", "pending"), None)

    read = {
        (status, sort): await touched(connection, asker, ListFilter(status=status), sort)
        for status in statuses
        for sort in lists.SORTS
    }

    assert {each: count for each, count in read.items() if count > FEW} == {}


@pytest.mark.usefixtures("plans")
async def test_every_filter_of_open_conversations_reads_a_page(connection: Connection, asker: Asker) -> None:
    read = {name: await touched(connection, asker, ListFilter(**filters)) for name, filters in FILTERS.items()}

    assert {each: count for each, count in read.items() if count > FEW} == {}


@pytest.mark.usefixtures("plans")
async def test_filters_with_an_index_read_a_page_of_resolved_conversations(
    connection: Connection, asker: Asker
) -> None:
    indexed = ("me", "unassigned", "assigned", "inbox", "team", "a rare label", "session")

    read = {
        name: await touched(connection, asker, ListFilter(**{**FILTERS[name], "status": ("resolved",)}))
        for name in indexed
    }

    assert {each: count for each, count in read.items() if count > FEW} == {}


async def test_filters_read_no_status_that_they_rule_out(connection: Connection, asker: Asker) -> None:
    not_resolved = condition("status", "not_equal_to", "resolved")
    filters = await filter_of_conditions(Db(connection, Statements()), CALLER, [not_resolved])

    assert filters.status == ("open", "pending", "snoozed")
    assert await touched(connection, asker, filters) <= FEW


async def test_what_is_old_is_found_by_its_age(connection: Connection) -> None:
    asker = Asker(account_id=1, user_id=AGENT, limited_to=None)
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    day = (clock.now() - timedelta(days=21)).date().isoformat()
    filters = await filter_of_conditions(
        Db(connection, Statements()), CALLER, [condition("created_at", "is_less_than", day)]
    )

    in_order = await touched(connection, asker, filters)
    few = await touched(connection, asker, filters, is_few=True)

    assert few < FEW < in_order


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize("asked", [*((each,) for each in ASKED), *MIXED], ids=str)
async def test_what_a_filter_asks_for_is_counted_and_found_without_reading_the_account(
    connection: Connection, asker: Asker, asked: Sequence[Asked | str]
) -> None:
    filters = await filter_of_conditions(Db(connection, Statements()), CALLER, list(conditions(asked)))
    values: list[object] = [1]
    plainly: LiteralString = (
        "SELECT count(*) FROM conversations WHERE conversations.account_id = $1 AND ("
        + conditions_sql(filters.conditions, values)
        + ")"
    )
    if asker.limited_to is not None:
        plainly += " AND conversations.inbox_id < 4"
    sql, bound = count_statement(asker, filters)

    found = await connection.fetchval(f"SELECT all_count FROM ({sql}) AS counts", *bound)
    read = await conversations_read(connection, sql, bound)
    page = await touched(connection, asker, filters, is_few=found < FEW)

    assert found == await connection.fetchval(plainly, *values)
    assert sum(map(rows, read)) <= FEW
    # Four statuses, of each as many as it takes until a page is full of what an agent sees. When few of what many have
    # are theirs, all that they see is read.
    assert page <= 2 * FEW or (asker.limited_to and found < FEW)


def conditions(asked: Sequence[Asked | str]) -> Iterator[ConditionParams]:
    """Each joined to the next by what stands between them."""
    for place in range(0, len(asked), 2):
        joint = asked[place + 1] if place + 1 < len(asked) else None
        yield condition(*asked[place], joint=joint)


def condition(key: str, operator: str, value: str, joint: object = None) -> ConditionParams:
    return ConditionParams(attribute_key=key, filter_operator=operator, values=[value], query_operator=joint)
