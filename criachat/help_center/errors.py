"""Why a help centre cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Unprocessable


class Blank(Invalid):
    """A field can't be blank"""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name.capitalize()} can't be blank", attributes=[name])


class TooManyPortals(Invalid):
    """The account has as many portals as it can have: 1,000"""


class SlugTaken(Invalid):
    """Slug has already been taken"""

    attributes = ("slug",)


class SlugInvalid(Invalid):
    """Slug may have no spaces, slashes, question marks or number signs"""

    attributes = ("slug",)


class DomainTaken(Invalid):
    """Custom domain has already been taken"""

    attributes = ("custom_domain",)


class DomainInvalid(Invalid):
    """Custom domain must be a host such as help.example.com"""

    attributes = ("custom_domain",)


class ConfigInvalid(Invalid):
    """Config may have allowed_locales and a default_locale among them"""

    attributes = ("config",)


class LogoMissing(Invalid):
    """Logo must be a picture that was uploaded"""

    attributes = ("logo",)


class LocaleUnknown(Invalid):
    """Locale is not one of the portal's"""

    attributes = ("locale",)


class CategoryMissing(Invalid):
    """Category must exist in the portal"""

    attributes = ("category",)


class ArticleMissing(Invalid):
    """Associated article must exist in the portal"""

    attributes = ("associated_article",)


class AuthorMissing(Invalid):
    """Author must exist"""

    attributes = ("author", "author_id")


class StatusUnknown(Invalid):
    """Status is neither draft, published nor archived"""

    attributes = ("status",)


class NoDomain(Unprocessable):
    """The portal has no custom domain"""


class EmailInvalid(Unprocessable):
    """This is no e-mail address"""
