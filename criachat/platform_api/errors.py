"""Why an operator's app is refused."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Refused


class NonPermissible(Refused):
    """Non permissible resource"""

    status = 401


class UserMissing(Invalid):
    """User must exist"""

    attributes = ("user",)


class AccountMissing(Invalid):
    """Account must exist"""

    attributes = ("account",)


class PasswordBlank(Invalid):
    """Password can't be blank"""

    attributes = ("password",)
