"""Inboxes on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.inboxes.models import Inbox, WorkingHours
from criachat.inboxes.settings import (
    EmailSettings,
    LineSettings,
    SmsSettings,
    TelegramSettings,
    WebsiteSettings,
    WhatsappSettings,
)
from criachat.kit.http.schema import OneOf
from criachat.kit.texts import Short
from criachat.kit.times import iso
from criachat.users.schemas import AgentOut

Text = Annotated[str, Meta(max_length=10_000)]


class ApiChannelParams(msgspec.Struct, kw_only=True):
    """The settings of an API channel; keys of other channels are ignored."""

    webhook_url: Annotated[str, Meta(max_length=2048)] | UnsetType | None = UNSET
    hmac_mandatory: bool | UnsetType = UNSET
    additional_attributes: dict[str, Any] | UnsetType | None = UNSET
    deduplicate_source_ids: bool | UnsetType = UNSET


Channel = Annotated[
    dict[str, Any],
    OneOf(
        "type",
        (
            ("api", ApiChannelParams),
            ("web_widget", WebsiteSettings),
            ("email", EmailSettings),
            ("whatsapp", WhatsappSettings),
            ("telegram", TelegramSettings),
            ("line", LineSettings),
            ("sms", SmsSettings),
        ),
    ),
]


class SurveyRulesParams(msgspec.Struct, kw_only=True):
    """Which conversations are asked about: those that have one of these labels, or none of them."""

    operator: Literal["contains", "does_not_contain"] = "contains"
    values: list[Short] = []


class CsatParams(msgspec.Struct, kw_only=True):
    """How customers are asked whether they were satisfied."""

    display_type: Literal["emoji", "star"] | UnsetType = UNSET
    message: Text | UnsetType = UNSET
    button_text: Short | UnsetType = UNSET
    language: Short | UnsetType = UNSET
    survey_rules: SurveyRulesParams | UnsetType = UNSET
    template: dict[str, Any] | UnsetType = UNSET


class AssignmentConfigParams(msgspec.Struct, kw_only=True):
    """How conversations are handed out."""

    max_assignment_limit: Annotated[
        int | UnsetType, Meta(description="Who has so many open conversations of the inbox gets no more.")
    ] = UNSET


class DayParams(msgspec.Struct, kw_only=True):
    """One day's working hours; what is not sent of it stays as it is."""

    day_of_week: int
    closed_all_day: bool | UnsetType = UNSET
    open_all_day: bool | UnsetType = UNSET
    open_hour: int | UnsetType | None = UNSET
    open_minutes: int | UnsetType | None = UNSET
    close_hour: int | UnsetType | None = UNSET
    close_minutes: int | UnsetType | None = UNSET


class InboxParams(msgspec.Struct, kw_only=True):
    """What an inbox is; what is not sent stays as it is. `avatar` is the file of a multipart request.

    `channel` has the settings of its kind of channel beside the `type`; those of other kinds say nothing.
    """

    name: Short | UnsetType | None = UNSET
    avatar: Any = None
    greeting_enabled: bool | UnsetType = UNSET
    greeting_message: Text | UnsetType | None = UNSET
    enable_email_collect: bool | UnsetType = UNSET
    csat_survey_enabled: bool | UnsetType = UNSET
    csat_config: CsatParams | UnsetType = UNSET
    enable_auto_assignment: Annotated[
        bool | UnsetType, Meta(description="Give what opens and is nobody's to a member who is online, in turn.")
    ] = UNSET
    auto_assignment_config: Annotated[
        AssignmentConfigParams | UnsetType,
        Meta(description="Whoever has `max_assignment_limit` open conversations of the inbox is passed over."),
    ] = UNSET
    working_hours_enabled: bool | UnsetType = UNSET
    working_hours: Annotated[
        Annotated[list[DayParams], Meta(max_length=100)] | UnsetType,
        Meta(description="The days that change, each by its `day_of_week` from 0, Sunday, to 6."),
    ] = UNSET
    out_of_office_message: Text | UnsetType | None = UNSET
    timezone: Annotated[str | UnsetType, Meta(description="An IANA name such as America/Sao_Paulo.")] = UNSET
    allow_messages_after_resolved: bool | UnsetType = UNSET
    lock_to_single_conversation: bool | UnsetType = UNSET
    sender_name_type: Annotated[str | int | UnsetType, Meta(description="`friendly` or `professional`.")] = UNSET
    business_name: Short | UnsetType | None = UNSET
    portal_id: int | UnsetType | None = UNSET
    channel: Channel | None = None


class TwilioParams(msgspec.Struct, kw_only=True):
    """An inbox for a Twilio number or messaging service."""

    name: Short | None = None
    account_sid: Any = None
    auth_token: Any = None
    api_key_sid: Any = None
    medium: Any = None
    phone_number: Any = None
    messaging_service_sid: Any = None


class MembersParams(msgspec.Struct, kw_only=True):
    """People of an inbox, by id."""

    inbox_id: int | None = None
    user_ids: Annotated[list[int], Meta(max_length=5000)]


class AssignableParams(msgspec.Struct, kw_only=True):
    """Inboxes by id."""

    inbox_ids: Annotated[list[int], Meta(max_length=2000)] = []


class LimitOut(msgspec.Struct, frozen=True):
    """How many there may be, and how many there are."""

    allowed: int
    consumed: int


class NoLimitOut(msgspec.Struct, frozen=True):
    """An empty object: nothing is counted."""


class LimitsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted, and what is not. Websites do not count among inboxes."""

    conversation: NoLimitOut
    non_web_inboxes: LimitOut
    agents: LimitOut
    captain: NoLimitOut


class AccountLimitsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an account."""

    id: int
    limits: LimitsOut


