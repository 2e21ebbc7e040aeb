"""Accounts as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

# What a new account can do; clients hide or show parts of their pages by these names.
# fmt: off
DEFAULT_FEATURES: tuple[str, ...] = (
    "inbound_emails", "channel_email", "channel_facebook", "channel_twitter", "help_center", "agent_bots",
    "macros", "agent_management", "team_management", "inbox_management", "labels", "custom_attributes",
    "automations", "canned_responses", "integrations", "voice_recorder", "channel_website", "campaigns",
    "reports", "crm", "auto_resolve_conversations", "chatwoot_v4", "report_v4", "contact_chatwoot_support_team",
    "channel_instagram", "channel_tiktok",
)
# fmt: on


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant."""

    id: int
    name: str
    locale: str
    domain: str | None
    support_email: str | None
    status: str
    features: list[str]
    settings: dict[str, Any]
    custom_attributes: dict[str, Any]
    cache_keys: dict[str, str]
    created_at: datetime


NEVER_CHANGED = "0000000000"
CACHED = ("label", "inbox", "team")


def all_cache_keys(keys: dict[str, str]) -> dict[str, str]:
    """The keys of every kind, those that never changed included."""
    return {kind: keys.get(kind, NEVER_CHANGED) for kind in CACHED}
