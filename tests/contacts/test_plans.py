"""How PostgreSQL reads lists of contacts where there are many: a page, and what was asked for, not everything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, LiteralString

import pytest
from harness import World

from criachat.contacts.filters import read_conditions
from criachat.contacts.models import ListFilter
from criachat.contacts.queries import lists
from criachat.contacts.queries.conditions import conditions_sql
from criachat.contacts.schemas import ConditionParams
from criachat.kit.db import Connection, Database, Db, Statements
from criachat.main import prepare_database

# Of 20,000 contacts, what an index tells of is read with no more than so many others.
FEW = 1_500
ACCOUNT = 1
FILL = """
INSERT INTO accounts (id, name, features, created_at, updated_at) VALUES (1, 'Loja Azul', '{}', now(), now());
INSERT INTO contacts (account_id, id, name, email, phone_number, identifier, labels, blocked, custom_attributes,
    additional_attributes, last_activity_at, created_at, updated_at)
SELECT 1, number, 'Rosa Lind ' || number, 'rosa' || number || '@example.net', '+35191' || 1000000 + number,
    'CRM-' || number, CASE WHEN number % 100 = 0 THEN '{vip}'::text[] ELSE '{}' END, number % 100 = 1,
    jsonb_build_object('customer', 'C-' || number) || CASE WHEN number % 100 = 2
        THEN jsonb_build_object('plan', 'Gold', 'seats', number % 7, 'since', '2026-01-0' || 1 + number % 9)
        ELSE '{}' END,
    CASE WHEN number % 100 = 3
        THEN jsonb_build_object('city', 'Porto', 'company', 'Loja ' || number, 'country_code', 'PT') ELSE '{}' END
        || CASE WHEN number % 3 > 0 THEN jsonb_build_object('company_name', 'Loja ' || number % 1000) ELSE '{}' END,
    CASE WHEN number % 100 = 4 THEN now() - number * interval '1 minute' END, now() - number * interval '1 hour', now()
FROM generate_series(1, 20000) AS number;
INSERT INTO contacts (account_id, id, name, created_at, updated_at)
SELECT 1, 20000 + number, 'nobody', now(), now() FROM generate_series(1, 1000) AS number;
INSERT INTO custom_attribute_definitions (account_id, attribute_model, attribute_key, attribute_display_name,
    attribute_display_type, created_at, updated_at)
