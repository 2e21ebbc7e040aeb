"""What a bot cannot be."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class OutgoingUrlInvalid(Invalid):
    """Outgoing url is invalid"""

    attributes = ("outgoing_url",)


class BotTypeUnknown(Invalid):
    """Bot type must be webhook"""

    attributes = ("bot_type",)


class TooManyBots(Invalid):
    """The account has as many bots as it can have: 1,000"""


class BotConfigTooLong(Invalid):
    """Bot config is too long (maximum is 64 kB)"""

    attributes = ("bot_config",)


class AvatarUrlInvalid(Invalid):
    """Avatar url is invalid"""

    attributes = ("avatar_url",)
