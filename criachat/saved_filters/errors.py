"""Why a saved filter cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class FilterTypeUnknown(Invalid):
    """Filter type is none of conversation, contact and report"""

    attributes = ("filter_type",)


class QueryTooLarge(Invalid):
    """Query is too large (maximum is 100 kB)"""

    attributes = ("query",)


class TooManyFilters(Invalid):
    """Account limit reached. You can have 1000 saved filters at most"""

    attributes = ("account_id",)
