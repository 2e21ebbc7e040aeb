"""Keeping campaigns. Sending them is another matter."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import tell_of_change
from criachat.campaigns import queries
from criachat.campaigns.errors import Completed, InboxMissing, SenderUnknown, TooManyCampaigns
from criachat.campaigns.models import Campaign
from criachat.campaigns.rules import type_of, with_plan, with_texts
from criachat.campaigns.schemas import CampaignParams
from criachat.inboxes import access as inboxes
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.binding import whole_number
from criachat.labels import access as labels
from criachat.users import access as people

RECORD = "Campaign"


async def create_campaign(tx: Tx, params: CampaignParams, *, actor: Actor) -> Campaign:
    """A new campaign. What kind it is follows from the inbox's channel."""
    now = clock.now()
    blank = Campaign(
        id=0,
        account_id=actor.account_id,
        display_id=0,
        inbox_id=0,
        sender_id=None,
        title="",
        description=None,
        message="",
        campaign_type="ongoing",
        campaign_status="active",
        enabled=True,
        trigger_only_during_business_hours=False,
        trigger_rules={},
        audience=[],
        template_params=None,
        scheduled_at=None,
        created_at=now,
        updated_at=now,
    )
    whole = msgspec.structs.replace(params, inbox_id=None if params.inbox_id is UNSET else params.inbox_id)
    changed = await _changed(tx, blank, whole, actor=actor)
    display_id = await queries.take_number(tx, actor.account_id)
    campaign = await queries.insert_campaign(tx, msgspec.structs.replace(changed, display_id=display_id))
    if campaign is None:
        raise TooManyCampaigns
    await tell_of_change(tx, actor, RECORD, campaign.id, before=None, after=_told(campaign))
    return campaign


async def change_campaign(tx: Tx, campaign: Campaign, params: CampaignParams, *, actor: Actor) -> Campaign:
    """Change what was sent, unless it was sent to everybody already."""
    if campaign.campaign_status == "completed":
        raise Completed
    changed = await _changed(tx, campaign, params, actor=actor)
    if changed == campaign:
        return campaign
    saved = await queries.save_campaign(tx, changed)
    await tell_of_change(tx, actor, RECORD, campaign.id, before=_told(campaign), after=_told(saved))
    return saved


async def delete_campaign(tx: Tx, campaign: Campaign, *, actor: Actor) -> None:
    """Remove it; what was sent stays sent."""
    await queries.delete_campaign(tx, campaign)
    await tell_of_change(tx, actor, RECORD, campaign.id, before=_told(campaign), after=None)


async def _changed(db: Db, campaign: Campaign, params: CampaignParams, *, actor: Actor) -> Campaign:
    changed = with_texts(campaign, params)
    if params.inbox_id is not UNSET:
        changed = await _in_inbox(db, changed, params.inbox_id)
    if params.sender_id is not UNSET:
        changed = msgspec.structs.replace(changed, sender_id=await _sender(db, actor, params.sender_id))
    has_audience = params.audience is not UNSET
    label_ids = {label.id for label in await labels.list_labels(db, actor.account_id)} if has_audience else set[int]()
    return with_plan(changed, params, label_ids=label_ids)


async def _in_inbox(db: Db, campaign: Campaign, sent: object) -> Campaign:
    inbox_id = whole_number(sent)
    inbox = None if inbox_id is None else await inboxes.find_inbox(db, campaign.account_id, inbox_id)
    if inbox is None:
        raise InboxMissing
    return msgspec.structs.replace(campaign, inbox_id=inbox.id, campaign_type=type_of(inbox.channel_type))


async def _sender(db: Db, actor: Actor, sent: object) -> int | None:
    if sent is None or sent in ("", 0):
        return None
    sender = await people.find_colleague(db, actor, whole_number(sent))
    if sender is None:
        raise SenderUnknown
    return sender.id


def _told(campaign: Campaign) -> dict[str, Any]:
    told = msgspec.structs.asdict(campaign)
    return {name: value for name, value in told.items() if name not in ("id", "account_id", "created_at", "updated_at")}
