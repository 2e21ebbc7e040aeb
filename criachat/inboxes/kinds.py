"""The kinds of channel there are: who sees which of their settings, what finds them, and what they cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from criachat.inboxes.errors import (
    BotTokenInvalid,
    EmailInvalid,
    PhoneNumberInvalid,
    ProviderConfigInvalid,
    ServerMissing,
    SettingBlank,
    TwilioNumberInvalid,
)
from criachat.inboxes.settings import (
    EmailSettings,
    LineSettings,
    SmsSettings,
    TelegramSettings,
    TwilioSettings,
    WebsiteSettings,
    WhatsappSettings,
)
from criachat.kit import tokens
from criachat.kit.errors import together
from criachat.kit.texts import PHONE_NUMBER
from criachat.users.addresses import is_address

Settings: TypeAlias = dict[str, Any]

BOT_TOKEN = re.compile(r"([0-9]{1,20}):[A-Za-z0-9_-]{30,100}")
WHATSAPP = "whatsapp:"
IDENTIFIER = "inbox_identifier"
VERIFY_TOKEN = "webhook_verify_token"  # noqa: S105 - the name of one
WEBSITE_TOKEN = "website_token"  # noqa: S105 - the name of one
NEEDED_BY_PROVIDER = {
    "default": ("api_key",),
    "whatsapp_cloud": ("api_key", "phone_number_id", "business_account_id"),
    "bandwidth": ("account_id", "application_id", "api_key", "api_secret"),
}
LONGEST_CREDENTIAL = 4096
OF_SERVERS = frozenset(
    name for name in EmailSettings.__struct_fields__ if name.startswith("imap_") or name.startswith("smtp_")
)


class Address(msgspec.Struct, frozen=True):
    """A key of the directory that leads to an inbox, and the setting it comes from."""

    kind: str
    key: str
    setting: str


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of channel.

    `sealed` settings are kept encrypted. `for_administrators` have no key for agents, `hidden` ones for anybody;
    neither is told in events. `made` settings are made here, and read from nobody. `check` takes the settings as they
    are wanted and as they were.
    """

    channel_type: str
    settings: type[msgspec.Struct]
    required: tuple[str, ...]
    check: Callable[[Settings, Settings], Settings]
    addresses: Callable[[Settings], list[Address]]
    address_kinds: tuple[str, ...]
    made: Mapping[str, Callable[[], Any]] = {}
    sealed: frozenset[str] = frozenset()
    for_administrators: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    changeable: frozenset[str] | None = None
    has_hmac_token: bool = False
    names_itself: bool = False

    @property
    def told(self) -> list[str]:
        """What everybody who sees the inbox may know."""
        names = [*self.settings.__struct_fields__, *self.made]
        return [name for name in names if name not in self.for_administrators | self.hidden]

    def blanks_refused(self, settings: Settings) -> Settings:
        """The settings, when nothing is missing that there must be."""
        blanks = [SettingBlank(name) for name in self.required if not str(settings[name]).strip()]
        if blanks:
            raise together(blanks)
        return settings


def _website(settings: Settings, _before: Settings) -> Settings:
    return {**settings, "selected_feature_flags": list(dict.fromkeys(settings["selected_feature_flags"]))}


def _email(settings: Settings, _before: Settings) -> Settings:
    if not is_address(settings["email"]):
        raise EmailInvalid
    for server in ("imap", "smtp"):
        if settings[f"{server}_enabled"] and not (settings[f"{server}_address"] and settings[f"{server}_port"]):
            raise ServerMissing(f"{server.upper()} needs an address and a port", attributes=[f"{server}_address"])
    return {**settings, "email": settings["email"].strip().lower()}


def _whatsapp(settings: Settings, before: Settings) -> Settings:
    _check_phone_number(settings["phone_number"])
    provider, config = settings["provider"], settings["provider_config"]
    _check_credentials(config, NEEDED_BY_PROVIDER[provider])
    if provider == "whatsapp_cloud" and not config.get(VERIFY_TOKEN):
        # It stays, since the provider was told of it.
        config = {**config, VERIFY_TOKEN: before.get("provider_config", {}).get(VERIFY_TOKEN) or new_key()}
    return {**settings, "provider_config": config}


def _telegram(settings: Settings, _before: Settings) -> Settings:
    if BOT_TOKEN.fullmatch(settings["bot_token"]) is None:
        raise BotTokenInvalid
    return settings


def _sms(settings: Settings, _before: Settings) -> Settings:
    _check_phone_number(settings["phone_number"])
    _check_credentials(settings["provider_config"], NEEDED_BY_PROVIDER["bandwidth"])
    return settings


