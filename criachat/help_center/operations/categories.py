"""Making, changing and removing categories."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from criachat.help_center import access, rules
from criachat.help_center.errors import CategoryMissing, SlugTaken
from criachat.help_center.models import Category, Portal
from criachat.help_center.queries import categories
from criachat.help_center.schemas import CategoryParams
from criachat.kit.db import Tx

FIRST_LOCALE = "en"


async def create_category(tx: Tx, portal: Portal, params: CategoryParams) -> Category:
    """A new category; no article is in it yet."""
    plain = Category(
        id=0,
        account_id=portal.account_id,
        portal_id=portal.id,
        name=rules.needed("name", params.name),
        slug=rules.slug_of(params.slug),
        locale=FIRST_LOCALE,
        description=None,
        position=None,
        icon="",
        parent_category_id=None,
        associated_category_id=None,
        related_category_ids=[],
        articles_count=0,
    )
    wanted = _changed(portal, plain, params, locale=params.locale or FIRST_LOCALE)
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
    wanted = _changed(portal, category, params, locale=params.locale or None)
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


def _changed(portal: Portal, category: Category, params: CategoryParams, *, locale: str | None) -> Category:
    sent: dict[str, Any] = {}
    if params.name is not UNSET:
        sent["name"] = rules.needed("name", params.name)
    if params.slug is not UNSET:
        sent["slug"] = rules.slug_of(params.slug)
    if locale is not None:
        sent["locale"] = rules.locale_of(portal, locale)
    if params.icon is not UNSET:
        sent["icon"] = params.icon or ""
    if params.related_category_ids:
        sent["related_category_ids"] = sorted(set(params.related_category_ids))
    for name in ("description", "position", "parent_category_id", "associated_category_id"):
        if (value := getattr(params, name)) is not UNSET:
            sent[name] = value
    return msgspec.structs.replace(category, **sent)


async def _check_others(tx: Tx, portal: Portal, category: Category) -> None:
    """Refuse to name a category of another portal, or to be one's own parent."""
    others = set(category.shown_ids)
    if not others:
        return
    if category.id in others or await categories.count_categories(tx, portal, sorted(others)) < len(others):
        raise CategoryMissing
