"""Help centres, over HTTP: portals by their slugs, and what is in them by number."""

from __future__ import annotations

from urllib.parse import urlsplit

from criachat.help_center import access, rules
from criachat.help_center.errors import EmailInvalid, NoDomain
from criachat.help_center.jobs import send_instructions_later
from criachat.help_center.models import PERMISSION, Article, ArticleFilter, Portal
from criachat.help_center.operations import articles as article_operations
from criachat.help_center.operations import categories as category_operations
from criachat.help_center.operations import portals as portal_operations
from criachat.help_center.queries import articles, categories, portals
from criachat.help_center.schemas import (
    ArticleAnswer,
    ArticleListMetaOut,
    ArticleListOut,
    ArticleListParams,
    ArticleParams,
    CategoryAnswer,
    CategoryListMetaOut,
    CategoryListOut,
    CategoryListParams,
    CategoryParams,
    InstructionsParams,
    PortalListMetaOut,
    PortalListOut,
    PortalListParams,
    PortalOut,
    PortalParams,
    PortalQuery,
    ReorderParams,
)
from criachat.help_center.shown import articles_out, categories_out, portals_out
from criachat.inboxes.schemas import MessageOut
from criachat.inboxes.shown import ShownInboxes
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.kit.http.versions import Expected, Versioned
from criachat.kit.paging import page_of, told_page
from criachat.users.addresses import is_address
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}/portals", tag="Help centre", scope="help_center")


@routes.get(actors=AGENT)
async def list_portals(db: Db, actor: Actor, shown: ShownInboxes, params: PortalListParams) -> PortalListOut:
    """All portals of the account by name; the page is only echoed."""
    found = await portals.list_portals(db, actor.account_id)
    meta = PortalListMetaOut(current_page=told_page(params.page), portals_count=len(found))
    return PortalListOut(payload=await portals_out(db, actor, shown, found), meta=meta)


@routes.post(actors=ADMINISTRATOR, wrapper="portal", beside=("blob_id", "inbox_id"))
async def create_portal(tx: Tx, actor: Actor, shown: ShownInboxes, params: PortalParams) -> PortalOut:
    """A new portal; its slug is its own in the whole installation."""
    portal = await portal_operations.create_portal(tx, shown.files, params, actor=actor)
    return await _portal(tx, actor, shown, portal)


@routes.get("/{slug}", actors=AGENT)
async def show_portal(db: Db, actor: Actor, shown: ShownInboxes, slug: str, params: PortalQuery) -> PortalOut:
    """One portal, with how many articles of each status it has, in one language or in all."""
    portal = await access.load_portal(db, actor, slug)
    filters = ArticleFilter(locale=params.locale or None)
    counts = await articles.count_articles(db, portal, filters, user_id=actor.user_id)
    return (await portals_out(db, actor, shown, [portal], counts))[0]


@routes.update("/{slug}", actors=ADMINISTRATOR, permission=PERMISSION, wrapper="portal", beside=("blob_id", "inbox_id"))
async def change_portal(tx: Tx, actor: Actor, shown: ShownInboxes, slug: str, params: PortalParams) -> PortalOut:
    """Change a portal; with `archived` readers do not find it any more."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    return await _portal(
        tx, actor, shown, await portal_operations.change_portal(tx, shown.files, portal, params, actor=actor)
    )


@routes.patch("/{slug}/archive", actors=ADMINISTRATOR, permission=PERMISSION)
async def archive_portal(tx: Tx, actor: Actor, shown: ShownInboxes, slug: str) -> PortalOut:
    """Have readers not find it any more."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    params = PortalParams(archived=True)
    return await _portal(
        tx, actor, shown, await portal_operations.change_portal(tx, shown.files, portal, params, actor=actor)
    )


@routes.delete("/{slug}", actors=ADMINISTRATOR)
async def delete_portal(tx: Tx, actor: Actor, slug: str) -> None:
    """Remove a portal with its categories and articles."""
    await portal_operations.delete_portal(tx, await access.load_portal_to_change(tx, actor, slug))


@routes.delete("/{slug}/logo", actors=ADMINISTRATOR, permission=PERMISSION)
async def remove_logo(tx: Tx, actor: Actor, slug: str) -> None:
    """Show no picture any more."""
    await portal_operations.remove_logo(tx, await access.load_portal_to_change(tx, actor, slug))


@routes.post("/{slug}/send_instructions", actors=ADMINISTRATOR, limit="instructions")
async def send_instructions(
    tx: Tx, actor: Actor, shown: ShownInboxes, slug: str, params: InstructionsParams
) -> MessageOut:
    """Mail somebody how the portal's domain is to be set up."""
    portal = await access.load_portal(tx, actor, slug)
    email = (params.email or "").strip()
    if not is_address(email):
        raise EmailInvalid
    if portal.custom_domain is None:
        raise NoDomain
    await send_instructions_later(
        tx,
        portal,
        email=email,
        host=urlsplit(shown.base_url).hostname or "",
        locale=actor.locale,
    )
    return MessageOut(message=f"The instructions are on their way to {email}.")


@routes.get("/{slug}/categories", actors=AGENT)
async def list_categories(db: Db, actor: Actor, slug: str, params: CategoryListParams) -> CategoryListOut:
    """A page of categories in their order, of one language or of all."""
    portal = await access.load_portal(db, actor, slug)
    found = await categories.list_categories(db, portal, locale=params.locale or None, page=page_of(params.page))
    meta = CategoryListMetaOut(current_page=told_page(params.page), categories_count=len(found))
    return CategoryListOut(payload=await categories_out(db, portal, found), meta=meta)


