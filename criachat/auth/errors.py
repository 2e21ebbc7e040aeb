"""Why a caller is not let in."""

from __future__ import annotations

from criachat.kit.errors import NotAuthorized


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
