"""Apps of others on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.integrations.models import DashboardApp, Hook
from criachat.kit.texts import Short
from criachat.kit.times import iso


class HookParams(msgspec.Struct, kw_only=True):
    """What an app is set up with: `status` is `enabled` or `disabled`. App and inbox are said once."""

    app_id: Any = None
    inbox_id: Any = None
    status: Any = UNSET
    settings: Any = UNSET


class DashboardAppParams(msgspec.Struct, kw_only=True):
    """A page: `content` is a list of `{"type": "frame", "url": "https://…"}`."""

    title: Short | UnsetType | None = UNSET
    content: Any = UNSET


class InboxRefOut(msgspec.Struct, frozen=True):
    """An inbox by name."""

    id: int
    name: str


class HookOut(msgspec.Struct, frozen=True, kw_only=True):
    """An app that was set up; with what, administrators see."""

    id: int
    app_id: str
    status: bool
    inbox: InboxRefOut | None
    account_id: int
    hook_type: str
    settings: dict[str, Any] | UnsetType = UNSET
    reference_id: str | UnsetType | None = UNSET


class AppOut(msgspec.Struct, frozen=True, kw_only=True):
    """An app, and how it was set up here; what it can be set up with, administrators see."""

    id: str
    name: str
    description: str
    short_description: str | None
    enabled: bool
    hooks: list[HookOut]
    logo: str | UnsetType = UNSET
    i18n_key: str | UnsetType = UNSET
    hook_type: str | UnsetType = UNSET
    allow_multiple_hooks: bool | UnsetType = UNSET
    settings_json_schema: dict[str, Any] | UnsetType = UNSET
    settings_form_schema: list[dict[str, Any]] | UnsetType = UNSET
    visible_properties: list[str] | UnsetType = UNSET
    feature_flag: str | UnsetType = UNSET


class AppsOut(msgspec.Struct, frozen=True):
    """All apps that the account can use."""

    payload: list[AppOut]


class DashboardAppOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page beside conversations."""

    id: int
    title: str
    content: list[dict[str, Any]]
    created_at: str


def hook_out(hook: Hook, settings: dict[str, Any] | None) -> HookOut:
    """The hook; its settings where they are given."""
    return HookOut(
        id=hook.id,
        app_id=hook.app_id,
        status=hook.is_enabled,
        inbox=None if hook.inbox_id is None else InboxRefOut(hook.inbox_id, hook.inbox_name or ""),
        account_id=hook.account_id,
        hook_type=hook.hook_type,
        settings=UNSET if settings is None else settings,
        reference_id=UNSET if settings is None else hook.reference_id,
    )


def dashboard_app_out(app: DashboardApp) -> DashboardAppOut:
    """The page as everybody sees it."""
    return DashboardAppOut(id=app.id, title=app.title, content=app.content, created_at=iso(app.created_at))
