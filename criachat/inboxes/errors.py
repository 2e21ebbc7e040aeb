"""Why an inbox cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class ChannelMissing(Invalid):
    """Channel must exist"""

    attributes = ("channel",)


class TimezoneUnknown(Invalid):
    """Timezone is not included in the list"""

    attributes = ("timezone",)


class WorkingHoursInvalid(Invalid):
    """Working hours are invalid"""

    attributes = ("working_hours",)


class WebhookUrlInvalid(Invalid):
    """Webhook url is invalid"""

    attributes = ("webhook_url",)


class SenderNameTypeUnknown(Invalid):
    """Sender name type is neither friendly nor professional"""

    attributes = ("sender_name_type",)


class ReplyWindowInvalid(Invalid):
    """Additional attributes agent_reply_time_window must be greater than 0"""

    attributes = ("additional_attributes",)


class AssignmentLimitInvalid(Invalid):
    """Auto assignment config max_assignment_limit must be greater than 0"""

    attributes = ("auto_assignment_config",)


class UserMissing(Invalid):
    """User must exist"""

    attributes = ("user",)


class SettingsTooLarge(Invalid):
    """Settings are too large (maximum is 100 kB)"""
