"""The SQL of labels."""

from __future__ import annotations

from criachat.kit import clock
from criachat.kit.db import Db, Tx
from criachat.labels.models import MOST_LABELS_OF_ACCOUNT, Label

LIST_LABELS = """
SELECT id, account_id, title, description, color, show_on_sidebar
FROM labels
WHERE account_id = $1
ORDER BY title
LIMIT $2
"""
FIND_LABEL = """
SELECT id, account_id, title, description, color, show_on_sidebar FROM labels WHERE account_id = $1 AND id = $2
"""
LOCK_LABEL = """
SELECT id, account_id, title, description, color, show_on_sidebar
FROM labels
WHERE account_id = $1 AND id = $2
FOR UPDATE
"""
# Whoever makes one has taken their turn, so that two at once do not both take the last place.
INSERT_LABEL = """
INSERT INTO labels (account_id, title, description, color, show_on_sidebar, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $6
WHERE (SELECT count(*) FROM labels WHERE account_id = $1) < $7
ON CONFLICT (account_id, title) DO NOTHING
RETURNING id, account_id, title, description, color, show_on_sidebar
"""
SAVE_LABEL = """
UPDATE labels
SET title = $3, description = $4, color = $5, show_on_sidebar = $6, version = version + 1,
    updated_at = greatest($7, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
  AND NOT EXISTS (SELECT FROM labels AS other WHERE other.account_id = $1 AND other.title = $3 AND other.id <> $2)
RETURNING id
"""
COUNT_LABELS = "SELECT count(*) FROM labels WHERE account_id = $1"
DELETE_LABEL = "DELETE FROM labels WHERE account_id = $1 AND id = $2"


async def list_labels(db: Db, account_id: int) -> list[Label]:
    """The account's labels by title."""
    return await db.fetch_all(Label, LIST_LABELS, account_id, MOST_LABELS_OF_ACCOUNT)


async def find_label(db: Db, account_id: int, label_id: int) -> Label | None:
    """The label, or None."""
    return await db.fetch_one_or_none(Label, FIND_LABEL, account_id, label_id)


async def lock_label(tx: Tx, account_id: int, label_id: int) -> Label | None:
    """The label, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Label, LOCK_LABEL, account_id, label_id)


async def insert_label(
    tx: Tx, account_id: int, *, title: str, description: str | None, color: str, show_on_sidebar: bool | None
) -> Label | None:
    """A new label; None when the title is taken, or there are as many as there can be."""
    values = (title, description, color, show_on_sidebar, clock.now(), MOST_LABELS_OF_ACCOUNT)
    return await tx.fetch_one_or_none(Label, INSERT_LABEL, account_id, *values)


async def count_labels(db: Db, account_id: int) -> int:
    """How many labels there are."""
    return await db.fetch_value(COUNT_LABELS, account_id)


async def save_label(tx: Tx, label: Label) -> bool:
    """Write what a label became; False when the title is taken."""
    values = (label.title, label.description, label.color, label.show_on_sidebar, clock.now())
    return await tx.fetch_value(SAVE_LABEL, label.account_id, label.id, *values) is not None


async def delete_label(tx: Tx, label: Label) -> None:
    """Remove it."""
    await tx.execute(DELETE_LABEL, label.account_id, label.id)
