"""Campaigns as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

ONE_OFF_CHANNELS = frozenset(("Channel::TwilioSms", "Channel::Sms", "Channel::Whatsapp"))
MOST_CAMPAIGNS = 1_000

CampaignType = Literal["ongoing", "one_off"]


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign. `display_id` is the number people see."""

    id: int
    account_id: int
    display_id: int
    inbox_id: int
    sender_id: int | None
    title: str
    description: str | None
    message: str
    campaign_type: CampaignType
    campaign_status: Literal["active", "completed"]
    enabled: bool
    trigger_only_during_business_hours: bool
    trigger_rules: dict[str, Any]
    audience: list[dict[str, Any]]
    template_params: dict[str, Any] | None
    scheduled_at: datetime | None
    created_at: datetime
    updated_at: datetime
