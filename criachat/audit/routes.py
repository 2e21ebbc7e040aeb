"""The audit log, over HTTP."""

from __future__ import annotations

from criachat.audit import queries
from criachat.audit.models import PAGE
from criachat.audit.schemas import EntriesOut, ListParams, entry_out
from criachat.kit.actors import ADMINISTRATOR, Actor
from criachat.kit.db import Db
from criachat.kit.http.routes import Routes
from criachat.kit.paging import page_of

routes = Routes("/api/v1/accounts/{account_id}/audit_logs", tag="Audit log", scope="audit")


@routes.get(actors=ADMINISTRATOR)
async def list_entries(db: Db, actor: Actor, params: ListParams) -> EntriesOut:
    """Who changed what, 15 on a page, the latest first."""
    page = page_of(params.page)
    found = await queries.list_entries(db, actor.account_id, limit=PAGE, offset=(page - 1) * PAGE)
    return EntriesOut(
        per_page=PAGE,
        total_entries=await queries.count_entries(db, actor.account_id),
        current_page=page,
        audit_logs=[entry_out(entry) for entry in found],
    )
