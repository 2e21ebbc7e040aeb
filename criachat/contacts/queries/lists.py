"""The SQL of lists of contacts: a page, and how many there are in all."""

from __future__ import annotations

from typing import LiteralString

import msgspec

from criachat.contacts.models import Contact, ListFilter
from criachat.contacts.queries import COLUMNS
from criachat.contacts.queries.clues import AMONG, among, ids_of, opposites_of
from criachat.contacts.queries.conditions import alternatives_of, conditions_sql, has_column
from criachat.kit.db import Db
from criachat.kit.paging import containing
from criachat.kit.places import bound

PAGE_HEAD: LiteralString = "SELECT " + COLUMNS + "FROM contacts\nWHERE contacts.account_id = $1\n"
COUNT_HEAD: LiteralString = "SELECT count(*) FROM contacts\nWHERE contacts.account_id = $1\n"
# Anonymous visitors are left out of most lists: nobody could tell them apart.
KNOWN: LiteralString = (
    "  AND (contacts.email IS NOT NULL OR contacts.phone_number IS NOT NULL OR contacts.identifier IS NOT NULL)\n"
)
FOUND: LiteralString = (
    "  AND contacts.id IN (SELECT contact_words.contact_id FROM contact_words WHERE contact_words.account_id = $1 AND "
)
# Each key ascending and descending, in the order in which they count.
SORTS: dict[str, tuple[LiteralString, LiteralString]] = {
    "email": ("lower(contacts.email)", "lower(contacts.email) DESC"),
    "name": ("lower(contacts.name)", "lower(contacts.name) DESC"),
    "phone_number": ("contacts.phone_number", "contacts.phone_number DESC"),
    "last_activity_at": ("contacts.last_activity_at", "contacts.last_activity_at DESC NULLS LAST"),
    "created_at": ("contacts.created_at", "contacts.created_at DESC"),
    "company": (
        "contacts.additional_attributes ->> 'company_name'",
        "contacts.additional_attributes ->> 'company_name' DESC NULLS LAST",
    ),
    "city": ("contacts.additional_attributes ->> 'city'", "contacts.additional_attributes ->> 'city' DESC NULLS LAST"),
    "country": (
        "contacts.additional_attributes ->> 'country'",
        "contacts.additional_attributes ->> 'country' DESC NULLS LAST",
    ),
}
# Every order ends in the id, so that it is one; in the direction that lets the indexes of names, creation and last
# activity be walked.
NEWEST_LAST: LiteralString = "contacts.id"
NEWEST_FIRST: LiteralString = "contacts.id DESC"

# Longer lists are read in order.
FEW = 2_500
OWN_IDS_HEAD: LiteralString = "SELECT contacts.id FROM contacts WHERE contacts.account_id = $1\n"
# The others are asked for only when those who have a place in the order do not fill the page.
WALK: tuple[LiteralString, ...] = (
    """
WITH placed AS MATERIALIZED (
    SELECT contacts.id, kept.sorted
    FROM contact_attributes AS kept
    JOIN contacts ON contacts.account_id = $1 AND contacts.id = kept.contact_id
    WHERE kept.account_id = $1 AND kept.sorted IS NOT NULL
""",
    "    ORDER BY kept.sorted",
    "\n    LIMIT ",
    """
), others AS MATERIALIZED (
    SELECT contacts.id
    FROM contacts
    WHERE contacts.account_id = $1
""",
    "    ORDER BY contacts.id",
    """ - (SELECT count(*) FROM placed))
)
SELECT """
    + COLUMNS
    + """FROM (SELECT id, sorted, 0 AS run FROM placed UNION ALL SELECT id, NULL, 1 FROM others) AS page
JOIN contacts ON contacts.account_id = $1 AND contacts.id = page.id
ORDER BY page.run, page.sorted""",
)


class Beside(msgspec.Struct, frozen=True):
    """A key of the order that no index of contacts knows: the lines that do, and who has none."""

    line: LiteralString
    is_nothing: LiteralString


BESIDE: dict[str, Beside] = {
    "company": Beside(
        "  AND kept.attribute = 'additional.company_name'\n",
        "  AND CASE WHEN contacts.additional_attributes ->> 'company_name' IS NULL THEN true END\n",
    ),
    "city": Beside(
        "  AND kept.attribute = 'additional.city'\n",
        "  AND CASE WHEN contacts.additional_attributes ->> 'city' IS NULL THEN true END\n",
    ),
    "country": Beside(
        "  AND kept.attribute = 'additional.country'\n",
        "  AND CASE WHEN contacts.additional_attributes ->> 'country' IS NULL THEN true END\n",
    ),
}


async def list_page(
    db: Db, account_id: int, filters: ListFilter, *, limit: int, offset: int, is_few: bool = True
) -> list[Contact]:
    """One page of a list; `is_few` unless it is known to be long."""
    sql, values = page_statement(account_id, filters, limit=limit, offset=offset, is_few=is_few)
    return await db.fetch_all(Contact, sql, *values)