def _twilio(settings: Settings, _before: Settings) -> Settings:
    number, service = settings["phone_number"] or None, settings["messaging_service_sid"] or None
    if (number is None) == (service is None):
        raise TwilioNumberInvalid
    if number is not None:
        number = number.removeprefix(WHATSAPP)
        _check_phone_number(number)
        number = f"{WHATSAPP}{number}" if settings["medium"] == "whatsapp" else number
    return {**settings, "phone_number": number, "messaging_service_sid": service}


def _check_phone_number(number: str) -> None:
    if PHONE_NUMBER.fullmatch(number) is None:
        raise PhoneNumberInvalid


def _check_credentials(config: Settings, needed: tuple[str, ...]) -> None:
    for name in needed:
        value = config.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_CREDENTIAL:
            raise ProviderConfigInvalid


def new_key() -> str:
    """32 hexadecimal digits that nobody guesses."""
    return tokens.uuid4().replace("-", "")


def _bot_id(settings: Settings) -> str:
    return settings["bot_token"].partition(":")[0]


KINDS: Mapping[str, Kind] = {
    "web_widget": Kind(
        channel_type="Channel::WebWidget",
        settings=WebsiteSettings,
        required=("website_url", "widget_color"),
        check=_website,
        addresses=lambda settings: [Address(WEBSITE_TOKEN, settings[WEBSITE_TOKEN], WEBSITE_TOKEN)],
        address_kinds=(WEBSITE_TOKEN,),
        made={WEBSITE_TOKEN: tokens.random_token},
        has_hmac_token=True,
    ),
    "email": Kind(
        channel_type="Channel::Email",
        settings=EmailSettings,
        required=("email",),
        check=_email,
        addresses=lambda settings: [
            Address("email_channel", settings["email"], "email"),
            Address("email_forward", settings["forward_key"], "email"),
        ],
        address_kinds=("email_channel", "email_forward"),
        made={"forward_key": new_key},
        sealed=frozenset(("imap_password", "smtp_password")),
        for_administrators=OF_SERVERS,
        hidden=frozenset(("verified_for_sending", "forward_key")),
    ),
    "whatsapp": Kind(
        channel_type="Channel::Whatsapp",
        settings=WhatsappSettings,
        required=("phone_number",),
        check=_whatsapp,
        addresses=lambda settings: [Address("whatsapp_channel", settings["phone_number"], "phone_number")],
        address_kinds=("whatsapp_channel",),
        made={"message_templates": list},
        sealed=frozenset(("provider_config",)),
        for_administrators=frozenset(("provider_config",)),
    ),
    "telegram": Kind(
        channel_type="Channel::Telegram",
        settings=TelegramSettings,
        required=("bot_token",),
        check=_telegram,
        # The token is a secret, the bot's number in front of it is none.
        addresses=lambda settings: [Address("telegram_channel", _bot_id(settings), "bot_token")],
        address_kinds=("telegram_channel",),
        made={"bot_name": str},
        names_itself=True,
        sealed=frozenset(("bot_token",)),
        hidden=frozenset(("bot_token",)),
    ),
    "line": Kind(
        channel_type="Channel::Line",
        settings=LineSettings,
        required=("line_channel_id", "line_channel_secret", "line_channel_token"),
        check=lambda settings, _before: settings,
        addresses=lambda settings: [Address("line_channel", settings["line_channel_id"], "line_channel_id")],
        address_kinds=("line_channel",),
        sealed=frozenset(("line_channel_secret", "line_channel_token")),
        hidden=frozenset(("line_channel_id", "line_channel_secret", "line_channel_token")),
    ),
    "sms": Kind(
        channel_type="Channel::Sms",
        settings=SmsSettings,
        required=("phone_number",),
        check=_sms,
        addresses=lambda settings: [Address("sms_channel", settings["phone_number"], "phone_number")],
        address_kinds=("sms_channel",),
        sealed=frozenset(("provider_config",)),
        hidden=frozenset(("provider_config",)),
    ),
}
# Made on a route of its own.
TWILIO = Kind(
    channel_type="Channel::TwilioSms",
    settings=TwilioSettings,
    required=("account_sid", "auth_token"),
    check=_twilio,
    addresses=lambda settings: [
        Address("twilio_channel", settings["messaging_service_sid"], "messaging_service_sid")
        if settings["messaging_service_sid"]
        else Address("twilio_channel", settings["phone_number"], "phone_number")
    ],
    address_kinds=("twilio_channel",),
    made={"content_templates": dict},
    sealed=frozenset(("auth_token", "account_sid", "api_key_sid")),
    for_administrators=frozenset(("auth_token", "account_sid")),
    hidden=frozenset(("api_key_sid",)),
    changeable=frozenset(("auth_token", "account_sid")),
)
OF_TYPE: Mapping[str, Kind] = {kind.channel_type: kind for kind in (*KINDS.values(), TWILIO)}
