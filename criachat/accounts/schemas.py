"""Accounts on the wire."""

from __future__ import annotations

from typing import Any

import msgspec

from criachat.accounts.models import Account, all_cache_keys
from criachat.kit.times import iso

PLAN_KEYS = ("plan_name", "subscribed_quantity", "subscription_status", "subscription_ends_on")


class AccountOut(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `custom_attributes` is absent when empty; `features` names only those that are on."""

    id: int
    name: str
    locale: str
    domain: str | None
    support_email: str | None
    status: str
    created_at: str
    features: dict[str, bool]
    settings: dict[str, Any]
    custom_attributes: dict[str, Any] | msgspec.UnsetType
    cache_keys: dict[str, str]
    latest_chatwoot_version: str | None = None


def account_out(account: Account) -> AccountOut:
    """The account as administrators and agents see it."""
    attributes = account.custom_attributes
    return AccountOut(
        id=account.id,
        name=account.name,
        locale=account.locale,
        domain=account.domain,
        support_email=account.support_email,
        status=account.status,
        created_at=iso(account.created_at),
        features=dict.fromkeys(account.features, True),
        settings=account.settings,
        custom_attributes={**dict.fromkeys(PLAN_KEYS), **attributes} if attributes else msgspec.UNSET,
        cache_keys=all_cache_keys(account.cache_keys),
    )