def page_statement(
    account_id: int, filters: ListFilter, *, limit: int, offset: int, is_few: bool
) -> tuple[LiteralString, list[object]]:
    """The statement of a page, and the values it binds.

    A short list is found as PostgreSQL thinks best, and sorted. A long one is read in order until the page is full.
    """
    values: list[object] = [account_id]
    if is_few:
        sql = PAGE_HEAD + AMONG[0] + OWN_IDS_HEAD + _where(filters, values) + AMONG[1]
        sql += "ORDER BY " + _order(filters.sort)
    elif (key := _only_key(filters.sort)) in BESIDE:
        return _walk(filters, values, BESIDE[key], limit=limit, offset=offset)
    else:
        sql = PAGE_HEAD + _where(filters, values, is_walked=True) + "ORDER BY " + _order(filters.sort)
    sql += " LIMIT " + bound(values, limit) + "::bigint OFFSET " + bound(values, offset) + "::bigint"
    return sql, values


def is_narrowed(filters: ListFilter) -> bool:
    """Whether the list leaves out more than those whom nobody knows."""
    return bool(filters.conditions) or not (filters.ids is filters.labels is filters.words is None)


async def list_after(db: Db, account_id: int, filters: ListFilter, *, after: int, limit: int) -> list[Contact]:
    """The next of a list in the order of their ids, however long it is."""
    values: list[object] = [account_id]
    sql = PAGE_HEAD + _where(filters, values, is_walked=True)
    sql += "  AND contacts.id > " + bound(values, after) + "::bigint\n"
    sql += "ORDER BY contacts.id LIMIT " + bound(values, limit) + "::bigint"
    return await db.fetch_all(Contact, sql, *values)


async def count(db: Db, account_id: int, filters: ListFilter) -> int:
    """How many the list has in all."""
    sql, values = count_statement(account_id, filters)
    return await db.fetch_value(sql, *values)


def count_statement(account_id: int, filters: ListFilter) -> tuple[LiteralString, list[object]]:
    """The statement of that number, and the values it binds.

    Where nearly all are meant, those are counted who are not, and taken off.
    """
    values: list[object] = [account_id]
    opposites = opposites_of(filters.conditions)
    if opposites is None or any(condition.is_alternative for condition in filters.conditions):
        return COUNT_HEAD + _where(filters, values), values
    all_of_them = COUNT_HEAD + _where(msgspec.structs.replace(filters, conditions=()), values)
    others = "  AND (" + conditions_sql(filters.conditions, values) + ") IS NOT TRUE\n" + among(opposites, values)
    return "SELECT (" + all_of_them + ") - (" + all_of_them + others + ")", values


def _where(filters: ListFilter, values: list[object], *, is_walked: bool = False) -> LiteralString:
    """What the list leaves out; what that binds joins the values."""
    if filters.ids is not None:
        return "  AND contacts.id = ANY (" + bound(values, filters.ids) + "::bigint[])\n"
    sql = KNOWN
    if filters.labels is not None:
        sql += "  AND contacts.labels && " + bound(values, filters.labels) + "::text[]\n"
    if filters.words is not None:
        pattern = bound(values, containing(filters.words))
        sql += FOUND + "(contact_words.words ILIKE " + pattern + " OR contact_words.identifier LIKE " + pattern + "))\n"
    if not filters.conditions:
        return sql
    if is_walked:
        # PostgreSQL guesses how rare an attribute is, and would rather read everything and sort it. Of a CASE it takes
        # every other row to be meant.
        before, behind = ("(", ")") if all(map(has_column, filters.conditions)) else ("CASE WHEN ", " THEN true END")
        return sql + "  AND " + before + conditions_sql(filters.conditions, values) + behind + "\n"
    ids = ids_of(alternatives_of(filters.conditions))
    sql += "  AND (" + conditions_sql(filters.conditions, values) + ")\n"
    return sql + ("" if ids is None else among(ids, values))


def _walk(
    filters: ListFilter, values: list[object], key: Beside, *, limit: int, offset: int
) -> tuple[LiteralString, list[object]]:
    """A page in an order that is kept beside contacts: first those who have a place in it, then the others."""
    most, skipped = bound(values, limit) + "::bigint", bound(values, offset) + "::bigint"
    where = _where(filters, values, is_walked=True)
    falling: LiteralString = " DESC" if filters.sort.strip().startswith("-") else ""
    sql = WALK[0] + where + key.line + WALK[1] + falling + ", kept.contact_id" + falling
    sql += WALK[2] + most + " + " + skipped + WALK[3] + where + key.is_nothing + WALK[4] + falling
    sql += WALK[2] + "greatest(0, " + most + " + " + skipped + WALK[5] + falling + ", page.id" + falling
    return sql + "\nLIMIT " + most + " OFFSET " + skipped, values


def _only_key(sort: str) -> str:
    """The one key that is asked for; of several, or of an unknown one, none."""
    keys = {part.strip().removeprefix("-") for part in sort.split(",")}
    return keys.pop() if len(keys) == 1 else ""


def _order(sort: str) -> LiteralString:
    """The order asked for; unknown keys say nothing."""
    wanted = {part.strip().removeprefix("-"): part.strip().startswith("-") for part in sort.split(",")}
    keys = [key for key in SORTS if key in wanted]
    parts: list[LiteralString] = [SORTS[key][wanted[key]] for key in keys]
    is_walked_backwards = bool(keys) and wanted[keys[0]] and keys[0] != "last_activity_at"
    return ", ".join([*parts, NEWEST_FIRST if is_walked_backwards else NEWEST_LAST])