class HelpCenterOut(msgspec.Struct, frozen=True, kw_only=True):
    """The help centre that an inbox leads to."""

    name: str
    slug: str


class InboxOut(msgspec.Struct, frozen=True, kw_only=True):
    """One inbox. Secrets have no key for agents."""

    id: int
    avatar_url: str
    channel_id: int
    name: str
    channel_type: str
    greeting_enabled: bool
    greeting_message: str | None
    working_hours_enabled: bool
    enable_email_collect: bool
    csat_survey_enabled: bool
    csat_config: dict[str, Any]
    enable_auto_assignment: bool
    auto_assignment_config: dict[str, Any]
    out_of_office_message: str | None
    working_hours: list[WorkingHours]
    timezone: str
    allow_messages_after_resolved: bool
    lock_to_single_conversation: bool
    sender_name_type: str
    business_name: str | None
    hmac_mandatory: bool | None
    callback_webhook_url: str | None
    web_widget_script: str | None
    allowed_domains: str | None = None
    widget_color: str | None = None
    website_url: str | None = None
    welcome_title: str | None = None
    welcome_tagline: str | None = None
    website_token: str | None = None
    selected_feature_flags: list[str] | None = None
    reply_time: str | None = None
    messaging_service_sid: str | None = None
    phone_number: str | None = None
    provider: str | None = None
    help_center: HelpCenterOut | UnsetType = UNSET
    pre_chat_form_enabled: bool | UnsetType = UNSET
    pre_chat_form_options: dict[str, Any] | UnsetType = UNSET
    continuity_via_email: bool | UnsetType = UNSET
    email: str | UnsetType = UNSET
    forwarding_enabled: bool | UnsetType = UNSET
    forward_to_email: str | UnsetType = UNSET
    imap_enabled: bool | UnsetType = UNSET
    imap_address: str | UnsetType = UNSET
    imap_port: int | UnsetType = UNSET
    imap_login: str | UnsetType = UNSET
    imap_password: str | UnsetType = UNSET
    imap_enable_ssl: bool | UnsetType = UNSET
    smtp_enabled: bool | UnsetType = UNSET
    smtp_address: str | UnsetType = UNSET
    smtp_port: int | UnsetType = UNSET
    smtp_login: str | UnsetType = UNSET
    smtp_password: str | UnsetType = UNSET
    smtp_domain: str | UnsetType = UNSET
    smtp_enable_ssl_tls: bool | UnsetType = UNSET
    smtp_enable_starttls_auto: bool | UnsetType = UNSET
    smtp_openssl_verify_mode: str | UnsetType = UNSET
    smtp_authentication: str | UnsetType = UNSET
    reauthorization_required: bool | UnsetType = UNSET
    medium: str | UnsetType = UNSET
    content_templates: dict[str, Any] | UnsetType | None = UNSET
    account_sid: str | UnsetType = UNSET
    auth_token: str | UnsetType = UNSET
    bot_name: str | UnsetType = UNSET
    message_templates: list[Any] | UnsetType = UNSET
    provider_config: dict[str, Any] | UnsetType = UNSET
    hmac_token: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    webhook_url: str | UnsetType | None = UNSET
    inbox_identifier: str | UnsetType = UNSET
    additional_attributes: dict[str, Any] | UnsetType = UNSET
    deduplicate_source_ids: bool | UnsetType = UNSET


class InboxSlimOut(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox in a few words."""

    id: int
    avatar_url: str
    channel_id: int
    name: str
    channel_type: str
    provider: str | None = None


class InboxRawOut(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox as its row, without its channel."""

    id: int
    channel_id: int
    account_id: int
    name: str
    created_at: str
    updated_at: str
    channel_type: str
    enable_auto_assignment: bool
    greeting_enabled: bool
    greeting_message: str | None
    email_address: str | None
    working_hours_enabled: bool
    out_of_office_message: str | None
    timezone: str
    enable_email_collect: bool
    csat_survey_enabled: bool
    allow_messages_after_resolved: bool
    auto_assignment_config: dict[str, Any]
    lock_to_single_conversation: bool
    portal_id: int | None
    sender_name_type: str
    business_name: str | None
    csat_config: dict[str, Any]


class InboxListOut(msgspec.Struct, frozen=True, kw_only=True):
    """All inboxes the caller may see."""

    payload: list[InboxOut]


class AgentsOut(msgspec.Struct, frozen=True, kw_only=True):
    """People of an inbox, by name."""

    payload: list[AgentOut]


class MessageOut(msgspec.Struct, frozen=True, kw_only=True):
    """What happens now."""

    message: str


def inbox_raw_out(inbox: Inbox) -> InboxRawOut:
    """The row of an inbox."""
    return InboxRawOut(
        id=inbox.id,
        channel_id=inbox.channel_id,
        account_id=inbox.account_id,
        name=inbox.name,
        created_at=iso(inbox.created_at),
        updated_at=iso(inbox.updated_at),
        channel_type=inbox.channel_type,
        enable_auto_assignment=inbox.enable_auto_assignment,
        greeting_enabled=inbox.greeting_enabled,
        greeting_message=inbox.greeting_message,
        email_address=None,
        working_hours_enabled=inbox.working_hours_enabled,
        out_of_office_message=inbox.out_of_office_message,
        timezone=inbox.timezone,
        enable_email_collect=inbox.enable_email_collect,
        csat_survey_enabled=inbox.csat_survey_enabled,
        allow_messages_after_resolved=inbox.allow_messages_after_resolved,
        auto_assignment_config=inbox.auto_assignment_config,
        lock_to_single_conversation=inbox.lock_to_single_conversation,
        portal_id=inbox.portal_id,
        sender_name_type=inbox.sender_name_type,
        business_name=inbox.business_name,
        csat_config=inbox.csat_config,
    )
