"""What can be done with saved filters."""

from __future__ import annotations

from typing import Final, assert_never

from criachat.contacts import filters as contacts
from criachat.contacts.schemas import FilterParams as ContactFilterParams
from criachat.conversations import conditions as conversations
from criachat.conversations.schemas import FilterParams as ConversationFilterParams
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.binding import convert
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
    await _check_conditions(tx, wanted, actor=actor)
    saved = await queries.insert_filter(tx, wanted, most=MOST_FILTERS)
    if saved is None:
        raise TooManyFilters
    return saved


async def change_filter(
    tx: Tx, custom_filter: CustomFilter, params: CustomFilterParams, *, actor: Actor
) -> CustomFilter:
    """Change what was sent. What is kept is not checked again: an attribute may be gone that it asks for."""
    changed = changed_filter(custom_filter, params)
    if changed == custom_filter:
        return custom_filter
    if (changed.filter_type, changed.query) != (custom_filter.filter_type, custom_filter.query):
        await _check_conditions(tx, changed, actor=actor)
    return await queries.save_filter(tx, changed)


async def delete_filter(tx: Tx, custom_filter: CustomFilter) -> None:
    """Remove a saved filter."""
    await queries.delete_filter(tx, custom_filter)


async def _check_conditions(db: Db, custom_filter: CustomFilter, *, actor: Actor) -> None:
    """Refuse conditions that the list of their kind would refuse. Queries of other forms are kept as they are."""
    if "payload" not in custom_filter.query:
        return
    match custom_filter.filter_type:
        case "contact":
            params = convert(custom_filter.query, ContactFilterParams, plain_errors=True)
            await contacts.read_conditions(db, actor.account_id, params.payload)
        case "conversation":
            params = convert(custom_filter.query, ConversationFilterParams, plain_errors=True)
            await conversations.filter_of_conditions(db, actor, params.payload)
        case "report":
            pass
        case _:
            assert_never(custom_filter.filter_type)
