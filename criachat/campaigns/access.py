"""The ways to get a campaign on somebody's behalf."""

from __future__ import annotations

from criachat.campaigns import queries
from criachat.campaigns.models import Campaign
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing


async def load_campaign(db: Db, actor: Actor, display_id: int) -> Campaign:
    """The campaign of the caller's account with this number."""
    return existing(await queries.find_campaign(db, actor.account_id, display_id))


async def load_campaign_to_change(tx: Tx, actor: Actor, display_id: int) -> Campaign:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_campaign(tx, actor.account_id, display_id))
