"""What can be wrong with webhooks."""

from __future__ import annotations

from criachat.kit.errors import Gone, Invalid, Malformed


class UrlTaken(Invalid):
    """Url has already been taken"""

    attributes = ("url",)


class UrlTooLong(Invalid):
    """Url is too long (maximum is 2048 bytes)"""

    attributes = ("url",)


class TooManyWebhooks(Invalid):
    """The account has as many webhooks as it can have: 1,000"""


class SubscriptionsInvalid(Invalid):
    """Subscriptions Invalid events"""

    attributes = ("subscriptions",)


class NameTooLong(Invalid):
    """Name is too long (maximum is 255 characters)"""

    attributes = ("name",)


class TimeoutOutOfRange(Invalid):
    """Timeout seconds must be between 1 and 30"""

    attributes = ("timeout_seconds",)


class OverlapOutOfRange(Invalid):
    """Overlap hours must be between 0 and 168"""

    attributes = ("overlap_hours",)


class EventUnknown(Invalid):
    """Event is not one that webhooks are told of"""

    attributes = ("event",)


class MomentInvalid(Invalid):
    """Since and until must be times like 2026-03-02T14:09:44Z"""

    attributes = ("since", "until")


class StatusUnknown(Invalid):
    """Status must be pending, delivered, exhausted or cancelled"""

    attributes = ("status",)


class CursorInvalid(Malformed):
    """The cursor is not one of ours"""


class PayloadGone(Gone):
    """The payload of this delivery is not kept any more"""
