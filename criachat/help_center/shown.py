"""Help centres as people of the account see them: the rows, and what has to be read along with them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from criachat.help_center.models import STATUSES, Article, ArticleCounts, Category, Portal
from criachat.help_center.queries import articles, categories
from criachat.help_center.schemas import (
    ArticleCategoryOut,
    ArticleOut,
    CategoryMetaOut,
    CategoryOut,
    CategorySlimOut,
    ConfigOut,
    LocaleOut,
    LogoOut,
    PortalMetaOut,
    PortalOut,
    TranslationOut,
)
from criachat.inboxes import access as inboxes
from criachat.inboxes.schemas import InboxOut, InboxSlimOut
from criachat.inboxes.shown import ShownInboxes, inbox_beside_out
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.files import Blob, Files
from criachat.kit.times import unix
from criachat.users import access as users
from criachat.users.models import Colleague
from criachat.users.schemas import AgentOut, agent_out
from criachat.users.shown import Shown

NOTHING_COUNTED = ArticleCounts(everything=0, found=0, drafts=0, published=0, archived=0, mine=0)


async def portals_out(
    db: Db, actor: Actor, shown: ShownInboxes, found: Sequence[Portal], counts: ArticleCounts = NOTHING_COUNTED
) -> list[PortalOut]:
    """The portals with their inboxes; the articles of each status are counted where one portal is shown alone."""
    wanted = {portal.inbox_id for portal in found if portal.inbox_id is not None}
    known = await inboxes.list_inboxes_by_id(db, actor.account_id, sorted(wanted)) if wanted else []
    shown_inboxes = {each.id: inbox_beside_out(each, shown, actor=actor) for each in known}
    return [_portal_out(portal, shown.files, shown_inboxes, counts) for portal in found]


def _portal_out(
    portal: Portal, files: Files, shown_inboxes: dict[int, InboxOut | InboxSlimOut], counts: ArticleCounts
) -> PortalOut:
    return PortalOut(
        id=portal.id,
        color=portal.color,
        custom_domain=portal.custom_domain,
        header_text=portal.header_text,
        homepage_link=portal.homepage_link,
        name=portal.name,
        page_title=portal.page_title,
        slug=portal.slug,
        archived=portal.archived,
        account_id=portal.account_id,
        config=ConfigOut(
            allowed_locales=[
                LocaleOut(
                    code=code,
                    articles_count=portal.articles_by_locale.get(code, 0),
                    categories_count=portal.categories_by_locale.get(code, 0),
                )
                for code in portal.allowed_locales
            ]
        ),
        meta=PortalMetaOut(
            all_articles_count=counts.found,
            archived_articles_count=counts.archived,
            published_count=counts.published,
            draft_articles_count=counts.drafts,
            mine_articles_count=counts.mine or UNSET,
            categories_count=sum(portal.categories_by_locale.values()),
            default_locale=portal.default_locale,
        ),
        inbox=shown_inboxes.get(portal.inbox_id or 0, UNSET),
        logo=_logo_out(portal, files),
    )


def _logo_out(portal: Portal, files: Files) -> LogoOut | UnsetType:
    if portal.logo_upload_id is None:
        return UNSET
    signed_id = files.signed_id(Blob(portal.account_id, portal.logo_upload_id), purpose="upload")
    filename = portal.logo_filename or ""
    return LogoOut(
        id=portal.logo_upload_id,
        portal_id=portal.id,
        file_type=portal.logo_content_type or "",
        account_id=portal.account_id,
        file_url=files.upload_url(signed_id, filename),
        blob_id=signed_id,
        filename=filename,
    )


async def categories_out(db: Db, portal: Portal, found: Sequence[Category]) -> list[CategoryOut]:
    """The categories with those they name."""
    known = {category.id: category for category in found}
    missing = {each for category in found for each in category.shown_ids} - known.keys()
    if missing:
        others = await categories.list_categories_by_id(db, portal, sorted(missing))
        known |= {category.id: category for category in others}
    return [_category_out(category, known) for category in found]


def _category_out(category: Category, known: dict[int, Category]) -> CategoryOut:
    parent, root = known.get(category.parent_category_id or 0), known.get(category.associated_category_id or 0)
    related = [_slim_out(known[each]) for each in category.related_category_ids if each in known]
    return CategoryOut(
        **msgspec.structs.asdict(_slim_out(category)),
        icon=category.icon,
        meta=CategoryMetaOut(articles_count=category.articles_count),
        related_categories=related or UNSET,
        parent_category=UNSET if parent is None else _slim_out(parent),
        root_category=UNSET if root is None else _slim_out(root),
    )


def _slim_out(category: Category) -> CategorySlimOut:
    return CategorySlimOut(
        id=category.id,
        name=category.name,
        slug=category.slug,
        locale=category.locale,
        description=category.description,
        position=category.position,
        account_id=category.account_id,
    )


async def articles_out(
    db: Db, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, portal: Portal, found: Sequence[Article]
) -> list[ArticleOut]:
    """The articles with their authors and translations."""
    groups = await articles.list_translations(db, portal, sorted({each.root_id for each in found})) if found else []
    people = {each.author_id for each in (*found, *groups) if each.author_id is not None}
    authors = {each.id: each for each in await users.list_colleagues(db, actor, sorted(people))} if people else {}
    has_translations = len(groups) > len(found) or len({each.root_id for each in found}) < len(found)
    portals = await portals_out(db, actor, shown_inboxes, [portal]) if has_translations else []
    return [
        _article_out(
            article,
            _author(article, authors, shown),
            [
                _translation_out(each, portals[0], _author(each, authors, shown))
                for each in groups
                if each.root_id == article.root_id and each.id != article.id
            ],
        )
        for article in found
    ]


def _author(article: Article, authors: dict[int, Colleague], shown: Shown) -> AgentOut | UnsetType:
    author = authors.get(article.author_id or 0)
    return UNSET if author is None else agent_out(author, shown)


def _article_out(article: Article, author: AgentOut | UnsetType, translations: list[TranslationOut]) -> ArticleOut:
    return ArticleOut(
        id=article.id,
        slug=article.slug,
        title=article.title,
        content=article.content,
        description=article.description,
        status=STATUSES[article.status],
        position=article.position,
        account_id=article.account_id,
        updated_at=unix(article.updated_at),
        meta=article.meta,
        category=ArticleCategoryOut(
            id=article.category_id,
            name=article.category_name,
            slug=article.category_slug,
            locale=article.category_locale,
        ),
        views=article.views,
        author=author,
        associated_articles=translations or UNSET,
    )


def _translation_out(article: Article, portal: PortalOut, author: AgentOut | UnsetType) -> TranslationOut:
    return TranslationOut(
        id=article.id,
        category_id=article.category_id,
        title=article.title,
        content=article.content,
        description=article.description,
        status=STATUSES[article.status],
        account_id=article.account_id,
        portal=portal,
        views=article.views,
        author=author,
    )
