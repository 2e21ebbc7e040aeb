"""The SQL of articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

from criachat.help_center.models import Article, ArticleCounts, ArticleFilter, Portal
from criachat.kit import clock
from criachat.kit.db import Db, Tx

PAGE = 25
MOST_TRANSLATIONS = 1000

ARTICLE: LiteralString = """
SELECT articles.id, articles.account_id, articles.portal_id, articles.category_id, categories.name AS category_name,
    categories.slug AS category_slug, categories.locale AS category_locale, articles.author_id,
    articles.associated_article_id, articles.title, articles.slug, articles.content, articles.description,
    articles.status, articles.position, articles.locale, articles.meta, articles.views, articles.version,
    articles.updated_at
FROM articles
LEFT JOIN categories ON categories.account_id = $1 AND categories.id = articles.category_id
WHERE articles.account_id = $1 AND articles.portal_id = $2
"""
FITTING: LiteralString = """
  AND ($3::text IS NULL OR articles.locale = $3)
  AND ($4::text IS NULL OR articles.words @@ to_tsquery('simple', $4))
  AND ($5::text IS NULL OR categories.slug = $5)
"""
OF_PAGE: LiteralString = """
  AND ($6::smallint IS NULL OR articles.status = $6)
  AND ($7::bigint IS NULL OR articles.author_id = $7)
"""
LIST_NEWEST: LiteralString = (
    ARTICLE + FITTING + OF_PAGE + "ORDER BY articles.updated_at DESC, articles.id DESC\nLIMIT $8 OFFSET $9"
)
LIST_IN_ORDER: LiteralString = (
    ARTICLE + FITTING + OF_PAGE + "ORDER BY articles.position, articles.id\nLIMIT $8 OFFSET $9"
)
# $6 is who asks.
COUNT_ARTICLES: LiteralString = (
    """
SELECT (SELECT count(*) FROM articles AS every WHERE every.account_id = $1 AND every.portal_id = $2) AS everything,
    count(*) AS found, count(*) FILTER (WHERE articles.status = 0) AS drafts,
    count(*) FILTER (WHERE articles.status = 1) AS published,
    count(*) FILTER (WHERE articles.status = 2) AS archived,
    count(*) FILTER (WHERE articles.author_id = $6) AS mine
FROM articles
LEFT JOIN categories ON categories.account_id = $1 AND categories.id = articles.category_id
WHERE articles.account_id = $1 AND articles.portal_id = $2
"""
    + FITTING
)
FIND_ARTICLE: LiteralString = ARTICLE + "  AND articles.id = $3"
LIST_TRANSLATIONS: LiteralString = (
    ARTICLE
    + """
  AND (articles.id = ANY($3::bigint[]) OR articles.associated_article_id = ANY($3::bigint[]))
ORDER BY articles.id
LIMIT $4
"""
)
FIND_LAST_POSITION = """
SELECT coalesce(max(position), 0)
FROM articles
WHERE account_id = $1 AND portal_id = $2 AND category_id IS NOT DISTINCT FROM $3
"""
INSERT_ARTICLE = """
INSERT INTO articles (account_id, portal_id, category_id, author_id, associated_article_id, title, slug, content,
    description, status, position, locale, meta, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
ON CONFLICT (account_id, portal_id, slug) DO NOTHING
RETURNING id
"""
SAVE_ARTICLE = """
UPDATE articles
SET category_id = $3, author_id = $4, associated_article_id = $5, title = $6, slug = $7, content = $8,
    description = $9, status = $10, position = $11, locale = $12, meta = $13, version = version + 1,
    updated_at = greatest($14, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
  AND NOT EXISTS (
      SELECT FROM articles AS other
      WHERE other.account_id = $1 AND other.portal_id = articles.portal_id AND other.slug = $7 AND other.id <> $2
  )
RETURNING id
"""
# A group of translations keeps its root, whichever of it is moved under another.
SET_ROOT = """
UPDATE articles SET associated_article_id = $3
WHERE account_id = $1 AND associated_article_id = $2
"""
SET_POSITIONS = """
UPDATE articles
SET position = new.position, version = version + 1,
    updated_at = greatest($5, updated_at + interval '1 millisecond')
FROM unnest($3::bigint[], $4::integer[]) AS new (id, position)
WHERE articles.account_id = $1 AND articles.portal_id = $2 AND articles.id = new.id
  AND articles.position IS DISTINCT FROM new.position
"""
DELETE_ARTICLE = "DELETE FROM articles WHERE account_id = $1 AND id = $2"


async def list_articles(db: Db, portal: Portal, filters: ArticleFilter, *, page: int) -> list[Article]:
    """A page of articles: in their order within a category, else those that were changed last."""
    sql = LIST_NEWEST if filters.category_slug is None else LIST_IN_ORDER
    values = (*_fitting(filters), filters.status, filters.author_id, PAGE, (page - 1) * PAGE)
    return await db.fetch_all(Article, sql, portal.account_id, portal.id, *values)


async def count_articles(db: Db, portal: Portal, filters: ArticleFilter, *, user_id: int | None) -> ArticleCounts:
    """How many articles fit, by what became of them, and how many the person wrote."""
    key = portal.account_id, portal.id
    return await db.fetch_one(ArticleCounts, COUNT_ARTICLES, *key, *_fitting(filters), user_id)


async def find_article(db: Db, portal: Portal, article_id: int) -> Article | None:
    """The article of the portal, or None."""
    return await db.fetch_one_or_none(Article, FIND_ARTICLE, portal.account_id, portal.id, article_id)


async def list_translations(db: Db, portal: Portal, root_ids: Sequence[int]) -> list[Article]:
    """These articles and all their translations."""
    values = (root_ids, MOST_TRANSLATIONS)
    return await db.fetch_all(Article, LIST_TRANSLATIONS, portal.account_id, portal.id, *values)


async def find_last_position(db: Db, portal: Portal, category_id: int | None) -> int:
    """The highest position in a category, or of what is in none."""
    return await db.fetch_value(FIND_LAST_POSITION, portal.account_id, portal.id, category_id)


async def insert_article(tx: Tx, article: Article) -> int | None:
    """A new article, its id; None when the slug is taken."""
    values = (*_values(article), clock.now())
    return await tx.fetch_value(INSERT_ARTICLE, article.account_id, article.portal_id, *values)


async def save_article(tx: Tx, article: Article) -> bool:
    """Write what an article became; False when the slug is taken."""
    values = (*_values(article), clock.now())
    return await tx.fetch_value(SAVE_ARTICLE, article.account_id, article.id, *values) is not None


async def set_root(tx: Tx, article: Article, root_id: int) -> None:
    """Have what translates this article translate another one."""
    await tx.execute(SET_ROOT, article.account_id, article.id, root_id)


async def set_positions(tx: Tx, portal: Portal, positions: Mapping[int, int]) -> None:
    """Put the portal's articles into this order; ids of others say nothing."""
    ids = sorted(positions)
    values = (ids, [positions[each] for each in ids], clock.now())
    await tx.execute(SET_POSITIONS, portal.account_id, portal.id, *values)


async def delete_article(tx: Tx, article: Article) -> None:
    """Remove it; its translations stay."""
    await tx.execute(DELETE_ARTICLE, article.account_id, article.id)


def _fitting(filters: ArticleFilter) -> tuple[object, ...]:
    return filters.locale, filters.words, filters.category_slug


def _values(article: Article) -> tuple[object, ...]:
    return (
        article.category_id,
        article.author_id,
        article.associated_article_id,
        article.title,
        article.slug,
        article.content,
        article.description,
        article.status,
        article.position,
        article.locale,
        article.meta,
    )
