"""The SQL of categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from criachat.help_center.models import Category, Portal
from criachat.kit import clock
from criachat.kit.db import Db, Tx

PAGE = 1000

# $3 is the language whose articles are counted, null for all of them.
CATEGORY: LiteralString = """
SELECT categories.id, categories.account_id, categories.portal_id, categories.name, categories.slug, categories.locale,
    categories.description, categories.position, categories.icon, categories.parent_category_id,
    categories.associated_category_id,
    ARRAY(
        SELECT related_category_id FROM related_categories
        WHERE account_id = $1 AND category_id = categories.id ORDER BY related_category_id
    ) AS related_category_ids,
    (
        SELECT count(*) FROM articles
        WHERE account_id = $1 AND category_id = categories.id AND ($3::text IS NULL OR locale = $3)
    ) AS articles_count
FROM categories
WHERE categories.account_id = $1 AND categories.portal_id = $2
"""
LIST_CATEGORIES: LiteralString = (
    CATEGORY
    + """
  AND ($3::text IS NULL OR categories.locale = $3)
ORDER BY categories.position, categories.id
LIMIT $4 OFFSET $5
"""
)
LIST_CATEGORIES_BY_ID: LiteralString = CATEGORY + "  AND categories.id = ANY($4::bigint[])"
COUNT_CATEGORIES = "SELECT count(*) FROM categories WHERE account_id = $1 AND portal_id = $2 AND id = ANY($3::bigint[])"
INSERT_CATEGORY = """
INSERT INTO categories (account_id, portal_id, name, slug, locale, description, position, icon, parent_category_id,
    associated_category_id, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
ON CONFLICT (account_id, portal_id, locale, slug) DO NOTHING
RETURNING id
"""
SAVE_CATEGORY = """
UPDATE categories
SET name = $3, slug = $4, locale = $5, description = $6, position = $7, icon = $8, parent_category_id = $9,
    associated_category_id = $10, version = version + 1,
    updated_at = greatest($11, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
  AND NOT EXISTS (
      SELECT FROM categories AS other
      WHERE other.account_id = $1 AND other.portal_id = categories.portal_id AND other.locale = $5 AND other.slug = $4
        AND other.id <> $2
  )
RETURNING id
"""
DELETE_RELATED = "DELETE FROM related_categories WHERE account_id = $1 AND category_id = $2"
INSERT_RELATED = """
INSERT INTO related_categories (account_id, category_id, related_category_id)
SELECT $1, $2, related.id FROM unnest($3::bigint[]) AS related (id)
"""
DELETE_CATEGORY = "DELETE FROM categories WHERE account_id = $1 AND id = $2"
SET_LOCALE_OF_ARTICLES = """
UPDATE articles
SET locale = $3, version = version + 1, updated_at = greatest($4, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND category_id = $2 AND locale <> $3
"""


async def list_categories(db: Db, portal: Portal, *, locale: str | None, page: int) -> list[Category]:
    """A page of the portal's categories, in order."""
    key = portal.account_id, portal.id
    return await db.fetch_all(Category, LIST_CATEGORIES, *key, locale, PAGE, (page - 1) * PAGE)


async def list_categories_by_id(db: Db, portal: Portal, category_ids: Sequence[int]) -> list[Category]:
    """Those of these categories that the portal has."""
    return await db.fetch_all(Category, LIST_CATEGORIES_BY_ID, portal.account_id, portal.id, None, category_ids)


async def count_categories(db: Db, portal: Portal, category_ids: Sequence[int]) -> int:
    """How many of these categories the portal has."""
    return await db.fetch_value(COUNT_CATEGORIES, portal.account_id, portal.id, category_ids)


async def insert_category(tx: Tx, category: Category) -> int | None:
    """A new category, its id; None when the slug is taken in its language."""
    return await tx.fetch_value(
        INSERT_CATEGORY, category.account_id, category.portal_id, *_values(category), clock.now()
    )


async def save_category(tx: Tx, category: Category) -> bool:
    """Write what a category became; False when the slug is taken in its language."""
    values = (*_values(category), clock.now())
    return await tx.fetch_value(SAVE_CATEGORY, category.account_id, category.id, *values) is not None


async def set_related(tx: Tx, category: Category, related_ids: Sequence[int]) -> None:
    """Name these categories as related, and no others."""
    await tx.execute(DELETE_RELATED, category.account_id, category.id)
    await tx.execute(INSERT_RELATED, category.account_id, category.id, sorted(set(related_ids)))


async def set_locale_of_articles(tx: Tx, category: Category) -> None:
    """Have its articles be of its language."""
    await tx.execute(SET_LOCALE_OF_ARTICLES, category.account_id, category.id, category.locale, clock.now())


async def delete_category(tx: Tx, category: Category) -> None:
    """Remove it; its articles belong to no category then."""
    await tx.execute(DELETE_CATEGORY, category.account_id, category.id)


def _values(category: Category) -> tuple[object, ...]:
    return (
        category.name,
        category.slug,
        category.locale,
        category.description,
        category.position,
        category.icon,
        category.parent_category_id,
        category.associated_category_id,
    )
