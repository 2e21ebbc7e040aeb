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
OTHER_FEATURES: tuple[str, ...] = (
    "ip_lookup", "disable_branding", "email_continuity_on_api_channel", "mobile_v2", "custom_reply_email",
    "custom_reply_domain", "audit_logs", "response_bot", "message_reply_to", "insert_article_in_reply", "inbox_view",
    "sla", "help_center_embedding_search", "linear_integration", "captain_integration", "custom_roles",
    "shopify_integration", "search_with_gin", "crm_integration", "channel_voice", "notion_integration",
    "captain_integration_v2", "whatsapp_embedded_signup", "whatsapp_campaign", "crm_v2", "assignment_v2",
    "twilio_content_templates", "advanced_search", "saml", "advanced_search_indexing", "reply_mailer_migration",
    "quoted_email_reply", "companies", "csat_review_notes",
)
# fmt: on
FEATURES = frozenset((*DEFAULT_FEATURES, *OTHER_FEATURES))
STATUSES = ("active", "suspended")
# What an operator may allow an account so many of.
LIMITED = ("agents", "inboxes", "captain_responses", "captain_documents")


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


class OperatedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant as its operator sees it, with what it is allowed."""

    id: int
    name: str
    locale: str
    domain: str | None
    support_email: str | None
    status: str
    features: list[str]
    limits: dict[str, Any]
    custom_attributes: dict[str, Any]


NEVER_CHANGED = "0000000000"
CACHED = ("label", "inbox", "team")


def all_cache_keys(keys: dict[str, str]) -> dict[str, str]:
    """The keys of every kind, those that never changed included."""
    return {kind: keys.get(kind, NEVER_CHANGED) for kind in CACHED}
