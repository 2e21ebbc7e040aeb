"""Inboxes on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.inboxes.models import Inbox, WorkingHours, hmac_context, secret_context
from criachat.kit.files import Files
from criachat.kit.texts import Short
from criachat.kit.tokens import Keyring
from criachat.users.schemas import AgentOut

Text = Annotated[str, Meta(max_length=10_000)]


class ChannelParams(msgspec.Struct, kw_only=True):
    """The settings of an API channel; keys of other channels are ignored."""

    type: str | None = None
    webhook_url: Annotated[str, Meta(max_length=2048)] | UnsetType | None = UNSET
    hmac_mandatory: bool | UnsetType = UNSET
    additional_attributes: dict[str, Any] | UnsetType | None = UNSET
    deduplicate_source_ids: bool | UnsetType = UNSET


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
    """How many open conversations an agent is given by itself."""

    max_assignment_limit: int | UnsetType = UNSET


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
    """What an inbox is; what is not sent stays as it is. `avatar` is the file of a multipart request."""

    name: Short | UnsetType | None = UNSET
    avatar: Any = None
    greeting_enabled: bool | UnsetType = UNSET
    greeting_message: Text | UnsetType | None = UNSET
    enable_email_collect: bool | UnsetType = UNSET
    csat_survey_enabled: bool | UnsetType = UNSET
    csat_config: CsatParams | UnsetType = UNSET
    enable_auto_assignment: bool | UnsetType = UNSET
    auto_assignment_config: AssignmentConfigParams | UnsetType = UNSET
    working_hours_enabled: bool | UnsetType = UNSET
    working_hours: list[DayParams] | UnsetType = UNSET
    out_of_office_message: Text | UnsetType | None = UNSET
    timezone: str | UnsetType = UNSET
    allow_messages_after_resolved: bool | UnsetType = UNSET
    lock_to_single_conversation: bool | UnsetType = UNSET
    sender_name_type: str | int | UnsetType = UNSET
    business_name: Short | UnsetType | None = UNSET
    channel: ChannelParams | None = None


class MembersParams(msgspec.Struct, kw_only=True):
    """People of an inbox, by id."""

    inbox_id: int | None = None
    user_ids: list[int]


class AssignableParams(msgspec.Struct, kw_only=True):
    """Inboxes by id."""

    inbox_ids: list[int]


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
    callback_webhook_url: str | None
    allow_messages_after_resolved: bool
    lock_to_single_conversation: bool
    sender_name_type: str
    business_name: str | None
    allowed_domains: str | None
    widget_color: str | None
    website_url: str | None
    hmac_mandatory: bool | None
    welcome_title: str | None
    welcome_tagline: str | None
    web_widget_script: str | None
    website_token: str | None
    selected_feature_flags: list[str] | None
    reply_time: str | None
    messaging_service_sid: str | None
    phone_number: str | None
    provider: str | None
    hmac_token: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    webhook_url: str | UnsetType | None = UNSET
    inbox_identifier: str | UnsetType = UNSET
    additional_attributes: dict[str, Any] | UnsetType = UNSET
    deduplicate_source_ids: bool | UnsetType = UNSET


class InboxListOut(msgspec.Struct, frozen=True, kw_only=True):
    """All inboxes the caller may see."""

    payload: list[InboxOut]


class AgentsOut(msgspec.Struct, frozen=True, kw_only=True):
    """People of an inbox, by name."""

    payload: list[AgentOut]


class DeletedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What happens now."""

    message: str


def inbox_out(inbox: Inbox, keyring: Keyring, files: Files, *, with_secrets: bool) -> InboxOut:
    """The inbox as administrators (with secrets) or agents see it."""
    secrets: dict[str, str] = {}
    if with_secrets and inbox.hmac_token is not None and inbox.secret is not None:
        secrets["hmac_token"] = keyring.open(inbox.hmac_token, context=hmac_context(inbox.channel_id))
        secrets["secret"] = keyring.open(inbox.secret, context=secret_context(inbox.channel_id))
    return InboxOut(
        id=inbox.id,
        avatar_url=files.avatar_url(inbox.avatar_key),
        channel_id=inbox.channel_id,
        name=inbox.name,
        channel_type=inbox.channel_type,
        greeting_enabled=inbox.greeting_enabled,
        greeting_message=inbox.greeting_message,
        working_hours_enabled=inbox.working_hours_enabled,
        enable_email_collect=inbox.enable_email_collect,
        csat_survey_enabled=inbox.csat_survey_enabled,
        csat_config=inbox.csat_config,
        enable_auto_assignment=inbox.enable_auto_assignment,
        auto_assignment_config=inbox.auto_assignment_config,
        out_of_office_message=inbox.out_of_office_message,
        working_hours=inbox.week,
        timezone=inbox.timezone,
        callback_webhook_url=None,
        allow_messages_after_resolved=inbox.allow_messages_after_resolved,
        lock_to_single_conversation=inbox.lock_to_single_conversation,
        sender_name_type=inbox.sender_name_type,
        business_name=inbox.business_name,
        allowed_domains=None,
        widget_color=None,
        website_url=None,
        hmac_mandatory=inbox.hmac_mandatory,
        welcome_title=None,
        welcome_tagline=None,
        web_widget_script=None,
        website_token=None,
        selected_feature_flags=None,
        reply_time=None,
        messaging_service_sid=None,
        phone_number=None,
        provider=None,
        webhook_url=inbox.webhook_url,
        inbox_identifier=inbox.identifier or "",
        additional_attributes=inbox.additional_attributes or {},
        deduplicate_source_ids=bool(inbox.deduplicate_source_ids),
        **secrets,
    )
