"""The ways to get a saved filter: everybody has their own, and nobody else's."""

from __future__ import annotations

from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import NotFound, existing
from criachat.saved_filters import queries
from criachat.saved_filters.models import CustomFilter, FilterType


async def load_filter(db: Db, actor: Actor, filter_id: int) -> CustomFilter:
    """The caller's saved filter."""
    return existing(await queries.find_filter(db, actor.account_id, owner_of(actor), filter_id))


async def load_filter_to_change(tx: Tx, actor: Actor, filter_id: int) -> CustomFilter:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await queries.lock_filter(tx, actor.account_id, owner_of(actor), filter_id))


async def list_filters(db: Db, actor: Actor, filter_type: FilterType) -> list[CustomFilter]:
    """The caller's saved filters of one kind."""
    return await queries.list_filters(db, actor.account_id, owner_of(actor), filter_type)


def owner_of(actor: Actor) -> int:
    """The person whose saved filters are meant."""
    if actor.user_id is None:
        raise NotFound
    return actor.user_id
