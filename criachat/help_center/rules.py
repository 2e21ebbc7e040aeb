"""What portals, categories and articles may be: from what was sent to what is kept, or a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from criachat.help_center.errors import (
    AuthorMissing,
    Blank,
    ConfigInvalid,
    DomainInvalid,
    LocaleUnknown,
    SlugInvalid,
    StatusUnknown,
)
from criachat.help_center.models import STATUSES, Portal
from criachat.help_center.schemas import ArticleParams, CategoryParams, ConfigParams, PortalParams
from criachat.kit.choices import chosen
from criachat.kit.errors import checked_together
from criachat.kit.http.binding import convert

FIRST_LOCALE = "en"
LOCALE = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}")
SLUG = re.compile(r"[^\s/?#%\\]{1,255}")
HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
NO_LETTERS = re.compile(r"[\W_]+")
WORD = re.compile(r"\w{1,100}")
MOST_WORDS = 20
LONGEST_TITLE = 100
PLAIN_OF_CATEGORY = ("description", "position")
BESIDE_A_CATEGORY = ("parent_category_id", "associated_category_id")
PLAIN_OF_PORTAL = ("color", "header_text", "homepage_link", "page_title")


def sent_of_portal(params: PortalParams, *, is_new: bool = False) -> dict[str, Any]:
    """What was sent of a portal, and needs nothing but a look at itself; blank texts are none.

    A new one has a name, a slug and languages, whether or not they were sent.
    """
    sent: dict[str, Any] = {
        name: value or None for name in PLAIN_OF_PORTAL if (value := getattr(params, name)) is not UNSET
    }
    if params.archived is not UNSET:
        sent["archived"] = params.archived
    checks = {
        "name": partial(needed, "name"),
        "slug": slug_of,
        "custom_domain": domain_of,
        "config": languages_of,
    }
    sent |= _checked(params, checks, needs=("name", "slug", "config") if is_new else ())
    if "config" in sent:
        sent["allowed_locales"], sent["default_locale"] = sent.pop("config")
    return sent


def sent_of_category(portal: Portal, params: CategoryParams, *, is_new: bool = False) -> dict[str, Any]:
    """What was sent of a category, and needs nothing but a look at itself and the portal's languages; id 0 is none."""
    sent = {name: value for name in PLAIN_OF_CATEGORY if (value := getattr(params, name)) is not UNSET}
    sent |= {name: value or None for name in BESIDE_A_CATEGORY if (value := getattr(params, name)) is not UNSET}
    if params.icon is not UNSET:
        sent["icon"] = params.icon or ""
    if params.related_category_ids:
        sent["related_category_ids"] = sorted(set(params.related_category_ids))
    said = msgspec.structs.replace(params, locale=params.locale or UNSET)
    checks = {"name": partial(needed, "name"), "slug": slug_of, "locale": partial(locale_of, portal)}
    return sent | _checked(said, checks, needs=checks if is_new else ())


def sent_of_article(params: ArticleParams, *, is_new: bool = False) -> dict[str, Any]:
    """What was sent of an article, and needs nothing but a look at itself; a new one has title, content and author."""
    sent: dict[str, Any] = {}
    if params.description is not UNSET:
        sent["description"] = params.description
    if params.position is not UNSET and params.position is not None:
        sent["position"] = params.position
    if params.meta is not UNSET:
        sent["meta"] = {} if params.meta is None else msgspec.to_builtins(params.meta)
    said = msgspec.structs.replace(params, slug=params.slug or UNSET)
    checks = {
        "title": partial(needed, "title"),
        "content": content_of,
        "author_id": author_of,
        "slug": slug_of,
        "status": status_of,
    }
    return sent | _checked(said, checks, needs=("title", "content", "author_id") if is_new else ())


def _checked(
    params: PortalParams | CategoryParams | ArticleParams,
    checks: Mapping[str, Callable[[Any], Any]],
    *,
    needs: Collection[str],
) -> dict[str, Any]:
    """What the checks make of the fields that were sent, and of those that are needed."""
    said = {name: getattr(params, name) for name in checks}
    return checked_together(
        {name: partial(checks[name], value) for name, value in said.items() if value is not UNSET or name in needs}
    )


def author_of(value: int | UnsetType | None) -> int:
    """Whoever was named as the author; there must be one."""
    if value is UNSET or value is None:
        raise AuthorMissing
    return value


def needed(name: str, value: str | UnsetType | None) -> str:
    """The text that was sent; there must be one."""
    text = "" if value is UNSET else (value or "").strip()
    if not text:
        raise Blank(name)
    return text


def content_of(value: str | UnsetType | None) -> str:
    """The Markdown that was sent, to the letter: four spaces at its beginning are code."""
    needed("content", value)
    return value or ""


def slug_of(value: str | UnsetType | None) -> str:
    """The slug that was sent; it becomes part of an address."""
    slug = needed("slug", value)
    if SLUG.fullmatch(slug) is None:
        raise SlugInvalid
    return slug


def domain_of(value: str | None) -> str | None:
    """The host that was sent, or that of the address that was sent."""
    text = (value or "").strip().lower()
    if not text:
        return None
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError as failure:
        raise DomainInvalid from failure
    if HOST.fullmatch(host) is None:
        raise DomainInvalid
    return host


def languages_of(config: dict[str, Any] | UnsetType | None) -> tuple[list[str], str]:
    """The languages that were sent, and which of them is the first; English when nothing was said."""
    sent = config or {}
    if not sent.keys() <= set(ConfigParams.__struct_fields__):
        raise ConfigInvalid
    params = convert(sent, ConfigParams, plain_errors=False)
    allowed = list(dict.fromkeys(params.allowed_locales or [FIRST_LOCALE]))
    default = params.default_locale or (FIRST_LOCALE if FIRST_LOCALE in allowed else allowed[0])
    if default not in allowed or not all(LOCALE.fullmatch(each) for each in allowed):
        raise ConfigInvalid
    return allowed, default


def locale_of(portal: Portal, said: str | UnsetType) -> str:
    """The language that was said, one of the portal's; English when nothing was said."""
    locale = FIRST_LOCALE if said is UNSET else said
    if locale not in portal.allowed_locales:
        raise LocaleUnknown
    return locale


def status_of(said: str | int) -> int:
    """The status that was said by its name, or by its number."""
    name = chosen(said, STATUSES)
    if name is None:
        raise StatusUnknown
    return STATUSES.index(name)


def in_dashes(title: str) -> str:
    """The words of a title, as they may stand in an address."""
    return NO_LETTERS.sub("-", title.lower()).strip("-")[:LONGEST_TITLE].strip("-") or "article"


def search_words(query: str | None) -> str | None:
    """What PostgreSQL looks for: all of these words, or words that begin like them; None when there are none."""
    words = WORD.findall(query or "")[:MOST_WORDS]
    return " & ".join(f"{word}:*" for word in words) or None
