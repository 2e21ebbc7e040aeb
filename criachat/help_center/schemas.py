"""Help centres on the wire."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.inboxes.schemas import InboxOut, InboxSlimOut
from criachat.kit.texts import Long, Short
from criachat.users.schemas import AgentOut

Content = Annotated[str, Meta(max_length=100_000)]
Position = Annotated[int, Meta(ge=-(2**31), lt=2**31)]


class ConfigParams(msgspec.Struct, kw_only=True):
    """The languages of a portal."""

    allowed_locales: Annotated[list[Short], Meta(max_length=100)] | UnsetType = UNSET
    default_locale: Short | UnsetType = UNSET


class PortalParams(msgspec.Struct, kw_only=True):
    """What a portal is; what is not sent stays as it is. `blob_id` is the signed id of an uploaded picture."""

    name: Short | UnsetType | None = UNSET
    slug: Short | UnsetType | None = UNSET
    color: Short | UnsetType | None = UNSET
    custom_domain: Short | UnsetType | None = UNSET
    header_text: Long | UnsetType | None = UNSET
    homepage_link: Short | UnsetType | None = UNSET
    page_title: Short | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET
    config: Annotated[
        dict[str, Any] | UnsetType | None,
        Meta(description='Its languages: `{"allowed_locales": ["en", "pt_BR"], "default_locale": "en"}`.'),
    ] = UNSET
    blob_id: Annotated[str | UnsetType | None, Meta(description="The logo, as `/upload` names it.")] = UNSET
    inbox_id: Annotated[
        int | str | UnsetType | None, Meta(description="A website that is shown on its pages; null for none.")
    ] = UNSET


class PortalListParams(msgspec.Struct, kw_only=True):
    """A page, which is only echoed."""

    page: int | str | None = None


class PortalQuery(msgspec.Struct, kw_only=True):
    """The language whose articles are counted."""

    locale: str | None = None


class InstructionsParams(msgspec.Struct, kw_only=True):
    """Who is to set up the portal's domain."""

    email: str | None = None


class CategoryListParams(msgspec.Struct, kw_only=True):
    """Categories of one language, or of all."""

    locale: str | None = None
    page: int | str | None = None


class CategoryParams(msgspec.Struct, kw_only=True):
    """What a category is; what is not sent stays as it is."""

    name: Short | UnsetType | None = UNSET
    slug: Short | UnsetType | None = UNSET
    locale: Annotated[
        Short | UnsetType | None, Meta(description="One of the portal's languages; `en` when it is left out.")
    ] = UNSET
    description: Long | UnsetType | None = UNSET
    position: Position | UnsetType | None = UNSET
    icon: Short | UnsetType | None = UNSET
    parent_category_id: int | UnsetType | None = UNSET
    associated_category_id: Annotated[
        int | UnsetType | None, Meta(description="The category that this one is a translation of.")
    ] = UNSET
    related_category_ids: Annotated[list[int], Meta(max_length=100)] | UnsetType | None = UNSET


class ArticleListParams(msgspec.Struct, kw_only=True):
    """Which articles: in a language, of a category, of a status, by somebody, with these words."""

    locale: str | None = None
    query: Annotated[str | None, Meta(description="Words, or how they begin: in title, description and content.")] = (
        None
    )
    page: Annotated[int | str | None, Meta(description="Which page, from 1; there are 25 on each.")] = None
    category_slug: Annotated[
        str | None, Meta(description="Articles come in their order then; else those that were changed last come first.")
    ] = None
    status: Annotated[str | int | None, Meta(description="`draft`, `published` or `archived`.")] = None
    author_id: int | None = None


class ArticleMetaParams(msgspec.Struct, kw_only=True):
    """What search engines are told of an article."""

    title: Short | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    tags: Annotated[list[Short], Meta(max_length=100)] | UnsetType | None = UNSET


class ArticleParams(msgspec.Struct, kw_only=True):
    """What an article is; what is not sent stays as it is. `content` is Markdown."""

    title: Short | UnsetType | None = UNSET
    content: Content | UnsetType | None = UNSET
    author_id: int | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    slug: Annotated[Short | UnsetType | None, Meta(description="Made of time and title when it is left out.")] = UNSET
    category_id: Annotated[
        int | UnsetType | None, Meta(description="Its language is the article's; there the article comes last.")
    ] = UNSET
    status: Annotated[str | int | UnsetType, Meta(description="`draft`, `published` or `archived`.")] = UNSET
    position: Position | UnsetType | None = UNSET
    locale: Short | UnsetType | None = UNSET
    associated_article_id: Annotated[
        int | UnsetType | None, Meta(description="The article that this one is a translation of.")
    ] = UNSET
    meta: ArticleMetaParams | UnsetType | None = UNSET


