"""Making, changing and removing categories."""

from __future__ import annotations

import msgspec

from criachat.help_center import access, rules
from criachat.help_center.errors import CategoryMissing, SlugTaken
from criachat.help_center.models import Category, Portal
from criachat.help_center.queries import categories
from criachat.help_center.schemas import CategoryParams
from criachat.kit.db import Tx


async def create_category(tx: Tx, portal: Portal, params: CategoryParams) -> Category:
    """A new category; no article is in it yet."""
    plain = Category(
        id=0,
        account_id=portal.account_id,
        portal_id=portal.id,
        name="",
        slug="",
        locale=rules.FIRST_LOCALE,
        description=None,
        position=None,
        icon="",
        parent_category_id=None,
        associated_category_id=None,
        related_category_ids=[],
        articles_count=0,
    )
    wanted = msgspec.structs.replace(plain, **rules.sent_of_category(portal, params, is_new=True))
    await _check_others(tx, portal, wanted)
    category_id = await categories.insert_category(tx, wanted)
    if category_id is None:
        raise SlugTaken
    wanted = msgspec.structs.replace(wanted, id=category_id)
    if wanted.related_category_ids:
        await categories.set_related(tx, wanted, wanted.related_category_ids)
    return await access.load_category(tx, portal, category_id)


async def change_category(tx: Tx, portal: Portal, category: Category, params: CategoryParams) -> Category:
    """Change what was sent; its articles are of its language."""
    wanted = msgspec.structs.replace(category, **rules.sent_of_category(portal, params))
    if wanted == category:
        return category
    await _check_others(tx, portal, wanted)
    if not await categories.save_category(tx, wanted):
        raise SlugTaken
    if wanted.related_category_ids != category.related_category_ids:
        await categories.set_related(tx, wanted, wanted.related_category_ids)
    if wanted.locale != category.locale:
        await categories.set_locale_of_articles(tx, wanted)
    return await access.load_category(tx, portal, category.id)


async def delete_category(tx: Tx, category: Category) -> None:
    """Remove it; its articles stay, and belong to none."""
    await categories.delete_category(tx, category)


async def _check_others(tx: Tx, portal: Portal, category: Category) -> None:
    """Refuse to name a category of another portal, or to be one's own parent."""
    others = set(category.shown_ids)
    if not others:
        return
    if category.id in others or await categories.count_categories(tx, portal, sorted(others)) < len(others):
        raise CategoryMissing
