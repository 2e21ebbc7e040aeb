"""What campaigns cannot be."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class TitleBlank(Invalid):
    """Title can't be blank"""

    attributes = ("title",)


class MessageBlank(Invalid):
    """Message can't be blank"""

    attributes = ("message",)


class InboxMissing(Invalid):
    """Inbox must exist"""

    attributes = ("inbox",)


class InboxUnsupported(Invalid):
    """Unsupported Inbox type"""

    attributes = ("inbox",)


class SenderUnknown(Invalid):
    """Sender must be an agent of the account"""

    attributes = ("sender",)


class UrlInvalid(Invalid):
    """Url must begin with http:// or https://"""

    attributes = ("url",)


class TriggerRulesInvalid(Invalid):
    """Trigger rules must be an object with url and time_on_page"""

    attributes = ("trigger_rules",)


class ScheduleInvalid(Invalid):
    """Scheduled at must be a time like 2026-03-02T14:00:00Z, or in unix seconds"""

    attributes = ("scheduled_at",)


class AudienceInvalid(Invalid):
    """Audience must be a list of labels of the account"""

    attributes = ("audience",)


class TemplateInvalid(Invalid):
    """Template params must be an object"""

    attributes = ("template_params",)


class Completed(Invalid):
    """Status The campaign is already completed"""

    attributes = ("status",)


class TooManyCampaigns(Invalid):
    """The account has as many campaigns as it can have: 1,000"""
