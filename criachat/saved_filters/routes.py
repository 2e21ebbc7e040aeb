"""Saved filters, over HTTP."""

from __future__ import annotations

from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.answers import Answer
from criachat.kit.http.routes import Routes
from criachat.saved_filters import access, operations
from criachat.saved_filters.rules import filter_type_of
from criachat.saved_filters.schemas import CustomFilterOut, CustomFilterParams, ListParams, custom_filter_out

routes = Routes("/api/v1/accounts/{account_id}/custom_filters", tag="Saved filters", scope="custom_filters")


@routes.get(actors=AGENT)
async def list_filters(db: Db, actor: Actor, params: ListParams) -> list[CustomFilterOut]:
    """The caller's saved filters of conversations, or of contacts or reports when `filter_type` says so."""
    found = await access.list_filters(db, actor, filter_type_of(params.filter_type))
    return [custom_filter_out(each) for each in found]


@routes.get("/{filter_id}", actors=AGENT)
async def show_filter(db: Db, actor: Actor, filter_id: int) -> CustomFilterOut:
    """One saved filter of the caller."""
    return custom_filter_out(await access.load_filter(db, actor, filter_id))


@routes.post(actors=AGENT, wrapper="custom_filter")
async def create_filter(tx: Tx, actor: Actor, params: CustomFilterParams) -> CustomFilterOut:
    """Save a filter for oneself. `query` is kept as it is sent; what is wrong with it shows when it is used."""
    return custom_filter_out(await operations.create_filter(tx, params, actor=actor))


@routes.update("/{filter_id}", actors=AGENT, wrapper="custom_filter")
async def change_filter(tx: Tx, actor: Actor, filter_id: int, params: CustomFilterParams) -> CustomFilterOut:
    """Change a saved filter; a `query` that is sent takes the place of the one there is."""
    custom_filter = await access.load_filter_to_change(tx, actor, filter_id)
    return custom_filter_out(await operations.change_filter(tx, custom_filter, params))


@routes.delete("/{filter_id}", actors=AGENT)
async def delete_filter(tx: Tx, actor: Actor, filter_id: int) -> Answer:
    """Remove a saved filter of the caller."""
    await operations.delete_filter(tx, await access.load_filter_to_change(tx, actor, filter_id))
    return Answer(status=204)
