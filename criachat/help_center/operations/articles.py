"""Writing, changing and ordering articles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.help_center import access, rules
from criachat.help_center.errors import ArticleMissing, AuthorMissing, CategoryMissing, SlugTaken
from criachat.help_center.models import DRAFT, LAST_POSITION, STEP, Article, Portal
from criachat.help_center.queries import articles, categories
from criachat.help_center.schemas import ArticleParams
from criachat.kit import clock, tokens
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import Unprocessable
from criachat.kit.http.binding import id_of
from criachat.users import access as users

UNIQUE_LENGTH = 6


async def create_article(tx: Tx, portal: Portal, params: ArticleParams, *, actor: Actor) -> Article:
    """A new article, at the end of its category. Without a slug of its own it gets one made of time and title."""
    sent = rules.sent_of_article(params, is_new=True)
    title = sent["title"]
    plain = Article(
        id=0,
        account_id=portal.account_id,
        portal_id=portal.id,
        category_id=None,
        category_name=None,
        category_slug=None,
        category_locale=None,
        author_id=None,
        associated_article_id=None,
        title=title,
        slug=f"{int(clock.unix())}-{rules.in_dashes(title)}",
        content=sent["content"],
        description=None,
        status=DRAFT,
        position=None,
        locale=portal.default_locale,
        meta={},
        views=None,
        version=1,
        updated_at=clock.now(),
    )
    wanted = await _changed(tx, portal, plain, sent, params, actor=actor)
    if params.position is UNSET or params.position is None:
        wanted = msgspec.structs.replace(wanted, position=await _end(tx, portal, wanted.category_id))
    article_id = await articles.insert_article(tx, wanted)
    if article_id is None and params.slug in (UNSET, None, ""):
        slug = f"{plain.slug}-{tokens.random_token(UNIQUE_LENGTH).lower()}"
        article_id = await articles.insert_article(tx, msgspec.structs.replace(wanted, slug=slug))
    if article_id is None:
        raise SlugTaken
    return await access.load_article(tx, portal, article_id)


async def change_article(tx: Tx, portal: Portal, article: Article, params: ArticleParams, *, actor: Actor) -> Article:
    """Change what was sent. In another category it comes last."""
    sent = rules.sent_of_article(params)
    wanted = await _changed(tx, portal, article, sent, params, actor=actor)
    if wanted.category_id != article.category_id and params.position in (UNSET, None):
        wanted = msgspec.structs.replace(wanted, position=await _end(tx, portal, wanted.category_id))
    if wanted == article:
        return article
    if not await articles.save_article(tx, wanted):
        raise SlugTaken
    if wanted.associated_article_id is not None and wanted.associated_article_id != article.associated_article_id:
        await articles.set_root(tx, article, wanted.associated_article_id)
    return await access.load_article(tx, portal, article.id)


async def delete_article(tx: Tx, article: Article) -> None:
    """Remove it; its translations stay."""
    await articles.delete_article(tx, article)


async def reorder(tx: Tx, portal: Portal, positions: Mapping[str, int]) -> None:
    """Put articles of the portal where it is said; ids of no article of it say nothing."""
    ids = {text: id_of(text) for text in positions}
    if None in ids.values():
        raise Unprocessable("positions_hash has something for a key that is no article's id")
    await articles.set_positions(tx, portal, {number: positions[text] for text, number in ids.items() if number})


async def _changed(
    tx: Tx, portal: Portal, article: Article, plain: Mapping[str, Any], params: ArticleParams, *, actor: Actor
) -> Article:
    sent = dict(plain)
    if "author_id" in sent:
        await _check_author(tx, actor, sent["author_id"])
    if params.associated_article_id is not UNSET:
        sent["associated_article_id"] = await _root(tx, portal, article, params.associated_article_id)
    category_id = article.category_id
    if params.category_id is not UNSET:
        category_id = sent["category_id"] = params.category_id or None
    if category_id is not None and (params.category_id is not UNSET or params.locale is not UNSET):
        sent["locale"] = await _locale_of_category(tx, portal, category_id)
    elif params.locale is not UNSET and params.locale:
        sent["locale"] = rules.locale_of(portal, params.locale)
    return msgspec.structs.replace(article, **sent)


async def _check_author(tx: Tx, actor: Actor, user_id: int) -> None:
    if await users.find_colleague(tx, actor, user_id) is None:
        raise AuthorMissing


async def _root(tx: Tx, portal: Portal, article: Article, article_id: int | None) -> int | None:
    """The article at the root of the group of translations that this one is to belong to; id 0 is none."""
    if not article_id:
        return None
    other = await articles.find_article(tx, portal, article_id)
    if other is None or other.id == article.id:
        raise ArticleMissing
    # Of two translations of each other, the one that was there first stays the root.
    return article.associated_article_id if other.root_id == article.id else other.root_id


async def _locale_of_category(tx: Tx, portal: Portal, category_id: int) -> str:
    found = await categories.list_categories_by_id(tx, portal, [category_id])
    if not found:
        raise CategoryMissing
    return found[0].locale


async def _end(tx: Tx, portal: Portal, category_id: int | None) -> int:
    return min(await articles.find_last_position(tx, portal, category_id) + STEP, LAST_POSITION)
