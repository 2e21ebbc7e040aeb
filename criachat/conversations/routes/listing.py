"""Lists of conversations, over HTTP."""

from __future__ import annotations

import msgspec

from criachat.contacts import access as contacts
from criachat.conversations import access
from criachat.conversations.conditions import filter_of_conditions
from criachat.conversations.filters import filter_of
from criachat.conversations.models import ListFilter, Part
from criachat.conversations.paging import next_cursor, part_of
from criachat.conversations.queries import hits
from criachat.conversations.queries.lists import DEFAULT_SORT, sort_named
from criachat.conversations.schemas import (
    ContactConversationsOut,
    FilteredOut,
    FilterParams,
    FoundOut,
    ListOut,
    ListPageOut,
    ListParams,
    MetaOut,
    conversation_hit_out,
    conversation_out,
    found_meta_out,
    list_meta_out,
)
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db
from criachat.kit.http.routes import Routes
from criachat.users.shown import Shown

MOST_UPDATED = 1000
OF_CONTACT = 20

routes = Routes("/api/v1/accounts/{account_id}/conversations", tag="Conversations", scope="conversations")
contact_routes = Routes("/api/v1/accounts/{account_id}/contacts", tag="Conversations", scope="conversations")


@routes.get(actors=AGENT)
async def list_conversations(db: Db, actor: Actor, shown: Shown, params: ListParams) -> ListOut:
    """A page of 25, newest activity first, with the numbers behind the tabs.

    The counts leave out `assignee_type` and the page. `updated_within` gives everything changed in so many seconds
    instead of a page. With `per_page` (up to 100) or `cursor`, `meta.next_cursor` says where the list goes on.
    """
    filters = await filter_of(db, actor, params)
    sort = _sort(params)
    part = part_of(params, sort) if params.updated_within is None else Part(sort=sort, limit=MOST_UPDATED)
    found, counts = await access.list_and_count_conversations(db, actor, filters, part)
    payload = [conversation_out(each, shown) for each in found]
    meta = list_meta_out(counts, next_cursor(params, found, part))
    return ListOut(data=ListPageOut(meta=meta, payload=payload))


@routes.get("/meta", actors=AGENT)
async def count_conversations(db: Db, actor: Actor, params: ListParams) -> MetaOut:
    """The numbers behind the tabs of such a list."""
    counts = await access.count_conversations(db, actor, await filter_of(db, actor, params))
    return MetaOut(meta=list_meta_out(counts))


@routes.get("/search", actors=AGENT)
async def search_conversations(db: Db, actor: Actor, params: ListParams) -> FoundOut:
    """A page of 25 of those in which `q` was said, with the messages that say so; of whichever status."""
    filters = await filter_of(db, actor, msgspec.structs.replace(params, q=params.q or ""))
    part = part_of(params, _sort(params))
    found, counts = await access.list_and_count_conversations(db, actor, filters, part)
    said = await hits.list_hits(db, actor.account_id, [each.id for each in found], params.q or "") if found else []
    payload = [conversation_hit_out(each, [hit for hit in said if hit.conversation_id == each.id]) for each in found]
    return FoundOut(meta=found_meta_out(counts, next_cursor(params, found, part)), payload=payload)


@routes.post("/filter", actors=AGENT, scope="conversations:read", is_idempotent=False)
async def filter_conversations(db: Db, actor: Actor, shown: Shown, params: FilterParams) -> FilteredOut:
    """A page of 25 of those for whom the conditions hold, AND before OR, newest activity first; of whichever status."""
    filters = await filter_of_conditions(db, actor, params.payload)
    part = part_of(params, DEFAULT_SORT)
    found, counts = await access.list_and_count_conversations(db, actor, filters, part)
    meta = found_meta_out(counts, next_cursor(params, found, part))
    return FilteredOut(meta=meta, payload=[conversation_out(each, shown) for each in found])


@contact_routes.get("/{contact_id}/conversations", actors=AGENT)
async def list_conversations_of_contact(db: Db, actor: Actor, shown: Shown, contact_id: int) -> ContactConversationsOut:
    """The contact's newest 20 that the caller may list, of every status."""
    contact = await contacts.load_contact(db, actor, contact_id)
    filters = ListFilter(status=None, contact_id=contact.id)
    found = await access.list_conversations(db, actor, filters, Part(limit=OF_CONTACT))
    return ContactConversationsOut(payload=[conversation_out(each, shown) for each in found])


def _sort(params: ListParams) -> str:
    return sort_named(params.sort_by if isinstance(params.sort_by, str) else "")
