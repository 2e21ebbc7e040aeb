"""The SQL of the filter language of contacts: literal pieces, and values that are always bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from criachat.contacts.models import Comparison, Condition
from criachat.custom_attributes.comparing import AttributeComparison, comparison_sql
from criachat.kit.places import bound

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
    "created_at": "contacts.created_at",
    "last_activity_at": "contacts.last_activity_at",
    "blocked": "contacts.blocked",
}
# Those of them that are attributes.
ADDITIONAL: Final = ("country_code", "city", "company")
# How they compare it: what stands before it, between it and the value, and behind the value.
COMPARISONS: dict[Comparison, tuple[LiteralString, LiteralString, LiteralString]] = {
    "is": ("", " = ", ""),
    "is_not": ("", " <> ", ""),
    "is_before": ("", " < ", ""),
    "is_from": ("", " >= ", ""),
    "is_like_one": ("", " LIKE ANY (", "::text[])"),
    "is_like_none": ("", " NOT LIKE ALL (", "::text[])"),
    "has": ("", " @> ", "::text[]"),
    "has_not": ("NOT ", " @> ", "::text[]"),
}


def has_column(condition: Condition) -> bool:
    """Whether it is compared with a column, of which PostgreSQL knows what stands in it; not with an attribute."""
    return condition.comparison != "custom" and condition.attribute not in ADDITIONAL


def alternatives_of(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """The conditions that have to hold together, for each alternative: AND binds before OR."""
    alternatives: list[list[Condition]] = [[]]
    for condition in conditions:
        alternatives[-1].append(condition)
        if condition.is_alternative:
            alternatives.append([])
    return alternatives


def conditions_sql(conditions: Sequence[Condition], values: list[object]) -> LiteralString:
    """Each joined to the next by its own AND or OR, as SQL reads them."""
    sql: LiteralString = ""
    for place, condition in enumerate(conditions):
        sql += condition_sql(condition, values)
        if place < len(conditions) - 1:
            sql += " OR " if condition.is_alternative else " AND "
    return sql


def condition_sql(condition: Condition, values: list[object]) -> LiteralString:
    """One condition; what it binds joins the values."""
    if isinstance(condition.value, AttributeComparison):
        return comparison_sql(condition.value, "contacts.custom_attributes", values)
    before, between, behind = COMPARISONS[condition.comparison]
    return before + FILTERED[condition.attribute] + between + bound(values, condition.value) + behind