class ReorderParams(msgspec.Struct, kw_only=True):
    """Where articles stand, by their ids."""

    positions_hash: Annotated[dict[str, Position], Meta(max_length=10_000)]


class LocaleOut(msgspec.Struct, frozen=True, kw_only=True):
    """One language of a portal."""

    code: str
    articles_count: int
    categories_count: int


class ConfigOut(msgspec.Struct, frozen=True, kw_only=True):
    """The languages of a portal."""

    allowed_locales: list[LocaleOut]


class LogoOut(msgspec.Struct, frozen=True, kw_only=True):
    """The picture of a portal."""

    id: int
    portal_id: int
    file_type: str
    account_id: int
    file_url: str
    blob_id: str
    filename: str


class PortalMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is of a portal."""

    all_articles_count: int
    archived_articles_count: int
    published_count: int
    draft_articles_count: int
    categories_count: int
    default_locale: str
    mine_articles_count: int | UnsetType = UNSET


class PortalOut(msgspec.Struct, frozen=True, kw_only=True):
    """One portal."""

    id: int
    color: str | None
    custom_domain: str | None
    header_text: str | None
    homepage_link: str | None
    name: str
    page_title: str | None
    slug: str
    archived: bool
    account_id: int
    config: ConfigOut
    meta: PortalMetaOut
    inbox: InboxOut | InboxSlimOut | UnsetType = UNSET
    logo: LogoOut | UnsetType = UNSET


class PortalListMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """The page that was asked for, and how many portals there are."""

    current_page: str | int
    portals_count: int


class PortalListOut(msgspec.Struct, frozen=True, kw_only=True):
    """All portals of the account."""

    payload: list[PortalOut]
    meta: PortalListMetaOut


class CategorySlimOut(msgspec.Struct, frozen=True, kw_only=True):
    """A category that another one names."""

    id: int
    name: str
    slug: str
    locale: str
    description: str | None
    position: int | None
    account_id: int


class CategoryMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many articles are in it."""

    articles_count: int


class CategoryOut(CategorySlimOut, frozen=True, kw_only=True):
    """One category; what it has none of has no key."""

    icon: str
    meta: CategoryMetaOut
    related_categories: list[CategorySlimOut] | UnsetType = UNSET
    parent_category: CategorySlimOut | UnsetType = UNSET
    root_category: CategorySlimOut | UnsetType = UNSET


class CategoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One category, wrapped."""

    payload: CategoryOut


class CategoryListMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """The page, and how many categories are on it."""

    current_page: str | int
    categories_count: int


class CategoryListOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of categories."""

    payload: list[CategoryOut]
    meta: CategoryListMetaOut


class ArticleCategoryOut(msgspec.Struct, frozen=True, kw_only=True):
    """The category of an article; nulls when it has none."""

    id: int | None
    name: str | None
    slug: str | None
    locale: str | None


class TranslationOut(msgspec.Struct, frozen=True, kw_only=True):
    """The same article in another language."""

    id: int
    category_id: int | None
    title: str
    content: str
    description: str | None
    status: str
    account_id: int
    portal: PortalOut
    views: int | None
    author: AgentOut | UnsetType = UNSET


class ArticleOut(msgspec.Struct, frozen=True, kw_only=True):
    """One article."""

    id: int
    slug: str
    title: str
    content: str
    description: str | None
    status: str
    position: int | None
    account_id: int
    updated_at: int
    meta: dict[str, Any]
    category: ArticleCategoryOut
    views: int | None
    author: AgentOut | UnsetType = UNSET
    associated_articles: list[TranslationOut] | UnsetType = UNSET


class ArticleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One article, wrapped."""

    payload: ArticleOut


class ArticleListMetaOut(msgspec.Struct, frozen=True, kw_only=True):
    """The page, and the numbers on the tabs above it."""

    all_articles_count: int
    archived_articles_count: int
    articles_count: int
    current_page: str | int
    draft_articles_count: int
    mine_articles_count: int
    published_count: int


class ArticleListOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of articles."""

    payload: list[ArticleOut]
    meta: ArticleListMetaOut
