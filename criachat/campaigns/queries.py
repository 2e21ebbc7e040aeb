"""The SQL of campaigns."""

from __future__ import annotations

from typing import LiteralString

from criachat.campaigns.models import MOST_CAMPAIGNS, Campaign
from criachat.kit import clock
from criachat.kit.db import Db, Tx

COLUMNS: LiteralString = """
    id, account_id, display_id, inbox_id, sender_id, title, description, message, campaign_type, campaign_status,
    enabled, trigger_only_during_business_hours, trigger_rules, audience, template_params, scheduled_at, created_at,
    updated_at
"""
LIST_CAMPAIGNS: LiteralString = "SELECT" + COLUMNS + "FROM campaigns WHERE account_id = $1 ORDER BY id LIMIT $2"
LIST_OF_INBOX: LiteralString = (
    "SELECT" + COLUMNS + "FROM campaigns WHERE account_id = $1 AND inbox_id = $2 ORDER BY id LIMIT $3"
)
FIND_CAMPAIGN: LiteralString = "SELECT" + COLUMNS + "FROM campaigns WHERE account_id = $1 AND display_id = $2"
LOCK_CAMPAIGN: LiteralString = FIND_CAMPAIGN + " FOR UPDATE"
# The row of the counters is locked until the transaction ends: campaigns are counted behind it, too.
TAKE_NUMBER = """
UPDATE account_counters SET campaigns = campaigns + 1 WHERE account_id = $1 RETURNING campaigns
"""
INSERT_CAMPAIGN: LiteralString = (
    """
INSERT INTO campaigns (account_id, display_id, inbox_id, sender_id, title, description, message, campaign_type, enabled,
    trigger_only_during_business_hours, trigger_rules, audience, template_params, scheduled_at, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15
WHERE (SELECT count(*) FROM campaigns WHERE account_id = $1) < $16
RETURNING """
    + COLUMNS
)
SAVE_CAMPAIGN: LiteralString = (
    """
UPDATE campaigns
SET inbox_id = $3, sender_id = $4, title = $5, description = $6, message = $7, campaign_type = $8, enabled = $9,
    trigger_only_during_business_hours = $10, trigger_rules = $11, audience = $12, template_params = $13,
    scheduled_at = $14, version = version + 1, updated_at = greatest($15, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
RETURNING """
    + COLUMNS
)
DELETE_CAMPAIGN = "DELETE FROM campaigns WHERE account_id = $1 AND id = $2"


async def list_campaigns(db: Db, account_id: int) -> list[Campaign]:
    """The account's campaigns, oldest first."""
    return await db.fetch_all(Campaign, LIST_CAMPAIGNS, account_id, MOST_CAMPAIGNS)


async def list_of_inbox(db: Db, account_id: int, inbox_id: int) -> list[Campaign]:
    """The campaigns of one inbox, oldest first."""
    return await db.fetch_all(Campaign, LIST_OF_INBOX, account_id, inbox_id, MOST_CAMPAIGNS)


async def find_campaign(db: Db, account_id: int, display_id: int) -> Campaign | None:
    """The campaign with this number, or None."""
    return await db.fetch_one_or_none(Campaign, FIND_CAMPAIGN, account_id, display_id)


async def lock_campaign(tx: Tx, account_id: int, display_id: int) -> Campaign | None:
    """The same, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(Campaign, LOCK_CAMPAIGN, account_id, display_id)


async def take_number(tx: Tx, account_id: int) -> int:
    """The number of the account's next campaign."""
    return await tx.fetch_value(TAKE_NUMBER, account_id)


async def insert_campaign(tx: Tx, campaign: Campaign) -> Campaign | None:
    """A new campaign; None when there are as many as there can be."""
    key = (campaign.account_id, campaign.display_id)
    values = (*_values(campaign), clock.now(), MOST_CAMPAIGNS)
    return await tx.fetch_one_or_none(Campaign, INSERT_CAMPAIGN, *key, *values)


async def save_campaign(tx: Tx, campaign: Campaign) -> Campaign:
    """Write what a campaign became."""
    key = (campaign.account_id, campaign.id)
    return await tx.fetch_one(Campaign, SAVE_CAMPAIGN, *key, *_values(campaign), clock.now())


async def delete_campaign(tx: Tx, campaign: Campaign) -> None:
    """Remove it."""
    await tx.execute(DELETE_CAMPAIGN, campaign.account_id, campaign.id)


def _values(campaign: Campaign) -> tuple[object, ...]:
    return (
        campaign.inbox_id,
        campaign.sender_id,
        campaign.title,
        campaign.description,
        campaign.message,
        campaign.campaign_type,
        campaign.enabled,
        campaign.trigger_only_during_business_hours,
        campaign.trigger_rules,
        campaign.audience,
        campaign.template_params,
        campaign.scheduled_at,
    )
