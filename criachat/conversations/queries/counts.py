"""The SQL of the numbers behind the tabs of a list: added up from sums where those can tell, counted where they cannot.

There are sums of all conversations, and of those that have a priority or a label. What is told by no sum is looked for
among the ids that clues give. Where nearly all are meant, those are counted who are not, and taken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString, cast

import msgspec

from criachat.conversations.models import ColumnComparison, Condition, Counts, ListFilter
from criachat.conversations.queries.clues import among, ids_of, opposites_of
from criachat.conversations.queries.conditions import alternatives_of, conditions_sql, is_summed
from criachat.conversations.queries.narrowing import (
    KINDS,
    SHARES,
    Asker,
    Narrowing,
    counted,
    narrowings_sql,
    uncounted,
    visible,
)
from criachat.conversations.snapshots import PRIORITIES
from criachat.kit.db import Db
from criachat.kit.places import bound

FROM_ALL: LiteralString = """
SELECT count(*) FILTER (WHERE conversations.assignee_id = $2) AS mine_count,
    count(*) FILTER (WHERE conversations.assignee_id IS NULL) AS unassigned_count, count(*) AS all_count
FROM conversations
WHERE conversations.account_id = $1
"""
SUM_HEAD: LiteralString = """
SELECT coalesce(sum(difference) FILTER (WHERE conversations.assignee_id = $2), 0)::bigint AS mine_count,
    coalesce(sum(difference) FILTER (WHERE conversations.assignee_id IS NULL), 0)::bigint AS unassigned_count,
    coalesce(sum(difference), 0)::bigint AS all_count
FROM """
FROM_SUMS: LiteralString = (
    SUM_HEAD
    + """conversation_counts AS conversations
WHERE conversations.account_id = $1
"""
)
MARKED_HEAD: LiteralString = (
    SUM_HEAD
    + """marked_counts AS conversations
