"""Why a conversation cannot become what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Unprocessable


class UnknownStatus(Unprocessable):
    """Status must be open, resolved, pending or snoozed"""


class UnknownPriority(Unprocessable):
    """Priority must be low, medium, high or urgent"""


class SnoozeInvalid(Unprocessable):
    """snoozed_until must be a time in unix seconds"""


class AttributeTooLarge(Invalid):
    """Custom attributes length should be < 1500"""

    attributes = ("custom_attributes",)


class SourceUnknown(Unprocessable):
    """Give inbox_id and contact_id, or the source_id of a session"""
