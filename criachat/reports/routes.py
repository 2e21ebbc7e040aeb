"""What was measured, event by event."""

from __future__ import annotations

from criachat.conversations import access as conversations
from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db
from criachat.kit.http.routes import Routes
from criachat.kit.paging import page_of
from criachat.reports import queries
from criachat.reports.filters import filters_of
from criachat.reports.schemas import (
    PAGE,
    FilterParams,
    ReportingEventOut,
    ReportingEventsOut,
    page_out,
    reporting_event_out,
)

MOST_OF_ONE = 1000

routes = Routes("/api/v1/accounts/{account_id}/reporting_events", tag="Reports", scope="reports")
conversation_routes = Routes(
    "/api/v1/accounts/{account_id}/conversations/{conversation_id}/reporting_events", tag="Reports", scope="reports"
)


@routes.get(actors=ADMINISTRATOR)
async def list_reporting_events(db: Db, actor: Actor, params: FilterParams) -> ReportingEventsOut:
    """A page of 25, the newest first."""
    filters, page = filters_of(params), page_of(params.page)
    found = await queries.list_page(db, actor.account_id, filters, limit=PAGE, offset=(page - 1) * PAGE)
    return page_out(found, count=await queries.count(db, actor.account_id, filters), page=page)


@conversation_routes.get(actors=AGENT)
async def list_reporting_events_of_conversation(db: Db, actor: Actor, conversation_id: int) -> list[ReportingEventOut]:
    """Those of one conversation, the oldest first; of more than a thousand, the newest thousand."""
    conversation = await conversations.load_conversation(db, actor, conversation_id)
    found = await queries.list_of_conversation(db, actor.account_id, conversation.id, limit=MOST_OF_ONE)
    return [reporting_event_out(each) for each in found]
