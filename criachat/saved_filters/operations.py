"""What can be done with saved filters."""

from __future__ import annotations

from typing import Final

from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.saved_filters import queries
from criachat.saved_filters.access import owner_of
from criachat.saved_filters.errors import TooManyFilters
from criachat.saved_filters.models import CustomFilter
from criachat.saved_filters.rules import changed_filter, new_filter
from criachat.saved_filters.schemas import CustomFilterParams

MOST_FILTERS: Final = 1000


async def create_filter(tx: Tx, params: CustomFilterParams, *, actor: Actor) -> CustomFilter:
    """A new saved filter of the caller."""
    wanted = new_filter(actor.account_id, owner_of(actor), params)
    saved = await queries.insert_filter(tx, wanted, most=MOST_FILTERS)
    if saved is None:
        raise TooManyFilters
    return saved


async def change_filter(tx: Tx, custom_filter: CustomFilter, params: CustomFilterParams) -> CustomFilter:
    """Change what was sent."""
    changed = changed_filter(custom_filter, params)
    if changed == custom_filter:
        return custom_filter
    return await queries.save_filter(tx, changed)


async def delete_filter(tx: Tx, custom_filter: CustomFilter) -> None:
    """Remove a saved filter."""
    await queries.delete_filter(tx, custom_filter)
