"""What can be wrong with a person."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Refused, Unprocessable


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class NameTooLong(Invalid):
    """Name is too long (maximum is 255 characters)"""

    attributes = ("name",)


class EmailTaken(Invalid):
    """Email has already been taken"""

    attributes = ("email",)


class EmailInvalid(Invalid):
    """Email is invalid"""

    attributes = ("email",)


class PasswordTooWeak(Invalid):
    """Password needs 6 to 128 characters with a capital, a small letter, a digit and a special character"""

    attributes = ("password",)


class AlreadyMember(Invalid):
    """User has already been taken"""

    attributes = ("user_id",)


class SettingsTooLong(Invalid):
    """Ui settings are too long (maximum is 65536 bytes of JSON)"""

    attributes = ("ui_settings",)


class PasswordsDiffer(Invalid):
    """Password confirmation doesn't match Password"""

    attributes = ("password_confirmation",)


class WrongPassword(Unprocessable):
    """Invalid current password"""


class RoleUnknown(Invalid):
    """Role is neither agent nor administrator"""

    attributes = ("role",)


class AvailabilityUnknown(Invalid):
    """Availability is none of online, offline and busy"""

    attributes = ("availability",)


class PermissionsUnknown(Invalid):
    """Permissions hold one that does not exist"""

    attributes = ("permissions",)


class CustomRoleUnknown(Invalid):
    """Custom role must exist"""

    attributes = ("custom_role",)


class TooManyRoles(Invalid):
    """Custom roles are too many (maximum is 200)"""


class LastAdministrator(Invalid):
    """An account needs an administrator, and this is the last"""

    attributes = ("role",)


class NameTheirs(Invalid):
    """Name is for themself to change: they belong to other accounts as well"""

    attributes = ("name",)


class TooManyAgents(Refused):
    """The account's plan has no room for more agents"""

    status = 402


class NotYourself(Invalid):
    """You cannot remove yourself"""
