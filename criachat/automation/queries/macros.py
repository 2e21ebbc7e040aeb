"""The SQL of macros, and of those that are being executed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from criachat.automation.models import MOST_MACROS, Macro, MacroRun
from criachat.kit import clock
from criachat.kit.db import Db, Tx

LIST_MACROS = """
SELECT id, account_id, name, visibility, created_by_id, updated_by_id, actions
FROM macros
WHERE account_id = $1 AND (visibility = 'global' OR created_by_id = $2)
ORDER BY id
LIMIT $3
"""
FIND_MACRO = """
SELECT id, account_id, name, visibility, created_by_id, updated_by_id, actions
FROM macros
WHERE account_id = $1 AND id = $2
"""
LOCK_MACRO = """
SELECT id, account_id, name, visibility, created_by_id, updated_by_id, actions
FROM macros
WHERE account_id = $1 AND id = $2
FOR UPDATE
"""
# Whoever makes one has taken their turn, so that two at once do not both take the last place.
INSERT_MACRO = """
INSERT INTO macros (account_id, name, visibility, created_by_id, updated_by_id, actions, created_at, updated_at)
SELECT $1, $2, $3, $4, $4, $5, $6, $6
WHERE (SELECT count(*) FROM macros WHERE account_id = $1) < $7
RETURNING id, account_id, name, visibility, created_by_id, updated_by_id, actions
"""
SAVE_MACRO = """
UPDATE macros
SET name = $3, visibility = $4, updated_by_id = $5, actions = $6, version = version + 1,
    updated_at = greatest($7, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
DELETE_MACRO = "DELETE FROM macros WHERE account_id = $1 AND id = $2"

INSERT_RUNS = """
INSERT INTO macro_runs (account_id, macro_id, macro_name, actions, actor, display_id, created_at)
SELECT $1, $2, $3, $4, $5, display_id, $7 FROM unnest($6::bigint[]) AS display_id
RETURNING id
"""
FIND_RUN = """
SELECT account_id, id, macro_id, macro_name, actions, actor, display_id, done, skipped
FROM macro_runs
WHERE account_id = $1 AND id = $2
"""
# Whoever takes a step holds the row: of two workers the second finds it taken.
TAKE_STEP = """
UPDATE macro_runs SET done = $3 + 1 WHERE account_id = $1 AND id = $2 AND done = $3
RETURNING id
"""
ADD_SKIPPED = "UPDATE macro_runs SET skipped = skipped || $3 WHERE account_id = $1 AND id = $2"
END_RUN = """
DELETE FROM macro_runs WHERE account_id = $1 AND id = $2
RETURNING account_id, id, macro_id, macro_name, actions, actor, display_id, done, skipped
"""
# Across accounts: whatever nobody goes on with, in batches. There are few, and none that is being executed is so old.
DELETE_LOST_RUNS = """
DELETE FROM macro_runs WHERE (account_id, id) IN (
    SELECT account_id, id FROM macro_runs WHERE created_at < $1 LIMIT $2
)
"""


async def list_macros(db: Db, account_id: int, user_id: int | None) -> list[Macro]:
    """Those of everybody, and those of this person, oldest first."""
    return await db.fetch_all(Macro, LIST_MACROS, account_id, user_id, MOST_MACROS)


async def find_macro(db: Db, account_id: int, macro_id: int) -> Macro | None:
    """The macro, or None."""
    return await db.fetch_one_or_none(Macro, FIND_MACRO, account_id, macro_id)


async def lock_macro(tx: Tx, account_id: int, macro_id: int) -> Macro | None:
    """The macro, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Macro, LOCK_MACRO, account_id, macro_id)


async def insert_macro(tx: Tx, macro: Macro) -> Macro | None:
    """A new macro; None when the account has as many as it can have."""
    values = (macro.name, macro.visibility, macro.created_by_id, macro.actions, clock.now(), MOST_MACROS)
    return await tx.fetch_one_or_none(Macro, INSERT_MACRO, macro.account_id, *values)


async def save_macro(tx: Tx, macro: Macro) -> None:
    """Write what a macro became."""
    values = (macro.name, macro.visibility, macro.updated_by_id, macro.actions, clock.now())
    await tx.execute(SAVE_MACRO, macro.account_id, macro.id, *values)


async def delete_macro(tx: Tx, macro: Macro) -> None:
    """Remove it."""
    await tx.execute(DELETE_MACRO, macro.account_id, macro.id)


async def insert_runs(tx: Tx, macro: Macro, actor: dict[str, Any], display_ids: Sequence[int]) -> list[int]:
    """Write down that the macro is to be executed in these conversations; the ids of its runs."""
    values = (macro.id, macro.name, macro.actions, actor, display_ids, clock.now())
    return await tx.fetch_values(INSERT_RUNS, macro.account_id, *values)


async def find_run(db: Db, account_id: int, run_id: int) -> MacroRun | None:
    """The run, unless it is over."""
    return await db.fetch_one_or_none(MacroRun, FIND_RUN, account_id, run_id)


async def take_step(tx: Tx, run: MacroRun, step: int) -> bool:
    """Be the one who does this action; False when it is done, or the run over."""
    return await tx.fetch_value(TAKE_STEP, run.account_id, run.id, step) is not None


async def add_skipped(tx: Tx, run: MacroRun, text: str) -> None:
    """Remember an action that could not be done."""
    await tx.execute(ADD_SKIPPED, run.account_id, run.id, [text])


async def end_run(tx: Tx, run: MacroRun) -> MacroRun | None:
    """The run as it ended; None when somebody else ended it."""
    return await tx.fetch_one_or_none(MacroRun, END_RUN, run.account_id, run.id)


async def delete_lost_runs(tx: Tx, before: datetime, *, limit: int) -> int:
    """Forget runs that began before this and never ended; how many it were."""
    return await tx.execute(DELETE_LOST_RUNS, before, limit)
