"""The SQL of lists of contacts: a page, and how many there are in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.contacts.models import Comparison, Condition, Contact, ListFilter
from criachat.contacts.queries import COLUMNS
from criachat.custom_attributes.comparing import AttributeComparison, comparison_sql
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

# What filters compare, by the name callers use.
FILTERED: dict[str, LiteralString] = {
    "name": "lower(contacts.name)",
    "email": "lower(contacts.email)",
    "phone_number": "contacts.phone_number",
    "identifier": "lower(contacts.identifier)",
    "country_code": "lower(contacts.additional_attributes ->> 'country_code')",
    "city": "lower(contacts.additional_attributes ->> 'city')",
    "company": "lower(contacts.additional_attributes ->> 'company')",
    "labels": "contacts.labels",
    "created_at": "(contacts.created_at AT TIME ZONE 'UTC')::date",
    "last_activity_at": "(contacts.last_activity_at AT TIME ZONE 'UTC')::date",
    "blocked": "contacts.blocked",
}
# How they compare it: what stands before it, between it and the value, and behind the value.
COMPARISONS: dict[Comparison, tuple[LiteralString, LiteralString, LiteralString]] = {
    "is": ("", " = ", ""),
    "is_not": ("", " <> ", ""),
    "is_less": ("", " < ", ""),
    "is_greater": ("", " > ", ""),
    "is_like_one": ("", " LIKE ANY (", "::text[])"),
    "is_like_none": ("", " NOT LIKE ALL (", "::text[])"),
    "has": ("", " @> ", "::text[]"),
    "has_not": ("NOT ", " @> ", "::text[]"),
}


async def list_page(db: Db, account_id: int, filters: ListFilter, *, limit: int, offset: int) -> list[Contact]:
    """One page of a list."""
    values: list[object] = [account_id]
    sql = PAGE_HEAD + _where(filters, values) + "ORDER BY " + _order(filters.sort)
    sql += " LIMIT " + bound(values, limit) + "::bigint OFFSET " + bound(values, offset) + "::bigint"
    return await db.fetch_all(Contact, sql, *values)


async def list_after(db: Db, account_id: int, filters: ListFilter, *, after: int, limit: int) -> list[Contact]:
    """The next of a list in the order of their ids, however long it is."""
    values: list[object] = [account_id]
    sql = PAGE_HEAD + _where(filters, values) + "  AND contacts.id > " + bound(values, after) + "::bigint\n"
    sql += "ORDER BY contacts.id LIMIT " + bound(values, limit) + "::bigint"
    return await db.fetch_all(Contact, sql, *values)


async def count(db: Db, account_id: int, filters: ListFilter) -> int:
    """How many the list has in all."""
    values: list[object] = [account_id]
    return await db.fetch_value(COUNT_HEAD + _where(filters, values), *values)


def _where(filters: ListFilter, values: list[object]) -> LiteralString:
    """What the list leaves out; what that binds joins the values."""
    if filters.ids is not None:
        return "  AND contacts.id = ANY (" + bound(values, filters.ids) + "::bigint[])\n"
    sql = KNOWN
    if filters.labels is not None:
        sql += "  AND contacts.labels && " + bound(values, filters.labels) + "::text[]\n"
    if filters.words is not None:
        pattern = bound(values, containing(filters.words))
        sql += FOUND + "(contact_words.words ILIKE " + pattern + " OR contact_words.identifier LIKE " + pattern + "))\n"
    if filters.conditions:
        sql += "  AND (" + _conditions(filters.conditions, values) + ")\n"
    return sql


def _conditions(conditions: Sequence[Condition], values: list[object]) -> LiteralString:
    """Each joined to the next by its own AND or OR, as SQL reads them."""
    sql: LiteralString = ""
    for condition in conditions:
        sql += _condition(condition, values)
        if condition is not conditions[-1]:
            sql += " OR " if condition.is_alternative else " AND "
    return sql


def _condition(condition: Condition, values: list[object]) -> LiteralString:
    if isinstance(condition.value, AttributeComparison):
        return comparison_sql(condition.value, "contacts.custom_attributes", values)
    before, between, behind = COMPARISONS[condition.comparison]
    return before + FILTERED[condition.attribute] + between + bound(values, condition.value) + behind


def _order(sort: str) -> LiteralString:
    """The order asked for; unknown keys say nothing."""
    wanted = {part.strip().removeprefix("-"): part.strip().startswith("-") for part in sort.split(",")}
    keys = [key for key in SORTS if key in wanted]
    parts: list[LiteralString] = [SORTS[key][wanted[key]] for key in keys]
    is_walked_backwards = bool(keys) and wanted[keys[0]] and keys[0] != "last_activity_at"
    return ", ".join([*parts, NEWEST_FIRST if is_walked_backwards else NEWEST_LAST])
