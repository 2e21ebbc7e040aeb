"""Why an inbox cannot be what somebody wants."""

from __future__ import annotations

from criachat.kit.errors import Invalid, NotFound, Refused


class NameBlank(Invalid):
    """Name can't be blank"""

    attributes = ("name",)


class TooManyInboxes(Refused):
    """The account's plan has no room for more inboxes"""

    status = 402


class ChannelMissing(Invalid):
    """Channel must exist"""

    attributes = ("channel",)


class TimezoneUnknown(Invalid):
    """Timezone is no IANA name such as America/Sao_Paulo"""

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


class ReuseInvalid(Invalid):
    """Additional attributes reuse_contacts must be true or false"""

    attributes = ("additional_attributes",)


class AssignmentLimitInvalid(Invalid):
    """Auto assignment config max_assignment_limit must be greater than 0"""

    attributes = ("auto_assignment_config",)


class PortalMissing(Invalid):
    """Portal must exist"""

    attributes = ("portal",)


class UserMissing(Invalid):
    """User must exist"""

    attributes = ("user",)


class SettingsTooLarge(Invalid):
    """Settings are too large (maximum is 100 kB)"""


class SettingBlank(Invalid):
    """A setting can't be blank"""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name.replace('_', ' ').capitalize()} can't be blank", attributes=[name])


class AddressTaken(Invalid):
    """Somebody else's channel has it already"""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name.replace('_', ' ').capitalize()} has already been taken", attributes=[name])


class EmailInvalid(Invalid):
    """Email is invalid"""

    attributes = ("email",)


class ServerMissing(Invalid):
    """IMAP needs an address and a port"""

    attributes = ("imap_address",)


class PhoneNumberInvalid(Invalid):
    """Phone number must be in e164 format, such as +14155550100"""

    attributes = ("phone_number",)


class ProviderConfigInvalid(Invalid):
    """Provider config Invalid Credentials"""

    attributes = ("provider_config",)


class BotTokenInvalid(Invalid):
    """Bot token invalid token"""

    attributes = ("bot_token",)


class TwilioNumberInvalid(Invalid):
    """Either a phone number or a messaging service sid must be given"""

    attributes = ("phone_number", "messaging_service_sid")


class NoSuchToken(NotFound):
    """This kind of channel has no such token"""
