"""The SQL of portals."""

from __future__ import annotations

from typing import LiteralString

from criachat.help_center.models import MOST_PORTALS, Portal
from criachat.kit import clock
from criachat.kit.db import Db, Tx

PORTAL: LiteralString = """
SELECT portals.id, portals.account_id, portals.name, portals.slug, portals.color, portals.custom_domain,
    portals.header_text, portals.homepage_link, portals.page_title, portals.archived, portals.allowed_locales,
    portals.default_locale, portals.inbox_id, portals.logo_upload_id, uploads.filename AS logo_filename,
    uploads.content_type AS logo_content_type, portals.version,
    coalesce((SELECT jsonb_object_agg(each.locale, each.number) FROM (
        SELECT locale, count(*) AS number
        FROM articles
        WHERE account_id = $1 AND portal_id = portals.id
        GROUP BY locale
    ) AS each), '{}') AS articles_by_locale,
    coalesce((SELECT jsonb_object_agg(each.locale, each.number) FROM (
        SELECT locale, count(*) AS number
        FROM categories
        WHERE account_id = $1 AND portal_id = portals.id
        GROUP BY locale
    ) AS each), '{}') AS categories_by_locale
FROM portals
LEFT JOIN uploads ON uploads.account_id = $1 AND uploads.id = portals.logo_upload_id
WHERE portals.account_id = $1
"""
LIST_PORTALS: LiteralString = PORTAL + "ORDER BY lower(portals.name), portals.id\nLIMIT $2"
FIND_PORTAL: LiteralString = PORTAL + "  AND portals.slug = $2"
COUNT_PORTALS = "SELECT count(*) FROM portals WHERE account_id = $1"
LOCK_PORTAL = "SELECT id FROM portals WHERE account_id = $1 AND slug = $2 FOR UPDATE"
INSERT_PORTAL = """
INSERT INTO portals (account_id, name, slug, allowed_locales, default_locale, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
"""
SAVE_PORTAL = """
UPDATE portals
SET name = $3, slug = $4, color = $5, custom_domain = $6, header_text = $7, homepage_link = $8, page_title = $9,
    archived = $10, allowed_locales = $11, default_locale = $12, inbox_id = $13, logo_upload_id = $14,
    version = version + 1, updated_at = greatest($15, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
DELETE_PORTAL = "DELETE FROM portals WHERE account_id = $1 AND id = $2"
HAS_OTHER_WITH_LOGO = """
SELECT EXISTS (SELECT FROM portals WHERE account_id = $1 AND logo_upload_id = $2 AND id <> $3)
"""


async def list_portals(db: Db, account_id: int) -> list[Portal]:
    """The account's portals by name."""
    return await db.fetch_all(Portal, LIST_PORTALS, account_id, MOST_PORTALS)


async def count_portals(db: Db, account_id: int) -> int:
    """How many portals the account has."""
    return await db.fetch_value(COUNT_PORTALS, account_id)


async def find_portal(db: Db, account_id: int, slug: str) -> Portal | None:
    """The account's portal with this slug, or None."""
    return await db.fetch_one_or_none(Portal, FIND_PORTAL, account_id, slug)


async def lock_portal(tx: Tx, account_id: int, slug: str) -> None:
    """Keep others from changing the portal and what is in it until the transaction ends."""
    await tx.fetch_value(LOCK_PORTAL, account_id, slug)


async def insert_portal(
    tx: Tx, account_id: int, *, name: str, slug: str, allowed_locales: list[str], default_locale: str
) -> None:
    """A new portal with everything else at its default."""
    await tx.execute(INSERT_PORTAL, account_id, name, slug, allowed_locales, default_locale, clock.now())


async def save_portal(tx: Tx, portal: Portal) -> None:
    """Write what a portal became."""
    await tx.execute(
        SAVE_PORTAL,
        portal.account_id,
        portal.id,
        portal.name,
        portal.slug,
        portal.color,
        portal.custom_domain,
        portal.header_text,
        portal.homepage_link,
        portal.page_title,
        portal.archived,
        portal.allowed_locales,
        portal.default_locale,
        portal.inbox_id,
        portal.logo_upload_id,
        clock.now(),
    )


async def delete_portal(tx: Tx, portal: Portal) -> None:
    """Remove it with all that is in it."""
    await tx.execute(DELETE_PORTAL, portal.account_id, portal.id)


async def has_other_with_logo(db: Db, portal: Portal) -> bool:
    """Whether another portal shows the same picture."""
    return await db.fetch_value(HAS_OTHER_WITH_LOGO, portal.account_id, portal.logo_upload_id, portal.id)