SELECT 1, 'contact_attribute', key, key, kind, now(), now()
FROM (VALUES ('customer', 'text'), ('plan', 'text'), ('seats', 'number'), ('since', 'date')) AS defined (key, kind);
"""
EQUALITY, PRESENCE = ("equal_to", "not_equal_to"), ("is_present", "is_not_present")
ORDER, CONTAINS = ("is_greater_than", "is_less_than"), ("contains", "does_not_contain")
Asked = tuple[str, str, str]
ASKED: tuple[Asked, ...] = (
    *(("name", operator, "rosa lind 1234") for operator in (*EQUALITY, *CONTAINS)),
    *(("email", operator, "Rosa1234@example.net") for operator in (*EQUALITY, *CONTAINS)),
    *(("phone_number", operator, "351911001234") for operator in (*EQUALITY, *CONTAINS, "starts_with")),
    *(("identifier", operator, "crm-1234") for operator in EQUALITY),
    *(("country_code", operator, "pt") for operator in EQUALITY),
    *((key, operator, "porto") for key in ("city", "company") for operator in (*EQUALITY, *CONTAINS)),
    *(("labels", operator, "vip") for operator in (*EQUALITY, *PRESENCE)),
    *(("blocked", operator, value) for operator in EQUALITY for value in ("true", "false")),
    *(("customer", operator, "c-1234") for operator in EQUALITY),
    *(("plan", operator, "gold") for operator in (*EQUALITY, *CONTAINS, *PRESENCE)),
    *(("seats", operator, "3") for operator in (*EQUALITY, *ORDER)),
    *(("since", operator, "2026-01-03") for operator in (*EQUALITY, *ORDER)),
    ("last_activity_at", "is_greater_than", "2026-01-03"),
)
CUSTOMER = ("customer", "equal_to", "c-1234")
MIXED: tuple[tuple[Asked | str, ...], ...] = (
    (CUSTOMER, "and", ("plan", "not_equal_to", "gold")),
    (CUSTOMER, "or", ("phone_number", "equal_to", "351911001234")),
    (
        ("name", "contains", "lind 77"),
        "or",
        ("identifier", "equal_to", "crm-5"),
        "and",
        ("blocked", "equal_to", "false"),
    ),
    (("labels", "not_equal_to", "vip"), "and", ("blocked", "equal_to", "false")),
)
SORTED = [sign + key for key in lists.SORTS for sign in ("", "-")]


@pytest.fixture(scope="module")
async def connection(world: World) -> AsyncIterator[Connection]:
    """A database of its own with many contacts."""
    own = await world.parts.database.connect()
    await own.execute("CREATE DATABASE many_contacts")
    url = world.parts.database.url.replace("/criachat?", "/many_contacts?")
    await prepare_database(url, world.keyring)
    connection = await Database(url).connect()
    await connection.execute(FILL)
    await connection.execute("VACUUM (ANALYZE) contacts")
    await connection.execute("VACUUM (ANALYZE) contact_attributes")
    await connection.execute("VACUUM (ANALYZE) contact_words")
    yield connection
    await connection.close()
    await own.execute("DROP DATABASE many_contacts WITH (FORCE)")
    await own.close()


@pytest.fixture(params=["custom", "generic"])
async def plans(request: pytest.FixtureRequest, connection: Connection) -> None:
    """Statements are planned for their values, as at first, or for whichever, as from then on."""
    await connection.execute(f"SET plan_cache_mode = force_{request.param}_plan")


async def contacts_read(connection: Connection, sql: LiteralString, values: Sequence[object]) -> int:
    """How many contacts are read, wanted or not, but for those that are only counted in an index."""
    prepared = await connection.prepare("EXPLAIN (ANALYZE, FORMAT JSON) " + sql)
    plan = await prepared.fetchval(*values)
    found = [node for node in nodes(json.loads(bytes(plan))[0]["Plan"]) if node.get("Relation Name") == "contacts"]
    assert "Seq Scan" not in {node["Node Type"] for node in found}
    return sum(rows(node) for node in found if node.get("Index Name") != "contacts_known" or "Filter" in node)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def rows(node: dict[str, Any]) -> int:
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + left_out) * node["Actual Loops"])


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize("asked", [*((each,) for each in ASKED), *MIXED], ids=str)
async def test_what_a_filter_asks_for_is_counted_and_found_without_reading_the_account(
    connection: Connection, asked: Sequence[Asked | str]
) -> None:
    filters = ListFilter(conditions=await read(connection, asked))
    values: list[object] = [ACCOUNT]
    plainly = lists.COUNT_HEAD + lists.KNOWN + "  AND (" + conditions_sql(filters.conditions, values) + ")"
    sql, bound = lists.count_statement(ACCOUNT, filters)

    found = await connection.fetchval(sql, *bound)
    counted = await contacts_read(connection, sql, bound)
    page = lists.page_statement(ACCOUNT, filters, limit=15, offset=0, is_few=found < FEW)

    assert found == await connection.fetchval(plainly, *values)
    assert counted <= FEW
    assert await contacts_read(connection, *page) <= FEW


@pytest.mark.parametrize("offset", [0, 13_320, 19_990])
@pytest.mark.parametrize("asked", [(), (("plan", "not_equal_to", "gold"),)], ids=str)
@pytest.mark.parametrize("sort", SORTED)
async def test_a_long_list_read_in_order_is_the_same_as_all_of_it_sorted(
    connection: Connection, sort: str, asked: Sequence[Asked | str], offset: int
) -> None:
    filters = ListFilter(conditions=await read(connection, asked), sort=sort)

    pages = [
        await lists.list_page(Db(connection, Statements()), ACCOUNT, filters, limit=15, offset=offset, is_few=is_few)
        for is_few in (False, True)
    ]

    assert pages[0] == pages[1]
    assert len(pages[0]) == min(15, max(0, (20_000 if not asked else 19_800) - offset))


@pytest.mark.parametrize("sort", ["company", "-company", "city", "-city", "country", "-country", "name", "-created_at"])
async def test_the_beginning_of_an_order_is_read_not_all_of_it(connection: Connection, sort: str) -> None:
    page = lists.page_statement(ACCOUNT, ListFilter(sort=sort), limit=15, offset=0, is_few=False)

    assert await contacts_read(connection, *page) <= FEW


async def read(connection: Connection, asked: Sequence[Asked | str]) -> Any:
    """The conditions, each joined to the next by what stands between them."""
    payload: list[ConditionParams] = []
    for place in range(0, len(asked), 2):
        key, operator, value = asked[place]
        joint = str(asked[place + 1]) if place + 1 < len(asked) else None
        payload.append(
            ConditionParams(attribute_key=key, filter_operator=operator, values=[value], query_operator=joint)
        )
    return await read_conditions(Db(connection, Statements()), ACCOUNT, payload)
