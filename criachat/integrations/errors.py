"""What apps of others cannot be set up with."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class AppUnknown(Invalid):
    """App is not one that this account can use"""

    attributes = ("app_id",)


class AppTaken(Invalid):
    """App has already been taken"""

    attributes = ("app_id",)


class InboxMissing(Invalid):
    """Inbox can't be blank"""

    attributes = ("inbox_id",)


class SettingsInvalid(Invalid):
    """Settings : Invalid settings data"""

    attributes = ("settings",)


class StatusUnknown(Invalid):
    """Status must be enabled or disabled"""

    attributes = ("status",)


class TooManyHooks(Invalid):
    """The account has as many hooks as it can have"""


class TitleBlank(Invalid):
    """Title can't be blank"""

    attributes = ("title",)


class ContentInvalid(Invalid):
    """Content must be a list of frames with addresses that begin with http:// or https://"""

    attributes = ("content",)


class TooManyDashboardApps(Invalid):
    """The account has as many dashboard apps as it can have"""
