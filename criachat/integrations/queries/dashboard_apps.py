"""The SQL of pages beside conversations."""

from __future__ import annotations

from criachat.integrations.models import MOST_DASHBOARD_APPS, DashboardApp
from criachat.kit import clock
from criachat.kit.db import Db, Tx

LIST_DASHBOARD_APPS = """
SELECT id, account_id, title, content, created_at FROM dashboard_apps WHERE account_id = $1 ORDER BY id LIMIT $2
"""
FIND_DASHBOARD_APP = """
SELECT id, account_id, title, content, created_at FROM dashboard_apps WHERE account_id = $1 AND id = $2
"""
LOCK_DASHBOARD_APP = """
SELECT id, account_id, title, content, created_at FROM dashboard_apps WHERE account_id = $1 AND id = $2 FOR UPDATE
"""
# Whoever makes one has taken their turn, so that two at once do not both take the last place.
INSERT_DASHBOARD_APP = """
INSERT INTO dashboard_apps (account_id, title, content, created_at, updated_at)
SELECT $1, $2, $3, $4, $4
WHERE (SELECT count(*) FROM dashboard_apps WHERE account_id = $1) < $5
RETURNING id, account_id, title, content, created_at
"""
SAVE_DASHBOARD_APP = """
UPDATE dashboard_apps
SET title = $3, content = $4, version = version + 1, updated_at = greatest($5, updated_at + interval '1 millisecond')
WHERE account_id = $1 AND id = $2
"""
DELETE_DASHBOARD_APP = "DELETE FROM dashboard_apps WHERE account_id = $1 AND id = $2"


async def list_apps(db: Db, account_id: int) -> list[DashboardApp]:
    """The account's pages, oldest first."""
    return await db.fetch_all(DashboardApp, LIST_DASHBOARD_APPS, account_id, MOST_DASHBOARD_APPS)


async def find_app(db: Db, account_id: int, app_id: int) -> DashboardApp | None:
    """The page, or None."""
    return await db.fetch_one_or_none(DashboardApp, FIND_DASHBOARD_APP, account_id, app_id)


async def lock_app(tx: Tx, account_id: int, app_id: int) -> DashboardApp | None:
    """The page, kept from changing until the transaction ends."""
    return await tx.fetch_one_or_none(DashboardApp, LOCK_DASHBOARD_APP, account_id, app_id)


async def insert_app(tx: Tx, account_id: int, *, title: str, content: list[dict[str, str]]) -> DashboardApp | None:
    """A new page; None when there are as many as there can be."""
    values = (title, content, clock.now(), MOST_DASHBOARD_APPS)
    return await tx.fetch_one_or_none(DashboardApp, INSERT_DASHBOARD_APP, account_id, *values)


async def save_app(tx: Tx, app: DashboardApp) -> None:
    """Write what a page became."""
    await tx.execute(SAVE_DASHBOARD_APP, app.account_id, app.id, app.title, app.content, clock.now())


async def delete_app(tx: Tx, app: DashboardApp) -> None:
    """Remove it."""
    await tx.execute(DELETE_DASHBOARD_APP, app.account_id, app.id)
