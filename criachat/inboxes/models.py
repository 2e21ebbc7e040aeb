"""Inboxes as rows, with their channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

API = "Channel::Api"
WEBSITE = "Channel::WebWidget"


class WorkingHours(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the week; 0 is Sunday. Hours are null on a day that was always closed."""

    day_of_week: int
    closed_all_day: bool
    open_hour: int | None = None
    open_minutes: int | None = None
    close_hour: int | None = None
    close_minutes: int | None = None
    open_all_day: bool = False


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """One inbox. What only API channels have is None elsewhere; secrets stay sealed.

    `channel` holds the settings of the other kinds, but for those that are sealed in `channel_secrets`.
    """

    id: int
    account_id: int
    channel_id: int
    channel_type: str
    name: str
    avatar_key: str | None
    greeting_enabled: bool
    greeting_message: str | None
    working_hours_enabled: bool
    working_hours: list[Any]
    out_of_office_message: str | None
    timezone: str
    enable_email_collect: bool
    csat_survey_enabled: bool
    csat_config: dict[str, Any]
    enable_auto_assignment: bool
    auto_assignment_config: dict[str, Any]
    allow_messages_after_resolved: bool
    lock_to_single_conversation: bool
    sender_name_type: str
    business_name: str | None
    portal_id: int | None
    has_active_bot: bool
    version: int
    created_at: datetime
    updated_at: datetime

    identifier: str | None
    webhook_url: str | None
    hmac_mandatory: bool | None
    hmac_token: bytes | None
    secret: bytes | None
    additional_attributes: dict[str, Any] | None
    deduplicate_source_ids: bool | None
    channel: dict[str, Any] | None
    channel_secrets: bytes | None
    account_name: str
    account_domain: str | None
    portal_name: str | None
    portal_slug: str | None

    is_visible: bool = True

    @property
    def reuses_contacts(self) -> bool:
        """Whether sessions begin as whoever has the details that were sent, without a proof: for bridges."""
        return (self.additional_attributes or {}).get("reuse_contacts") in (True, "true")

    @property
    def week(self) -> list[WorkingHours]:
        """Its working hours, Sunday first."""
        return msgspec.convert(self.working_hours, list[WorkingHours])


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is allowed, and how much of it there is."""

    limits: dict[str, Any]
    agents: int
    non_web_inboxes: int


class Removed(msgspec.Struct, frozen=True):
    """What is left to clean up of an inbox that is gone."""

    channel_id: int
    avatar_key: str | None


def usual_week() -> list[WorkingHours]:
    """Monday to Friday from nine to five."""
    return [
        WorkingHours(day_of_week=day, closed_all_day=True)
        if day in (0, 6)
        else WorkingHours(
            day_of_week=day, closed_all_day=False, open_hour=9, open_minutes=0, close_hour=17, close_minutes=0
        )
        for day in range(7)
    ]


def hmac_context(channel_id: int) -> str:
    """What a channel's identity key is sealed for."""
    return f"api_channel:{channel_id}:hmac_token"


def settings_context(channel_id: int) -> str:
    """What the secret settings of a channel are sealed for."""
    return f"channel:{channel_id}:settings"


def secret_context(channel_id: int) -> str:
    """What a channel's webhook secret is sealed for."""
    return f"api_channel:{channel_id}:secret"