@routes.post("/{slug}/categories", actors=ADMINISTRATOR, permission=PERMISSION, wrapper="category")
async def create_category(tx: Tx, actor: Actor, slug: str, params: CategoryParams) -> CategoryAnswer:
    """A new category, in one of the portal's languages."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    category = await category_operations.create_category(tx, portal, params)
    return CategoryAnswer(payload=(await categories_out(tx, portal, [category]))[0])


@routes.get("/{slug}/categories/{category_id}", actors=ADMINISTRATOR, permission=PERMISSION)
async def show_category(db: Db, actor: Actor, slug: str, category_id: int) -> CategoryAnswer:
    """One category."""
    portal = await access.load_portal(db, actor, slug)
    category = await access.load_category(db, portal, category_id)
    return CategoryAnswer(payload=(await categories_out(db, portal, [category]))[0])


@routes.update("/{slug}/categories/{category_id}", actors=ADMINISTRATOR, permission=PERMISSION, wrapper="category")
async def change_category(tx: Tx, actor: Actor, slug: str, category_id: int, params: CategoryParams) -> CategoryAnswer:
    """Change a category."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    category = await access.load_category(tx, portal, category_id)
    after = await category_operations.change_category(tx, portal, category, params)
    return CategoryAnswer(payload=(await categories_out(tx, portal, [after]))[0])


@routes.delete("/{slug}/categories/{category_id}", actors=ADMINISTRATOR, permission=PERMISSION)
async def delete_category(tx: Tx, actor: Actor, slug: str, category_id: int) -> None:
    """Remove a category; its articles stay, and belong to none."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    await category_operations.delete_category(tx, await access.load_category(tx, portal, category_id))


@routes.get("/{slug}/articles", actors=AGENT)
async def list_articles(
    db: Db, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, slug: str, params: ArticleListParams
) -> ArticleListOut:
    """A page of articles, and the numbers on the tabs: those do not change with the status or the author."""
    portal = await access.load_portal(db, actor, slug)
    filters = ArticleFilter(
        locale=params.locale or None,
        words=rules.search_words(params.query),
        category_slug=params.category_slug or None,
        status=None if params.status in (None, "") else rules.status_of(params.status),
        author_id=params.author_id,
    )
    found = await articles.list_articles(db, portal, filters, page=page_of(params.page))
    counts = await articles.count_articles(db, portal, filters, user_id=actor.user_id)
    meta = ArticleListMetaOut(
        all_articles_count=counts.everything,
        archived_articles_count=counts.archived,
        articles_count=counts.found,
        current_page=told_page(params.page),
        draft_articles_count=counts.drafts,
        mine_articles_count=counts.mine,
        published_count=counts.published,
    )
    return ArticleListOut(payload=await articles_out(db, actor, shown, shown_inboxes, portal, found), meta=meta)


@routes.post("/{slug}/articles", actors=ADMINISTRATOR, permission=PERMISSION, wrapper="article")
async def create_article(
    tx: Tx, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, slug: str, params: ArticleParams
) -> Versioned[ArticleAnswer]:
    """A new article; it is a draft unless another status is said."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    article = await article_operations.create_article(tx, portal, params, actor=actor)
    return await _article(tx, actor, shown, shown_inboxes, portal, article)


@routes.post("/{slug}/articles/reorder", actors=ADMINISTRATOR, permission=PERMISSION)
async def reorder_articles(tx: Tx, actor: Actor, slug: str, params: ReorderParams) -> None:
    """Put articles where `positions_hash` says: article id → position."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    await article_operations.reorder(tx, portal, params.positions_hash)


@routes.get("/{slug}/articles/{article_id}", actors=ADMINISTRATOR, permission=PERMISSION)
async def show_article(
    db: Db, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, slug: str, article_id: int
) -> Versioned[ArticleAnswer]:
    """One article with its translations."""
    portal = await access.load_portal(db, actor, slug)
    article = await access.load_article(db, portal, article_id)
    return await _article(db, actor, shown, shown_inboxes, portal, article)


@routes.update(
    "/{slug}/articles/{article_id}",
    actors=ADMINISTRATOR,
    permission=PERMISSION,
    wrapper="article",
    may_be_empty=True,
)
async def change_article(  # noqa: PLR0913 - what it touches is in the signature
    tx: Tx,
    actor: Actor,
    shown: Shown,
    shown_inboxes: ShownInboxes,
    slug: str,
    article_id: int,
    params: ArticleParams,
    expected: Expected,
) -> Versioned[ArticleAnswer]:
    """Change an article; with `If-Match` only when nobody else changed it since."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    article = await access.load_article(tx, portal, article_id)
    expected.check(article.version)
    after = await article_operations.change_article(tx, portal, article, params, actor=actor)
    return await _article(tx, actor, shown, shown_inboxes, portal, after)


@routes.delete("/{slug}/articles/{article_id}", actors=ADMINISTRATOR, permission=PERMISSION)
async def delete_article(tx: Tx, actor: Actor, slug: str, article_id: int) -> None:
    """Remove an article; its translations stay."""
    portal = await access.load_portal_to_change(tx, actor, slug)
    await article_operations.delete_article(tx, await access.load_article(tx, portal, article_id))


async def _portal(db: Db, actor: Actor, shown: ShownInboxes, portal: Portal) -> PortalOut:
    return (await portals_out(db, actor, shown, [portal]))[0]


async def _article(
    db: Db, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, portal: Portal, article: Article
) -> Versioned[ArticleAnswer]:
    shown_articles = await articles_out(db, actor, shown, shown_inboxes, portal, [article])
    return Versioned(ArticleAnswer(payload=shown_articles[0]), article.version)
