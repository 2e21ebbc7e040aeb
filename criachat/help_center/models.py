"""Portals, categories and articles as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

STATUSES = ("draft", "published", "archived")
DRAFT, PUBLISHED, ARCHIVED = range(3)
PORTAL_SLUG = "portal_slug"
PORTAL_DOMAIN = "portal_domain"
PERMISSION = "knowledge_base_manage"
STEP = 10
LAST_POSITION = 2**31 - 1


MOST_PORTALS = 1_000


class Portal(msgspec.Struct, frozen=True, kw_only=True):
    """One help centre, with how much there is of it in each language."""

    id: int
    account_id: int
    name: str
    slug: str
    color: str | None
    custom_domain: str | None
    header_text: str | None
    homepage_link: str | None
    page_title: str | None
    archived: bool
    allowed_locales: list[str]
    default_locale: str
    inbox_id: int | None
    logo_upload_id: int | None
    logo_filename: str | None
    logo_content_type: str | None
    articles_by_locale: dict[str, int]
    categories_by_locale: dict[str, int]
    version: int


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """One category of a portal, in one language."""

    id: int
    account_id: int
    portal_id: int
    name: str
    slug: str
    locale: str
    description: str | None
    position: int | None
    icon: str
    parent_category_id: int | None
    associated_category_id: int | None
    related_category_ids: list[int]
    articles_count: int

    @property
    def shown_ids(self) -> list[int]:
        """The categories that are shown along with it."""
        others = (self.parent_category_id, self.associated_category_id, *self.related_category_ids)
        return [each for each in others if each is not None]


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One article, with what its category is called."""

    id: int
    account_id: int
    portal_id: int
    category_id: int | None
    category_name: str | None
    category_slug: str | None
    category_locale: str | None
    author_id: int | None
    associated_article_id: int | None
    title: str
    slug: str
    content: str
    description: str | None
    status: int
    position: int | None
    locale: str
    meta: dict[str, Any]
    views: int | None
    version: int
    updated_at: datetime

    @property
    def root_id(self) -> int:
        """The article that all translations of this one are translations of."""
        return self.associated_article_id or self.id


class ArticleFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which articles of a portal."""

    locale: str | None = None
    words: str | None = None
    category_slug: str | None = None
    status: int | None = None
    author_id: int | None = None


class ArticleCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many articles a portal has, and how many of them fit a filter, whatever their status and author."""

    everything: int
    found: int
    drafts: int
    published: int
    archived: int
    mine: int
