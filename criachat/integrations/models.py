"""Apps of others in an account, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

MOST_HOOKS = 500
MOST_DASHBOARD_APPS = 100


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """An app that was set up, for the account or for one inbox; its settings stay sealed."""

    id: int
    account_id: int
    app_id: str
    inbox_id: int | None
    inbox_name: str | None
    hook_type: str
    is_enabled: bool
    is_only: bool
    settings: bytes
    reference_id: str | None

    @property
    def context(self) -> str:
        """What its settings are sealed for."""
        return f"integration_hooks.settings:{self.account_id}:{self.id}"


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has that counts as an app, and what is switched on in it."""

    has_webhooks: bool
    has_dashboard_apps: bool
    features: list[str]


class DashboardApp(msgspec.Struct, frozen=True, kw_only=True):
    """A page that is shown beside conversations."""

    id: int
    account_id: int
    title: str
    content: list[dict[str, Any]]
    created_at: datetime
