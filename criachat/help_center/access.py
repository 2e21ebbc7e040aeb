"""The ways to get what is in a help centre on somebody's behalf."""

from __future__ import annotations

from criachat.help_center.models import Article, Category, Portal
from criachat.help_center.queries import articles, categories, portals
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound, existing


async def load_portal(db: Db, actor: Actor, slug: str) -> Portal:
    """The account's portal with this slug."""
    return existing(await portals.find_portal(db, actor.account_id, slug))


async def load_portal_to_change(tx: Tx, actor: Actor, slug: str) -> Portal:
    """The portal; nobody else changes it, nor what is in it, before this transaction ends."""
    await portals.lock_portal(tx, actor.account_id, slug)
    return await load_portal(tx, actor, slug)


async def load_category(db: Db, portal: Portal, category_id: int) -> Category:
    """The category of the portal."""
    found = await categories.list_categories_by_id(db, portal, [category_id])
    if not found:
        raise NotFound
    return found[0]


async def load_article(db: Db, portal: Portal, article_id: int) -> Article:
    """The article of the portal."""
    return existing(await articles.find_article(db, portal, article_id))
