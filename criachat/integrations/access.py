"""The ways to get what apps are set up with, and pages beside conversations."""

from __future__ import annotations

from criachat.integrations.models import DashboardApp, Hook
from criachat.integrations.queries import dashboard_apps, hooks
from criachat.kit.actors import Actor
from criachat.kit.db import Db, Tx
from criachat.kit.errors import existing


async def load_hook_to_change(tx: Tx, actor: Actor, hook_id: int) -> Hook:
    """The hook of the caller's account; nobody else changes it before this transaction ends."""
    return existing(await hooks.lock_hook(tx, actor.account_id, hook_id))


async def load_dashboard_app(db: Db, actor: Actor, app_id: int) -> DashboardApp:
    """The page of the caller's account."""
    return existing(await dashboard_apps.find_app(db, actor.account_id, app_id))


async def load_dashboard_app_to_change(tx: Tx, actor: Actor, app_id: int) -> DashboardApp:
    """The same; nobody else changes it before this transaction ends."""
    return existing(await dashboard_apps.lock_app(tx, actor.account_id, app_id))
