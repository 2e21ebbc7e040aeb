"""What portals, categories and articles may be: from what was sent to what is kept, or a refusal."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from msgspec import UNSET, UnsetType

from criachat.help_center.errors import (
    Blank,
    ConfigInvalid,
    DomainInvalid,
    LocaleUnknown,
    SlugInvalid,
    StatusUnknown,
)
from criachat.help_center.models import STATUSES, Portal
from criachat.help_center.schemas import ConfigParams, PortalParams
from criachat.kit.choices import chosen
from criachat.kit.http.binding import convert

FIRST_LOCALE = "en"
LOCALE = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}")
SLUG = re.compile(r"[^\s/?#%\\]{1,255}")
HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
NO_LETTERS = re.compile(r"[\W_]+")
WORD = re.compile(r"\w{1,100}")
MOST_WORDS = 20
LONGEST_TITLE = 100
PLAIN = ("color", "header_text", "homepage_link", "page_title")


def sent_of_portal(params: PortalParams) -> dict[str, Any]:
    """What was sent of a portal, and needs nothing but a look at itself; blank texts are none."""
    sent = {name: value or None for name in PLAIN if (value := getattr(params, name)) is not UNSET}
    if params.name is not UNSET:
        sent["name"] = needed("name", params.name)
    if params.slug is not UNSET:
        sent["slug"] = slug_of(params.slug)
    if params.custom_domain is not UNSET:
        sent["custom_domain"] = domain_of(params.custom_domain)
    if params.archived is not UNSET:
        sent["archived"] = params.archived
    if params.config is not UNSET:
        sent["allowed_locales"], sent["default_locale"] = languages_of(params.config)
    return sent


def needed(name: str, value: str | UnsetType | None) -> str:
    """The text that was sent; there must be one."""
    text = "" if value is UNSET else (value or "").strip()
    if not text:
        raise Blank(name)
    return text


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


def locale_of(portal: Portal, locale: str | None) -> str:
    """One of the portal's languages."""
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
