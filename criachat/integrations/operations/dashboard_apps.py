"""Keeping pages that are shown beside conversations."""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import take_turn, tell_of_change
from criachat.integrations.errors import ContentInvalid, TitleBlank, TooManyDashboardApps
from criachat.integrations.models import DashboardApp
from criachat.integrations.queries import dashboard_apps
from criachat.integrations.schemas import DashboardAppParams
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import Invalid
from criachat.kit.outside import check_url
from criachat.kit.texts import told_url

RECORD: Final = "DashboardApp"
MOST_FRAMES: Final = 20


async def create_app(tx: Tx, params: DashboardAppParams, *, actor: Actor) -> DashboardApp:
    """A new page for everybody of the account."""
    title, content = _title(params.title), _content(params.content)
    await take_turn(tx, actor.account_id)
    app = await dashboard_apps.insert_app(tx, actor.account_id, title=title, content=content)
    if app is None:
        raise TooManyDashboardApps
    await tell_of_change(tx, actor, RECORD, app.id, before=None, after=_told(app))
    return app


async def change_app(tx: Tx, app: DashboardApp, params: DashboardAppParams, *, actor: Actor) -> DashboardApp:
    """Change what was sent."""
    changed = msgspec.structs.replace(
        app,
        title=app.title if params.title is UNSET else _title(params.title),
        content=app.content if params.content is UNSET else _content(params.content),
    )
    if changed != app:
        await dashboard_apps.save_app(tx, changed)
        await tell_of_change(tx, actor, RECORD, app.id, before=_told(app), after=_told(changed))
    return changed


async def delete_app(tx: Tx, app: DashboardApp, *, actor: Actor) -> None:
    """Show it no more."""
    await dashboard_apps.delete_app(tx, app)
    await tell_of_change(tx, actor, RECORD, app.id, before=_told(app), after=None)


def _title(sent: Any) -> str:
    title = sent.strip() if isinstance(sent, str) else ""
    if not title:
        raise TitleBlank
    return title


def _content(sent: object) -> list[dict[str, str]]:
    frames = cast(list[Any], sent) if isinstance(sent, list) else []
    if not 0 < len(frames) <= MOST_FRAMES:
        raise ContentInvalid
    return [_frame(frame) for frame in frames]


def _frame(sent: object) -> dict[str, str]:
    frame = cast(dict[str, Any], sent) if isinstance(sent, dict) else {}
    url = frame.get("url")
    if frame.get("type") != "frame" or not isinstance(url, str):
        raise ContentInvalid
    try:
        check_url(url.strip())
    except Invalid as refusal:
        raise ContentInvalid from refusal
    return {"type": "frame", "url": url.strip()}


def _told(app: DashboardApp) -> dict[str, Any]:
    return {"title": app.title, "content": [{**frame, "url": told_url(frame["url"])} for frame in app.content]}
