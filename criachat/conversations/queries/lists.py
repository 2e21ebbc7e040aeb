"""The SQL of lists of conversations: a page. The numbers behind its tabs stand in `counts`.

A list is made of runs: what it shows of one status (for agents, in one inbox; in some orders, of one priority). Each
run is read in order from one index and ends where the page ends; then the runs are merged. So a page costs the same
however many conversations there are. Where no index has the order of what a filter leaves, the rows of the status are
read in order until the page is full: agents' lists in other orders than by activity, and `unattended`. Of a label, all
that have it may be read. `q` reads messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import msgspec

from criachat.conversations.models import ColumnComparison, Condition, Conversation, ListFilter, Part
from criachat.conversations.queries import COLUMNS, JOINS
from criachat.conversations.queries.clues import among, ids_of
from criachat.conversations.queries.conditions import alternatives_of, conditions_sql, has_column, is_summed
from criachat.conversations.queries.narrowing import (
    ASSIGNEES,
    KINDS,
    SHARES,
    Asker,
    Narrowing,
    counted,
    narrowing_sql,
    narrowings_sql,
    uncounted,
    visible,
)
from criachat.conversations.snapshots import STATUSES
from criachat.kit.db import Db
from criachat.kit.places import bound

# $1 is the account, $2 who asks. The rows of a page are found first; only they are joined.
# The statuses, and how far each run is read (in steps, further than needed: the page is cut out afterwards), stand in
# the text: PostgreSQL keeps the plan of a statement only if that looks no worse than one for the values of each call,
# and planning takes four times what running it does.
PAGE_HEAD: LiteralString = """
WITH page AS MATERIALIZED (
    SELECT found.id, row_number() OVER (ORDER BY """
PAGE_FROM: tuple[LiteralString, LiteralString] = (
    """) AS place
    FROM unnest(ARRAY[""",
    "]::text[]) AS wanted (status)\n",
)
SHORT_PAGE: tuple[LiteralString, LiteralString, LiteralString] = (
    """
WITH page AS MATERIALIZED (
    SELECT conversations.id, row_number() OVER (ORDER BY """,
    """) AS place
    FROM conversations
    WHERE conversations.account_id = $1 AND conversations.status = ANY (ARRAY[""",
    "]::text[])\n",
)
STATUS_TEXTS: dict[str, LiteralString] = {
    "open": "'open'",
    "resolved": "'resolved'",
    "pending": "'pending'",
    "snoozed": "'snoozed'",
}
ROWS: dict[int, LiteralString] = {25: "25", 100: "100", 400: "400", 1600: "1600"}
SEEN: tuple[LiteralString, LiteralString] = (
    "CROSS JOIN (SELECT inbox_id FROM inbox_members WHERE account_id = $1 AND user_id = ",
    ") AS seen\n",
)
IN_SEEN: LiteralString = "  AND conversations.inbox_id = seen.inbox_id\n"
RUN_HEAD: LiteralString = """(
    SELECT conversations.id, conversations.last_activity_at, conversations.created_at, conversations.priority,
        conversations.waiting_since
    FROM conversations
    WHERE conversations.account_id = $1 AND conversations.status = wanted.status
"""
PAGE_TAIL: LiteralString = (
    ")\nSELECT"
    + COLUMNS
    + "FROM page JOIN conversations ON conversations.account_id = $1 AND conversations.id = page.id"
    + JOINS
    + "ORDER BY page.place"
)

RECENT_FIRST: LiteralString = "last_activity_at DESC, id DESC"
QUIET_FIRST: LiteralString = "last_activity_at ASC, id ASC"
NEW_FIRST: LiteralString = "created_at DESC, id DESC"
OLD_FIRST: LiteralString = "created_at ASC, id ASC"
DEFAULT_SORT = "last_activity_at_desc"
FEW = 2_500
FEW_OLD = 50_000
ALIASES = {
    "latest": DEFAULT_SORT,
    "sort_on_created_at": "created_at_asc",
    "sort_on_priority": "priority_desc",
    "sort_on_waiting_since": "waiting_since_asc",
}


class Run(msgspec.Struct, frozen=True):
    """A part of a list that one index has in order."""

    condition: LiteralString
    order: LiteralString


class Sort(msgspec.Struct, frozen=True, kw_only=True):
    """An order of lists, and the runs it is merged of. Whether an index has it for each inbox.

    `place` is where a conversation stands in it: expressions that together only grow, or only shrink, down the list.
    """

    order: LiteralString
    runs: tuple[Run, ...]
    place: tuple[LiteralString, ...]
    is_falling: bool = True
    is_by_inbox: bool = False

    def behind(self, values: list[object], place: Sequence[object]) -> LiteralString:
        """That a conversation stands behind this place."""
        sql: LiteralString = "  AND (" + ", ".join(self.place) + ") " + ("<" if self.is_falling else ">") + " ("
        return sql + ", ".join([bound(values, value) for value in place]) + ")\n"


OF_EACH_PRIORITY = (
    Run("  AND conversations.priority = 3\n", RECENT_FIRST),
    Run("  AND conversations.priority = 2\n", RECENT_FIRST),
    Run("  AND conversations.priority = 1\n", RECENT_FIRST),
    Run("  AND conversations.priority = 0\n", RECENT_FIRST),
    Run("  AND conversations.priority IS NULL\n", RECENT_FIRST),
)
WAITING: LiteralString = "  AND conversations.waiting_since IS NOT NULL\n"
NOT_WAITING = Run("  AND conversations.waiting_since IS NULL\n", OLD_FIRST)
BY_ACTIVITY: tuple[LiteralString, ...] = ("conversations.last_activity_at", "conversations.id")
BY_CREATION: tuple[LiteralString, ...] = ("conversations.created_at", "conversations.id")
SORTS: dict[str, Sort] = {
    "last_activity_at_asc": Sort(
        order=QUIET_FIRST, runs=(Run("", QUIET_FIRST),), place=BY_ACTIVITY, is_falling=False, is_by_inbox=True
    ),
    "last_activity_at_desc": Sort(
        order=RECENT_FIRST, runs=(Run("", RECENT_FIRST),), place=BY_ACTIVITY, is_by_inbox=True
    ),
    "created_at_asc": Sort(order=OLD_FIRST, runs=(Run("", OLD_FIRST),), place=BY_CREATION, is_falling=False),
    "created_at_desc": Sort(order=NEW_FIRST, runs=(Run("", NEW_FIRST),), place=BY_CREATION),
    # Who has no priority stands last either way.
    "priority_asc": Sort(
        order="priority ASC NULLS LAST, " + RECENT_FIRST,
        runs=OF_EACH_PRIORITY,
        place=("-coalesce(conversations.priority, 4)", *BY_ACTIVITY),
    ),
    "priority_desc": Sort(
        order="priority DESC NULLS LAST, " + RECENT_FIRST,
        runs=OF_EACH_PRIORITY,
        place=("coalesce(conversations.priority, -1)", *BY_ACTIVITY),
    ),
    # And who does not wait, behind those who do.
    "waiting_since_asc": Sort(
        order="waiting_since ASC NULLS LAST, " + OLD_FIRST,
        runs=(Run(WAITING, "waiting_since ASC, " + OLD_FIRST), NOT_WAITING),
        place=("coalesce(conversations.waiting_since, '9999-12-31 00:00:00+00')", *BY_CREATION),
        is_falling=False,
    ),
    "waiting_since_desc": Sort(
        order="waiting_since DESC NULLS LAST, " + OLD_FIRST,
        runs=(Run(WAITING, "waiting_since DESC, " + OLD_FIRST), NOT_WAITING),
        place=(
            "'9999-12-31 00:00:00+00' - coalesce(conversations.waiting_since, '0001-01-01 00:00:00+00')",
            *BY_CREATION,
        ),
        is_falling=False,
    ),
}


async def list_page(db: Db, asker: Asker, filters: ListFilter, part: Part) -> list[Conversation]:
    """One page, in one statement."""
    sql, values = page_statement(asker, filters, part)
    return await db.fetch_all(Conversation, sql, *values)


def is_narrowed(filters: ListFilter) -> bool:
    """Whether more is asked of a list than what the sums, and an index in the order of the list, can tell apart."""
    return bool(filters.kind or uncounted(filters)) or not all(map(is_summed, filters.conditions))


def few_of(filters: ListFilter) -> int:
    """How long a list may be for it to be read whole rather than looked for in order.

    In order, a page takes a look at 25 for each that is found, and is found sooner the more there are. Only what is
    old stands together at the end of most orders.
    """
    is_old = any(
        isinstance(each := condition.compared, ColumnComparison)
        and (each.key, each.comparison) == ("created_at", "is_before")
        for condition in filters.conditions
    )
    return FEW_OLD if is_old else FEW


def sort_named(name: str) -> str:
    """The order of this name; the newest activity first for one that does not exist."""
    named = ALIASES.get(name, name)
    return named if named in SORTS else DEFAULT_SORT


def page_statement(asker: Asker, filters: ListFilter, part: Part) -> tuple[LiteralString, list[object]]:
    """The statement of a page, and the values it binds."""
    if part.is_few and is_narrowed(filters):
        return _short_statement(asker, filters, part)
    chosen = SORTS[sort_named(part.sort)]
    values: list[object] = [asker.account_id, asker.user_id]
    narrowed = (*counted(filters), *uncounted(filters))
    is_by_inbox = chosen.is_by_inbox and not (
        narrowed or filters.conditions or filters.kind or filters.assignee == "me" or asker.listed == "mine"
    )
    seen: LiteralString = ""
    conditions: LiteralString = ""
    if asker.limited_to is not None and is_by_inbox:
        seen, conditions = narrowing_sql(values, Narrowing(SEEN[0], asker.limited_to, SEEN[1])), IN_SEEN
    elif asker.limited_to is not None:
        narrowed = (*visible(asker), *narrowed)
    conditions += narrowings_sql(values, narrowed) + _walked(values, filters) + _rest(values, asker, filters, part)
    most = ROWS.get(part.limit) or bound(values, part.limit) + "::bigint"
    skipped = bound(values, part.offset) + "::bigint"
    read: list[LiteralString] = [text for rows, text in ROWS.items() if part.limit + part.offset <= rows]
    far: LiteralString = read[0] if read else most + " + " + skipped
    # What was updated lately is little: it is found by that, and sorted afterwards.
    is_ordered = filters.updated_after is None
    runs: list[LiteralString] = []
    for run in chosen.runs:
        end: LiteralString = "ORDER BY " + run.order + "\nLIMIT " + far if is_ordered else ""
        runs.append(RUN_HEAD + conditions + run.condition + end + ")\n")
    page: LiteralString = PAGE_HEAD + chosen.order + _of(filters) + seen + "CROSS JOIN LATERAL (\n"
    bounds: LiteralString = ") AS found\nORDER BY place LIMIT " + most + " OFFSET " + skipped + "\n"
    return page + "UNION ALL\n".join(runs) + bounds + PAGE_TAIL, values


def _short_statement(asker: Asker, filters: ListFilter, part: Part) -> tuple[LiteralString, list[object]]:
    """The same where the list is short: all of it is found as PostgreSQL thinks best, and sorted."""
    values: list[object] = [asker.account_id, asker.user_id]
    conditions = narrowings_sql(values, (*visible(asker), *counted(filters), *uncounted(filters)))
    ids = ids_of(alternatives_of(filters.conditions))
    conditions += _filtered(values, filters.conditions) + ("" if ids is None else among(ids, values))
    conditions += _rest(values, asker, filters, part)
    most, skipped = bound(values, part.limit), bound(values, part.offset)
    page: LiteralString = SHORT_PAGE[0] + SORTS[sort_named(part.sort)].order + SHORT_PAGE[1] + _texts_of(filters)
    bounds: LiteralString = "ORDER BY place LIMIT " + most + "::bigint OFFSET " + skipped + "::bigint\n"
    return page + SHORT_PAGE[2] + conditions + bounds + PAGE_TAIL, values


def _rest(values: list[object], asker: Asker, filters: ListFilter, part: Part) -> LiteralString:
    """What no index and no sum knows of."""
    conditions = SHARES[asker.listed]
    conditions += KINDS[filters.kind] if filters.kind else ""
    conditions += ASSIGNEES[filters.assignee] if filters.assignee else ""
    return conditions + ("" if part.behind is None else SORTS[sort_named(part.sort)].behind(values, part.behind))


def _of(filters: ListFilter) -> LiteralString:
    """The statuses that a page shows, as rows."""
    return PAGE_FROM[0] + _texts_of(filters) + PAGE_FROM[1]


def _texts_of(filters: ListFilter) -> LiteralString:
    """The statuses that are wanted; others than ours have no conversations."""
    wanted = STATUSES if filters.status is None else filters.status
    return ", ".join([text for status, text in STATUS_TEXTS.items() if status in wanted])


def _filtered(values: list[object], conditions: Sequence[Condition]) -> LiteralString:
    """The conditions of the filter language, as one."""
    return "  AND (" + conditions_sql(conditions, values) + ")\n" if conditions else ""


def _walked(values: list[object], filters: ListFilter) -> LiteralString:
    """The same for a list that is long, as its counts told.

    PostgreSQL guesses how rare an attribute is, and would rather read everything and sort it. Of a CASE it takes every
    other row to be meant.
    """
    guessed = [condition for condition in filters.conditions if not has_column(condition)]
    if guessed and any(condition.is_alternative for condition in filters.conditions):
        return _guessed(values, filters.conditions)
    known = [condition for condition in filters.conditions if has_column(condition)]
    return _filtered(values, known) + (_guessed(values, guessed) if guessed else "")


def _guessed(values: list[object], conditions: Sequence[Condition]) -> LiteralString:
    return "  AND CASE WHEN " + conditions_sql(conditions, values) + " THEN true END\n"
