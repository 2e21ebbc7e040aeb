"""Campaigns, over HTTP. All of it is for administrators."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.campaigns import access, operations, queries
from criachat.campaigns.models import Campaign
from criachat.campaigns.schemas import Around, CampaignOut, CampaignParams, campaign_out
from criachat.inboxes import access as inboxes
from criachat.inboxes.shown import ShownInboxes, inbox_beside_out
from criachat.kit.actors import ADMINISTRATOR, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound
from criachat.kit.http.routes import Routes
from criachat.users import access as people
from criachat.users.shown import Shown

TAG = "Campaigns"
routes = Routes("/api/v1/accounts/{account_id}/campaigns", tag=TAG, scope="campaigns")
inbox_routes = Routes("/api/v1/accounts/{account_id}/inboxes/{inbox_id}/campaigns", tag=TAG, scope="campaigns")


@routes.get(actors=ADMINISTRATOR)
async def list_campaigns(db: Db, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes) -> list[CampaignOut]:
    """All campaigns of the account, oldest first."""
    return await _out(db, actor, await queries.list_campaigns(db, actor.account_id), shown, shown_inboxes)


@inbox_routes.get(actors=ADMINISTRATOR)
async def list_of_inbox(
    db: Db, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, inbox_id: int
) -> list[CampaignOut]:
    """The campaigns of one inbox, oldest first."""
    inbox = await inboxes.load_inbox(db, actor, inbox_id)
    return await _out(db, actor, await queries.list_of_inbox(db, actor.account_id, inbox.id), shown, shown_inboxes)


@routes.get("/{campaign_id}", actors=ADMINISTRATOR)
async def show_campaign(
    db: Db, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, campaign_id: int
) -> CampaignOut:
    """One campaign, by the number people see."""
    found = await access.load_campaign(db, actor, campaign_id)
    return await _one(db, actor, found, shown, shown_inboxes)


@routes.post(actors=ADMINISTRATOR, wrapper="campaign")
async def create_campaign(
    tx: Tx, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, params: CampaignParams
) -> CampaignOut:
    """A new campaign: shown on a website while it is enabled, or sent once by SMS or WhatsApp."""
    created = await operations.create_campaign(tx, params, actor=actor)
    return await _one(tx, actor, created, shown, shown_inboxes)


@routes.update("/{campaign_id}", actors=ADMINISTRATOR, wrapper="campaign")
async def change_campaign(
    tx: Tx, actor: Actor, shown: Shown, shown_inboxes: ShownInboxes, campaign_id: int, params: CampaignParams
) -> CampaignOut:
    """Change a campaign that was not sent yet."""
    found = await access.load_campaign_to_change(tx, actor, campaign_id)
    changed = await operations.change_campaign(tx, found, params, actor=actor)
    return await _one(tx, actor, changed, shown, shown_inboxes)


@routes.delete("/{campaign_id}", actors=ADMINISTRATOR)
async def delete_campaign(tx: Tx, actor: Actor, campaign_id: int) -> None:
    """Remove a campaign; what was sent stays sent."""
    found = await access.load_campaign_to_change(tx, actor, campaign_id)
    await operations.delete_campaign(tx, found, actor=actor)


async def _one(db: Db, actor: Actor, campaign: Campaign, shown: Shown, shown_inboxes: ShownInboxes) -> CampaignOut:
    out = await _out(db, actor, [campaign], shown, shown_inboxes)
    if not out:
        raise NotFound
    return out[0]


async def _out(
    db: Db, actor: Actor, found: Sequence[Campaign], shown: Shown, shown_inboxes: ShownInboxes
) -> list[CampaignOut]:
    """The campaigns with their inboxes and senders, read all at once."""
    inbox_ids = {campaign.inbox_id for campaign in found}
    sender_ids = {campaign.sender_id for campaign in found if campaign.sender_id is not None}
    theirs = await inboxes.list_inboxes(db, actor) if inbox_ids else []
    senders = await people.list_colleagues(db, actor, sorted(sender_ids)) if sender_ids else []
    around = Around(
        {inbox.id: inbox_beside_out(inbox, shown_inboxes, actor=actor) for inbox in theirs if inbox.id in inbox_ids},
        {sender.id: sender for sender in senders},
        shown,
    )
    # An inbox that is being removed is hidden already, and what hangs on it with it.
    return [campaign_out(campaign, around) for campaign in found if campaign.inbox_id in around.inboxes]
