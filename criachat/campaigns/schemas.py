"""Campaigns on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.campaigns.models import Campaign
from criachat.inboxes.schemas import InboxOut, InboxSlimOut
from criachat.kit.texts import Long, Short
from criachat.kit.times import iso, unix
from criachat.users.models import Colleague
from criachat.users.schemas import AgentOut, agent_out
from criachat.users.shown import Shown


class CampaignParams(msgspec.Struct, kw_only=True):
    """What a campaign is; what is not sent stays as it is. `scheduled_at` is ISO 8601 or in unix seconds."""

    title: Short | UnsetType | None = UNSET
    message: Long | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    inbox_id: Any = UNSET
    sender_id: Any = UNSET
    enabled: bool | UnsetType | None = UNSET
    trigger_only_during_business_hours: bool | UnsetType | None = UNSET
    trigger_rules: Any = UNSET
    scheduled_at: Any = UNSET
    audience: Any = UNSET
    template_params: Any = UNSET


class CampaignOut(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign. `id` is the number people see; only campaigns that are sent once have a time and an audience."""

    id: int
    title: str
    description: str | None
    account_id: int
    inbox: InboxOut | InboxSlimOut
    sender: AgentOut | UnsetType = UNSET
    message: str
    template_params: dict[str, Any] | None
    campaign_status: str
    enabled: bool
    campaign_type: str
    scheduled_at: int | UnsetType = UNSET
    audience: list[dict[str, Any]] | UnsetType = UNSET
    trigger_rules: dict[str, Any]
    trigger_only_during_business_hours: bool
    created_at: str
    updated_at: str


class Around(msgspec.Struct, frozen=True):
    """The inboxes and senders of campaigns, by id, and what rendering them needs."""

    inboxes: Mapping[int, InboxOut | InboxSlimOut]
    senders: Mapping[int, Colleague]
    shown: Shown


def campaign_out(campaign: Campaign, around: Around) -> CampaignOut:
    """The campaign as administrators see it."""
    sender = around.senders.get(campaign.sender_id or 0)
    is_one_off = campaign.campaign_type == "one_off"
    return CampaignOut(
        id=campaign.display_id,
        title=campaign.title,
        description=campaign.description,
        account_id=campaign.account_id,
        inbox=around.inboxes[campaign.inbox_id],
        sender=UNSET if sender is None else agent_out(sender, around.shown),
        message=campaign.message,
        template_params=campaign.template_params,
        campaign_status=campaign.campaign_status,
        enabled=campaign.enabled,
        campaign_type=campaign.campaign_type,
        scheduled_at=unix(campaign.scheduled_at) if is_one_off else UNSET,
        audience=campaign.audience if is_one_off else UNSET,
        trigger_rules=campaign.trigger_rules,
        trigger_only_during_business_hours=campaign.trigger_only_during_business_hours,
        created_at=iso(campaign.created_at),
        updated_at=iso(campaign.updated_at),
    )
