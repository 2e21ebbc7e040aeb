"""How PostgreSQL finds contacts: by each key of their filter language, by labels and words, and in each order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from bench.explain import condition, explained
from bench.site import Site
from criachat.contacts.filters import read_conditions
from criachat.contacts.models import ListFilter
from criachat.contacts.queries.lists import FEW, SORTS, count_statement, is_narrowed, page_statement
from criachat.contacts.schemas import ConditionParams
from criachat.kit import clock
from criachat.kit.db import Connection, Db, Statements

PAGE: Final = 15
READ: Final = ("contacts", "contact_attributes", "contact_words")
FIND_SOMEBODY: Final = """
SELECT email, phone_number, identifier, custom_attributes ->> 'customer' AS customer
FROM contacts WHERE account_id = $1 AND num_nulls(email, phone_number, identifier) = 0
ORDER BY id LIMIT 1
"""


async def lines(connection: Connection, site: Site) -> list[str]:
    """A line of the table for each list."""
    somebody = await connection.fetchrow(FIND_SOMEBODY, site.account_id)
    lists: list[tuple[str, ListFilter]] = [("all", ListFilter())]
    lists += [(f"all, by {sign}{key}", ListFilter(sort=sign + key)) for key in SORTS for sign in ("", "-")]
    lists += [("all, by name and city", ListFilter(sort="name,city"))]
    lists += [("`labels` vip", ListFilter(labels=["vip"])), ("`labels` vip, by city", _sorted(labels=["vip"]))]
    lists += [("`q` 12345", ListFilter(words="12345")), ("`q` lind", ListFilter(words="lind"))]
    for name, payload in _filters(dict(somebody or {})):
        params = [msgspec.convert(each, ConditionParams) for each in payload]
        conditions = await read_conditions(Db(connection, Statements()), site.account_id, params)
        lists.append((name, ListFilter(conditions=conditions)))
    return [await _line(connection, site.account_id, name, filters) for name, filters in lists]


async def _line(connection: Connection, account_id: int, name: str, filters: ListFilter) -> str:
    sql, values = count_statement(account_id, filters)
    found = await connection.fetchval(sql, *values)
    is_few = is_narrowed(filters) and found <= FEW
    page = page_statement(account_id, filters, limit=PAGE, offset=0, is_few=is_few)
    shown = await explained(connection, *page, READ) if found else "0 | 0.0 | not asked for"
    return f"| {name} | {found:,} | {await explained(connection, sql, values, READ)} | {shown} |"


def _sorted(**narrowed: Any) -> ListFilter:
    return ListFilter(**narrowed, sort="city")


def _filters(somebody: dict[str, Any]) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    """A filter for each key and kind of comparison."""
    lately = (clock.now() - timedelta(days=7)).date().isoformat()
    equality, contains = ("equal_to", "not_equal_to"), ("contains", "does_not_contain")
    presence = ("is_present", "is_not_present")
    for key, operators, value in (
        ("name", (*equality, *contains), "Rosa Lind 4321"),
        ("email", (*equality, *contains), somebody["email"]),
        ("phone_number", (*equality, *contains, "starts_with"), somebody["phone_number"]),
        ("identifier", equality, somebody["identifier"]),
        ("country_code", equality, "br"),
        ("country_code", equality, "pt"),
        ("city", (*equality, *contains), "Olinda"),
        ("company", (*equality, *contains), "Loja 70"),
        ("labels", (*equality, *presence), "vip"),
        ("created_at", ("is_greater_than", "is_less_than"), lately),
        ("last_activity_at", ("is_greater_than", "is_less_than"), lately),
        ("blocked", equality, "true"),
        ("customer", (*equality, *contains, *presence), somebody["customer"]),
        ("plan", (*equality, *contains, *presence), "gold"),
    ):
        for operator in operators:
            shown = "" if operator in presence else f" {value if key in NAMED else 'x'}"
            yield f"`{key}` {operator}{shown}", [condition(key, operator, value)]
    customer = condition("customer", "equal_to", somebody["customer"])
    yield "`plan` gold, and `customer` x", [condition("plan", "equal_to", "gold", joint="and"), customer]
    yield (
        "`phone_number` x, or `identifier` x",
        [
            condition("phone_number", "equal_to", somebody["phone_number"], joint="or"),
            condition("identifier", "equal_to", somebody["identifier"]),
        ],
    )
    yield (
        "`phone_number` x, or `customer` x",
        [
            condition("phone_number", "equal_to", somebody["phone_number"], joint="or"),
            customer,
        ],
    )


# Of the others, the value is somebody's.
NAMED: Final = ("country_code", "city", "company", "labels", "created_at", "last_activity_at", "blocked", "plan")
