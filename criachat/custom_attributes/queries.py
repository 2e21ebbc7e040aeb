"""The SQL of definitions of custom attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.custom_attributes.models import MOST_DEFINITIONS, AttributeModel, Definition
from criachat.kit import clock
from criachat.kit.db import Db, Tx

COLUMNS: LiteralString = """
    account_id, id, attribute_model, attribute_key, attribute_display_name, attribute_display_type,
    attribute_description, attribute_values, regex_pattern, regex_cue, created_at, updated_at
"""
LIST_DEFINITIONS: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM custom_attribute_definitions
WHERE account_id = $1 AND ($2::text IS NULL OR attribute_model = $2)
ORDER BY id
LIMIT $3
"""
)
LIST_DEFINITIONS_BY_KEY: LiteralString = (
    "SELECT"
    + COLUMNS
    + """FROM custom_attribute_definitions
WHERE account_id = $1 AND attribute_model = $2 AND attribute_key = ANY($3::text[])
"""
)
FIND_DEFINITION: LiteralString = (
    "SELECT" + COLUMNS + "FROM custom_attribute_definitions WHERE account_id = $1 AND id = $2"
)
LOCK_DEFINITION: LiteralString = FIND_DEFINITION + " FOR UPDATE"
COUNT_DEFINITIONS = "SELECT count(*) FROM custom_attribute_definitions WHERE account_id = $1"
INSERT_DEFINITION: LiteralString = (
    """
INSERT INTO custom_attribute_definitions (account_id, attribute_model, attribute_key, attribute_display_name,
    attribute_display_type, attribute_description, attribute_values, regex_pattern, regex_cue, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT (account_id, attribute_model, attribute_key) DO NOTHING
RETURNING"""
    + COLUMNS
)
SAVE_DEFINITION: LiteralString = (
    """
UPDATE custom_attribute_definitions AS definition
SET attribute_model = $3, attribute_key = $4, attribute_display_name = $5, attribute_display_type = $6,
    attribute_description = $7, attribute_values = $8, regex_pattern = $9, regex_cue = $10, version = version + 1,
    updated_at = greatest($11, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
  AND NOT EXISTS (
      SELECT FROM custom_attribute_definitions AS other
      WHERE other.account_id = $1 AND other.attribute_model = $3 AND other.attribute_key = $4 AND other.id <> $2
  )
RETURNING"""
    + COLUMNS
)
DELETE_DEFINITION = "DELETE FROM custom_attribute_definitions WHERE account_id = $1 AND id = $2"


async def list_definitions(db: Db, account_id: int, model: AttributeModel | None) -> list[Definition]:
    """The extra fields of one model, or of all, the oldest first."""
    return await db.fetch_all(Definition, LIST_DEFINITIONS, account_id, model, MOST_DEFINITIONS)


async def count_definitions(db: Db, account_id: int) -> int:
    """How many extra fields the account has."""
    return await db.fetch_value(COUNT_DEFINITIONS, account_id)


async def list_definitions_by_key(
    db: Db, account_id: int, model: AttributeModel, keys: Sequence[str]
) -> list[Definition]:
    """The extra fields with these keys."""
    return await db.fetch_all(Definition, LIST_DEFINITIONS_BY_KEY, account_id, model, keys)


async def find_definition(db: Db, account_id: int, definition_id: int) -> Definition | None:
    """The extra field, or None."""
    return await db.fetch_one_or_none(Definition, FIND_DEFINITION, account_id, definition_id)


async def lock_definition(tx: Tx, account_id: int, definition_id: int) -> Definition | None:
    """The extra field, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Definition, LOCK_DEFINITION, account_id, definition_id)


async def insert_definition(tx: Tx, wanted: Definition) -> Definition | None:
    """A new extra field; None when its key is taken."""
    values = _values(wanted)
    return await tx.fetch_one_or_none(Definition, INSERT_DEFINITION, wanted.account_id, *values, clock.now())


async def save_definition(tx: Tx, changed: Definition) -> Definition | None:
    """Write what an extra field became; None when its key is taken."""
    key = (changed.account_id, changed.id)
    return await tx.fetch_one_or_none(Definition, SAVE_DEFINITION, *key, *_values(changed), clock.now())


async def delete_definition(tx: Tx, definition: Definition) -> None:
    """Remove it."""
    await tx.execute(DELETE_DEFINITION, definition.account_id, definition.id)


def _values(definition: Definition) -> tuple[object, ...]:
    return (
        definition.attribute_model,
        definition.attribute_key,
        definition.attribute_display_name,
        definition.attribute_display_type,
        definition.attribute_description,
        definition.attribute_values,
        definition.regex_pattern,
        definition.regex_cue,
    )
