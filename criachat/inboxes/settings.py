"""What each kind of channel is set up with: the names, kinds and defaults of its settings.

What is stored was converted to these, so a setting that is there has its kind; what a setting must be beyond that,
`kinds` says.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.kit.texts import Long, Short

Address = Annotated[str, Meta(max_length=2048)]
Credential = Annotated[str, Meta(max_length=4096)]
Pattern = Annotated[str, Meta(max_length=1000)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Flag = Literal["attachments", "emoji_picker", "end_conversation", "use_inbox_avatar_for_bot"]
FIRST_FLAGS: tuple[Flag, ...] = ("attachments", "emoji_picker", "end_conversation")


class PreChatField(msgspec.Struct, frozen=True, kw_only=True):
    """One question asked before a visitor may write."""

    name: Short
    field_type: Literal["standard", "contact_attribute", "conversation_attribute"] = "standard"
    label: Short | UnsetType = UNSET
    placeholder: Short | UnsetType = UNSET
    type: Short = "text"
    enabled: bool = False
    required: bool = False
    locale: Short | UnsetType = UNSET
    values: list[Short] | UnsetType = UNSET
    regex_pattern: Pattern | UnsetType | None = UNSET
    regex_cue: Short | UnsetType | None = UNSET


STANDARD_FIELDS = (
    PreChatField(name="emailAddress", label="E-mail address", type="email", required=True),
    PreChatField(name="fullName", label="Full name"),
    PreChatField(name="phoneNumber", label="Phone number"),
)


class PreChatForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor is asked before they may write; without fields of its own it has the three standard ones."""

    pre_chat_message: Long = "Tell us who you are, and what we can do for you."
    require_email: bool | UnsetType = UNSET
    pre_chat_fields: list[PreChatField] = []

    def __post_init__(self) -> None:
        if not self.pre_chat_fields:
            msgspec.structs.force_setattr(self, "pre_chat_fields", list(STANDARD_FIELDS))


class WebsiteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A chat window on a website."""

    website_url: Address = ""
    widget_color: Short = "#1f93ff"
    welcome_title: Short | None = None
    welcome_tagline: Short | None = None
    reply_time: Literal["in_a_few_minutes", "in_a_few_hours", "in_a_day"] = "in_a_few_minutes"
    pre_chat_form_enabled: bool = False
    pre_chat_form_options: PreChatForm = PreChatForm()
    continuity_via_email: bool = True
    hmac_mandatory: bool = False
    allowed_domains: Long = ""
    selected_feature_flags: list[Flag] = msgspec.field(default_factory=lambda: list(FIRST_FLAGS))


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox: where mail for it is fetched, and by which server it is sent."""

    email: Short = ""
    provider: Literal["google", "microsoft"] | None = None
    verified_for_sending: bool = False
    imap_enabled: bool = False
    imap_address: Short = ""
    imap_port: Port = 0
    imap_login: Short = ""
    imap_password: Credential = ""
    imap_enable_ssl: bool = True
    smtp_enabled: bool = False
    smtp_address: Short = ""
    smtp_port: Port = 0
    smtp_login: Short = ""
    smtp_password: Credential = ""
    smtp_domain: Short = ""
    smtp_enable_ssl_tls: bool = False
    smtp_enable_starttls_auto: bool = True
    smtp_openssl_verify_mode: Literal["none", "peer", "client_once", "fail_if_no_peer_cert"] = "none"
    smtp_authentication: Literal["login", "plain", "cram-md5", "xoauth", "xoauth2", "ntlm", "gssapi"] = "login"


class WhatsappSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A WhatsApp number, at Meta's cloud or at 360dialog (`default`)."""

    phone_number: Short = ""
    provider: Literal["default", "whatsapp_cloud"] = "default"
    provider_config: dict[str, Any] = {}


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A Telegram bot."""

    bot_token: Short = ""


class LineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A LINE channel."""

    line_channel_id: Short = ""
    line_channel_secret: Credential = ""
    line_channel_token: Credential = ""


class SmsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A Bandwidth number."""

    phone_number: Short = ""
    provider: Literal["default"] = "default"
    provider_config: dict[str, Any] = {}


class TwilioSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A Twilio number, or one of its messaging services."""

    account_sid: Short = ""
    auth_token: Credential = ""
    api_key_sid: Short | None = None
    medium: Literal["sms", "whatsapp"] = "sms"
    phone_number: Short | None = None
    messaging_service_sid: Short | None = None
