"""Why a caller is not let in."""

from __future__ import annotations

from criachat.kit.errors import Invalid, NotAuthorized


class NotYourAccount(NotAuthorized):
    """You are not authorized to access this account"""


class BotNotConnected(NotAuthorized):
    """Bot is not authorized to access this account"""


class AccountSuspended(NotAuthorized):
    """Account is suspended"""


class TokenInPage(NotAuthorized):
    """This access token must not be used in a web page of another origin"""


class AddressNotAllowed(NotAuthorized):
    """This access token may not be used from this address"""


class TooManyTokens(Invalid):
    """Access tokens are too many (maximum is 100); revoke some first"""


class ScopeUnknown(Invalid):
    """Scopes hold one that does not exist"""

    attributes = ("scopes",)


class ScopeNotYours(NotAuthorized):
    """An access token cannot make one that may do more than itself"""


class AddressInvalid(Invalid):
    """Allowed addresses hold one that is neither an address nor a network"""

    attributes = ("allowed_addresses",)


class OriginInvalid(Invalid):
    """Allowed origins hold one that is not like https://app.example.com"""

    attributes = ("allowed_origins",)


class ExpiryInvalid(Invalid):
    """Expires at must be a moment of the next ten years"""

    attributes = ("expires_at",)


class OverlapInvalid(Invalid):
    """Overlap hours must be between 0 and 168"""

    attributes = ("overlap_hours",)
