"""Why a conversation cannot become what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid, Unprocessable


class UnknownStatus(Unprocessable):
    """Status must be open, resolved, pending or snoozed"""


class UnknownPriority(Unprocessable):
    """Priority must be low, medium, high or urgent"""


class LabelBlank(Invalid):
    """Label can't be blank"""

    attributes = ("label",)


class SnoozeInvalid(Unprocessable):
    """snoozed_until must be a time in unix seconds"""


class SnoozeOutOfRange(Unprocessable):
    """snoozed_until must be a time between the years 1 and 9999"""


class AttributesInvalid(Invalid):
    """Custom attributes are too large"""

    attributes = ("custom_attributes",)


class LabelsInvalid(Invalid):
    """Labels are invalid"""

    attributes = ("labels",)


class SourceUnknown(Unprocessable):
    """Give inbox_id and contact_id, or the source_id of a session"""


class PlaceUnknown(Unprocessable):
    """Give inbox_id and contact_id"""


class DraftTooLong(Unprocessable):
    """A draft has 150,000 characters at most"""


class FilterInvalid(Unprocessable):
    """The filter is invalid"""


class BulkTypeUnknown(Unprocessable):
    """Type must be Conversation or Contact"""

    def body(self) -> object:
        return {"success": False}


class BulkInvalid(Unprocessable):
    """Ids must be a list of 1,000 at most"""


class CursorInvalid(Unprocessable):
    """The cursor is not one of this list"""
