"""What contacts answered, for those who run the team, and those whose role reads reports."""

from __future__ import annotations

from criachat.contacts import access as contacts
from criachat.csat import queries
from criachat.csat.errors import PeriodMissing
from criachat.csat.filters import filters_of
from criachat.csat.report import report
from criachat.csat.schemas import AnswerOut, FilterParams, MetricsOut, answer_out
from criachat.kit.actors import ADMINISTRATOR, Actor
from criachat.kit.db import Database, Db
from criachat.kit.http.answers import Stream
from criachat.kit.http.routes import Routes
from criachat.kit.paging import page_of
from criachat.kit.settings import Settings
from criachat.users import access as users
from criachat.users.shown import Shown

PAGE = 25
PERMISSION = "report_manage"

routes = Routes("/api/v1/accounts/{account_id}/csat_survey_responses", tag="Satisfaction surveys", scope="csat")


@routes.get(actors=ADMINISTRATOR, permission=PERMISSION)
async def list_answers(db: Db, actor: Actor, shown: Shown, params: FilterParams) -> list[AnswerOut]:
    """A page of 25 answers, the oldest first unless `sort` is `-created_at`."""
    found = await queries.list_page(
        db,
        actor.account_id,
        filters_of(params),
        is_newest_first=params.sort == "-created_at",
        limit=PAGE,
        offset=(page_of(params.page) - 1) * PAGE,
    )
    contact_ids = {each.contact_id for each in found}
    agent_ids = {each.assigned_agent_id for each in found if each.assigned_agent_id is not None}
    by_contact = {each.id: each for each in await contacts.list_contacts(db, actor, [*contact_ids])}
    by_agent = {each.id: each for each in await users.list_colleagues(db, actor, [*agent_ids])}
    return [
        answer_out(
            each, shown, contact=by_contact.get(each.contact_id), agent=by_agent.get(each.assigned_agent_id or 0)
        )
        for each in found
    ]


@routes.get("/metrics", actors=ADMINISTRATOR, permission=PERMISSION)
async def show_metrics(db: Db, actor: Actor, params: FilterParams) -> MetricsOut:
    """How the answers are distributed. Surveys are counted by the period alone."""
    filters = filters_of(params)
    counts = await queries.count_ratings(db, actor.account_id, filters)
    return MetricsOut(
        total_count=sum(each.count for each in counts),
        ratings_count={str(each.rating): each.count for each in counts},
        total_sent_messages_count=await queries.count_surveys(db, actor.account_id, filters),
    )


@routes.get("/download", actors=ADMINISTRATOR, permission=PERMISSION)
async def download_report(database: Database, settings: Settings, actor: Actor, params: FilterParams) -> Stream:
    """All answers of a period as CSV."""
    filters = filters_of(params)
    if filters.since is None or filters.until is None:
        raise PeriodMissing
    chunks = report(
        database,
        actor.account_id,
        filters,
        since=filters.since,
        until=filters.until,
        base_url=(settings.base_url or "").rstrip("/"),
    )
    headers = {"Content-Disposition": 'attachment; filename="csat_report.csv"'}
    return Stream(chunks, content_type="text/csv; charset=utf-8", headers=headers.items())