WHERE conversations.account_id = $1
  AND conversations.mark = ANY("""
)
MORE: tuple[LiteralString, ...] = (
    """
SELECT these.mine_count + those.mine_count AS mine_count,
    these.unassigned_count + those.unassigned_count AS unassigned_count, these.all_count + those.all_count AS all_count
FROM (""",
    ") AS these CROSS JOIN (",
    ") AS those\n",
)
LESS: tuple[LiteralString, ...] = (
    """
SELECT these.mine_count - those.mine_count AS mine_count,
    these.unassigned_count - those.unassigned_count AS unassigned_count, these.all_count - those.all_count AS all_count
FROM (""",
    ") AS these CROSS JOIN (",
    ") AS those\n",
)
Alternative = Sequence[Condition]
MARKED: Final = ("is_one", "is_none", "has_one", "has_any", "has_none", "has_nothing")


class Marks(msgspec.Struct, frozen=True):
    """Under which marks those are summed up for whom a condition holds; or does not, when `is_opposite`."""

    names: list[str]
    is_opposite: bool = False


async def count(db: Db, asker: Asker, filters: ListFilter) -> Counts:
    """The numbers behind the tabs, whatever tab is open."""
    sql, values = count_statement(asker, filters)
    return await db.fetch_one(Counts, sql, *values)


def count_statement(asker: Asker, filters: ListFilter) -> tuple[LiteralString, list[object]]:
    """The statement of the numbers, and the values it binds."""
    filters = _with_labels_as_condition(filters)
    values: list[object] = [asker.account_id, asker.user_id]
    others = uncounted(filters)
    statuses = [] if filters.status is None else [Narrowing("conversations.status = ANY(", filters.status, "::text[])")]
    rest = narrowings_sql(values, (*statuses, *visible(asker), *counted(filters), *others))
    rest += SHARES[asker.listed] + (KINDS[filters.kind] if filters.kind else "")
    if others or filters.kind:
        return _counted(values, rest, filters.conditions), values
    has_alternatives = any(condition.is_alternative for condition in filters.conditions)
    return (_of_several if has_alternatives else _of_one)(values, rest, filters.conditions), values


def _with_labels_as_condition(filters: ListFilter) -> ListFilter:
    """Lists that show labels, and nothing of the filter language, are counted like a filter that does."""
    if filters.labels is None or filters.conditions:
        return filters
    labels = ColumnComparison(key="labels", comparison="has_one", value=[*filters.labels])
    return msgspec.structs.replace(filters, labels=None, conditions=(Condition(compared=labels),))


def _of_one(values: list[object], rest: LiteralString, conditions: Sequence[Condition]) -> LiteralString:
    """How many there are for whom all conditions hold."""
    summed = [condition for condition in conditions if is_summed(condition)]
    others = [condition for condition in conditions if not is_summed(condition)]
    marks = _marks_of(others[0]) if len(others) == 1 else None
    opposites = opposites_of(others)
    if others and marks is None and opposites is None:
        return _counted(values, rest, conditions)
    rest += _all_sql(values, summed)
    if marks is not None:
        marked = MARKED_HEAD + bound(values, marks.names) + "::text[])\n" + rest
        return LESS[0] + FROM_SUMS + rest + LESS[1] + marked + LESS[2] if marks.is_opposite else marked
    if opposites is not None:
        unlike = "  AND (" + conditions_sql(others, values) + ") IS NOT TRUE\n" + among(opposites, values)
        return LESS[0] + FROM_SUMS + rest + LESS[1] + FROM_ALL + rest + unlike + LESS[2]
    return FROM_SUMS + rest


def _of_several(values: list[object], rest: LiteralString, conditions: Sequence[Condition]) -> LiteralString:
    """How many there are for whom one of the alternatives holds: those the sums tell of, and who else is found."""
    if all(map(is_summed, conditions)):
        return FROM_SUMS + rest + _all_sql(values, conditions)
    told, others = _told_apart(alternatives_of(conditions))
    ids = ids_of(others, is_all=False)
    if ids is None or not told:
        return _counted(values, rest, conditions)
    summed = "(" + ") OR (".join([conditions_sql(each, values) for each in told]) + ")"
    marks = _marks_of(told[0][0])
    these = FROM_SUMS if marks is None else MARKED_HEAD + bound(values, marks.names) + "::text[])\n"
    these += rest + ("  AND (" + summed + ")\n" if marks is None else "")
    found = _all_sql(values, conditions) + "  AND (" + summed + ") IS NOT TRUE\n" + among(ids, values)
    return MORE[0] + these + MORE[1] + FROM_ALL + rest + found + MORE[2]


def _told_apart(alternatives: Sequence[Alternative]) -> tuple[list[Alternative], list[Alternative]]:
    """The alternatives the sums tell of, and the others. Marks only tell of one, and not together with other sums."""
    told = [each for each in alternatives if all(map(is_summed, each))]
    if not told:
        marked = [each for each in alternatives if len(each) == 1 and _is_marked(each[0])]
        told = marked[:1]
    return told, [each for each in alternatives if each not in told]


def _is_marked(condition: Condition) -> bool:
    marks = _marks_of(condition)
    return marks is not None and not marks.is_opposite


def _counted(values: list[object], rest: LiteralString, conditions: Sequence[Condition]) -> LiteralString:
    """Counted one by one, among the ids that clues give when there are such."""
    ids = ids_of(alternatives_of(conditions))
    return FROM_ALL + rest + _all_sql(values, conditions) + ("" if ids is None else among(ids, values))


def _all_sql(values: list[object], conditions: Sequence[Condition]) -> LiteralString:
    """The conditions of the filter language, as one."""
    return "  AND (" + conditions_sql(conditions, values) + ")\n" if conditions else ""


def _marks_of(condition: Condition) -> Marks | None:
    """The marks that tell as much as the condition; None when there are none."""
    wanted = condition.compared
    if not isinstance(wanted, ColumnComparison) or wanted.comparison not in MARKED:
        return None
    if wanted.key == "priority":
        named = cast(list[int], wanted.value)
        is_one = wanted.comparison == "is_one"
        return Marks([f"priority {number}" for number in range(len(PRIORITIES)) if (number in named) == is_one])
    if wanted.key != "labels":
        return None
    if wanted.comparison in ("has_any", "has_nothing"):
        return Marks(["labelled"], is_opposite=wanted.comparison == "has_nothing")
    labels = cast(list[str], wanted.value)
    # Who has two of several labels would be counted twice.
    return Marks([f"label {labels[0]}"], is_opposite=wanted.comparison == "has_none") if len(labels) == 1 else None
