"""The SQL of the filter language: literal pieces, and values that are always bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, LiteralString, cast

from criachat.conversations.models import ColumnComparison, Comparison, Condition
from criachat.custom_attributes.comparing import comparison_sql
from criachat.kit.places import bound

FILTERED: Final[Mapping[str, LiteralString]] = {
    "status": "conversations.status",
    "assignee_id": "conversations.assignee_id",
    "inbox_id": "conversations.inbox_id",
    "team_id": "conversations.team_id",
    "campaign_id": "conversations.campaign_id",
    "priority": "conversations.priority",
    "display_id": "conversations.display_id",
    "labels": "conversations.labels",
    "browser_language": "(conversations.additional_attributes ->> 'browser_language')",
    "conversation_language": "(conversations.additional_attributes ->> 'conversation_language')",
    "referer": "(conversations.additional_attributes ->> 'referer')",
    "mail_subject": "(conversations.additional_attributes ->> 'mail_subject')",
    "created_at": "conversations.created_at",
    "last_activity_at": "conversations.last_activity_at",
}
# Those of them that are attributes.
ADDITIONAL: Final = ("browser_language", "conversation_language", "referer", "mail_subject")
# What stands between the column and its value, and behind the value.
COMPARISONS: Final[Mapping[Comparison, tuple[LiteralString, LiteralString]]] = {
    "is_one": (" = ANY (", ")"),
    "is_none": (" <> ALL (", ")"),
    "is_like_one": ("::text ILIKE ANY (", "::text[])"),
    "is_like_none": ("::text NOT ILIKE ALL (", "::text[])"),
    "is_from": (" >= ", ""),
    "is_before": (" < ", ""),
    # Most conversations have no label and are left out of the index of labels.
    "has_one": (" <> '{}' AND conversations.labels && ", "::text[]"),
    "has_none": (" && ", "::text[] = false"),
}
VALUELESS: Final[Mapping[Comparison, LiteralString]] = {
    "is_set": " IS NOT NULL",
    "is_not_set": " IS NULL",
    "has_any": " <> '{}'",
    "has_nothing": " = '{}'",
}
# The columns by which `conversation_counts` keeps its sums.
SUMMED: Final = frozenset(("status", "inbox_id", "team_id", "assignee_id"))


def is_summed(condition: Condition) -> bool:
    """Whether the sums of `conversation_counts` tell those apart for whom it holds."""
    return isinstance(condition.compared, ColumnComparison) and condition.compared.key in SUMMED


def has_column(condition: Condition) -> bool:
    """Whether it is compared with a column, of which PostgreSQL knows what stands in it; not with an attribute."""
    return isinstance(condition.compared, ColumnComparison) and condition.compared.key not in ADDITIONAL


def alternatives_of(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """The conditions that have to hold together, for each alternative: AND binds before OR."""
    alternatives: list[list[Condition]] = [[]]
    for condition in conditions:
        alternatives[-1].append(condition)
        if condition.is_alternative:
            alternatives.append([])
    return alternatives


def conditions_sql(conditions: Sequence[Condition], values: list[object]) -> LiteralString:
    """Each condition joined to the next by its own AND or OR, as SQL reads them; what they bind joins the values."""
    sql: LiteralString = ""
    joint: LiteralString = ""
    for condition in conditions:
        sql += joint + "(" + condition_sql(condition, values) + ")"
        joint = " OR " if condition.is_alternative else " AND "
    return sql


def condition_sql(condition: Condition, values: list[object]) -> LiteralString:
    """One condition."""
    wanted = condition.compared
    if isinstance(wanted, ColumnComparison):
        return _column_sql(wanted, values)
    return comparison_sql(wanted, "conversations.custom_attributes", values)


def _column_sql(wanted: ColumnComparison, values: list[object]) -> LiteralString:
    column = FILTERED[wanted.key]
    if wanted.comparison in VALUELESS:
        return column + VALUELESS[wanted.comparison]
    if wanted.comparison == "is_one" and len(only := cast(list[object], wanted.value)) == 1:
        # An index has the rows of one value in order, of several it has not.
        return column + " = " + bound(values, only[0])
    between, behind = COMPARISONS[wanted.comparison]
    return column + between + bound(values, wanted.value) + behind
